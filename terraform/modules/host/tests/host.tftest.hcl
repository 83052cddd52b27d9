mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_data "aws_region" {
    defaults = { region = "eu-west-1" }
  }
  mock_data "aws_default_tags" {
    defaults = { tags = { project = "horses" } }
  }
  mock_resource "aws_iam_instance_profile" {
    defaults = { arn = "arn:aws:iam::123456789012:instance-profile/stable" }
  }
  mock_resource "aws_ebs_volume" {
    defaults = { id = "vol-0123456789abcdef0", arn = "arn:aws:ec2:eu-west-1:123456789012:volume/vol-0123456789abcdef0" }
  }
}

variables {
  name               = "stable"
  host               = "gateway-a"
  zone               = "eu-west-1a"
  subnet_id          = "subnet-1"
  security_group_ids = ["sg-1"]
  allocation_id      = "eipalloc-1"
  services = {
    gateway = {
      release     = { bucket = "b", key = "releases/gateway-x.tar.gz", sha256 = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" }
      environment = { PESEBRE_GATEWAY_ID = "stable-a", AWS_REGION = "eu-west-1" }
      secrets     = { key = "/stable/mqtt/key" }
    }
  }
}

run "as_safe_as_it_can_be" {
  command = plan
  assert {
    condition     = aws_launch_template.host.metadata_options[0].http_tokens == "required" && aws_launch_template.host.metadata_options[0].http_put_response_hop_limit == 1
    error_message = "IMDSv2 only, and not from a container"
  }
  assert {
    condition     = aws_ebs_volume.data.encrypted && aws_launch_template.host.block_device_mappings[0].ebs[0].encrypted == "true"
    error_message = "disks are encrypted"
  }
  assert {
    condition     = aws_autoscaling_group.host.min_size == 1 && aws_autoscaling_group.host.max_size == 1
    error_message = "a group of one"
  }
  assert {
    condition     = aws_launch_template.host.maintenance_options[0].auto_recovery == "default"
    error_message = "recovers by itself"
  }
  assert {
    condition     = aws_launch_template.host.instance_type == "t4g.nano"
    error_message = "of the smallest type"
  }
  assert {
    condition     = aws_ssm_parameter.environment["gateway"].value == "AWS_REGION=eu-west-1\nPESEBRE_GATEWAY_ID=stable-a"
    error_message = "settings as a file"
  }
  assert {
    condition     = aws_ssm_parameter.secrets["gateway"].value == "# file parameter\nkey /stable/mqtt/key"
    error_message = "secrets by name only"
  }
}

run "knows_itself" {
  assert {
    condition     = strcontains(base64decode(aws_launch_template.host.user_data), "ALLOCATION=eipalloc-1") && strcontains(base64decode(aws_launch_template.host.user_data), "VOLUME=vol-0123456789abcdef0")
    error_message = "its address and its disk"
  }
  assert {
    condition     = !can(regex("(AKIA|BEGIN [A-Z ]*PRIVATE KEY|password=)", base64decode(aws_launch_template.host.user_data)))
    error_message = "no secret in user data"
  }
  assert {
    condition     = length(aws_launch_template.host.user_data) < 16384 * 4 / 3
    error_message = "small enough for EC2"
  }
  assert {
    condition     = alltrue([for statement in jsondecode(aws_iam_role_policy.host.policy).Statement : contains(["Agent", "OwnMetrics"], statement.Sid) || !contains(flatten([statement.Resource]), "*")])
    error_message = "every resource is named that AWS lets one name"
  }
}

run "costs_are_known_by_tags" {
  command = plan
  assert {
    condition     = alltrue([for specification in aws_launch_template.host.tag_specifications : specification.tags["project"] == "horses"])
    error_message = "instance, its network interface and its root disk have the tags of everything"
  }
  assert {
    condition     = contains([for tag in aws_autoscaling_group.host.tag : tag.key if tag.propagate_at_launch], "project")
    error_message = "whatever the group launches"
  }
}

run "refuses_a_release_from_elsewhere" {
  command = plan
  variables {
    services = { gateway = { release = { bucket = "b", key = "x.tar.gz", sha256 = "a" }, environment = {} } }
  }
  expect_failures = [var.services]
}

run "refuses_all_resources" {
  command = plan
  variables {
    statements = { more = [{ sid = "All", actions = ["s3:GetObject"], resources = ["*"] }] }
  }
  expect_failures = [var.statements]
}

run "refuses_intel" {
  command = plan
  variables {
    instance_type = "t3.nano"
  }
  expect_failures = [var.instance_type]
}
