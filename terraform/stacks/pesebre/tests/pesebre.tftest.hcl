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
  mock_resource "aws_iam_instance_profile" {
    defaults = { arn = "arn:aws:iam::123456789012:instance-profile/stable" }
  }
  mock_resource "aws_ebs_volume" {
    defaults = { id = "vol-0123456789abcdef0", arn = "arn:aws:ec2:eu-west-1:123456789012:volume/vol-0123456789abcdef0" }
  }
  mock_data "aws_eip" {
    defaults = { id = "eipalloc-0123456789abcdef0", public_ip = "198.51.100.7" }
  }
  mock_data "aws_iot_endpoint" {
    defaults = { endpoint_address = "x-ats.iot.eu-west-1.amazonaws.com" }
  }
  mock_resource "aws_eip" {
    defaults = { allocation_id = "eipalloc-0123456789abcdef1", public_ip = "198.51.100.8" }
  }
  mock_resource "aws_lambda_invocation" {
    defaults = { result = "{\"token\":\"once\"}" }
  }
  mock_resource "aws_cloudfront_distribution" {
    defaults = { domain_name = "d1.cloudfront.net", hosted_zone_id = "Z2" }
  }
  mock_resource "aws_db_instance" {
    defaults = {
      endpoint           = "stable-web.x.eu-west-1.rds.amazonaws.com:3306"
      master_user_secret = [{ secret_arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:rds-1" }]
    }
  }
  mock_resource "aws_sqs_queue" {
    defaults = { url = "https://sqs.eu-west-1.amazonaws.com/123456789012/queue" }
  }
}

mock_provider "aws" {
  alias = "outside"
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
}

override_resource {
  target = module.queue.aws_sqs_queue.reports
  values = { arn = "arn:aws:sqs:eu-west-1:123456789012:stable-reports", url = "https://sqs.eu-west-1.amazonaws.com/123456789012/stable-reports" }
}

override_resource {
  target = module.queue.aws_sqs_queue.dead_letters
  values = { arn = "arn:aws:sqs:eu-west-1:123456789012:stable-reports-dlq", url = "https://sqs.eu-west-1.amazonaws.com/123456789012/stable-reports-dlq" }
}

variables {
  name = "stable"
}

run "everything" {
  assert {
    condition     = length(output.gateways) == 2
    error_message = "a gateway in each zone"
  }
  assert {
    condition     = output.gateway_list == "1:stable-a=198.51.100.7:5683,stable-b=198.51.100.7:5683"
    error_message = "ids of their own"
  }
  assert {
    condition     = output.admin_link == "https://d1.cloudfront.net/setup#once"
    error_message = "the link of the first admin"
  }
  assert {
    condition     = length(output.autoscaling_groups) == 2
    error_message = "two hosts, since the web server is beside the first gateway"
  }
}

run "with_everything_else" {
  variables {
    web                   = "own"
    mysql                 = true
    cognito_domain_prefix = "stable-example"
    open_things           = ["demo-*"]
    open_thing_types      = ["demo"]
  }
  assert {
    condition     = length(output.autoscaling_groups) == 3
    error_message = "a host for the web server"
  }
}

# permissions.test.ts compares all names of this one with those of "everything".
run "another_installation" {
  variables {
    name             = "pesebre"
    make_thing_types = false
  }
  assert {
    condition     = output.gateway_list == "1:pesebre-a=198.51.100.7:5683,pesebre-b=198.51.100.7:5683"
    error_message = "ids of its own"
  }
}

run "refuses_mysql_in_one_zone" {
  command = plan
  variables {
    zones = { a = "eu-west-1a" }
    mysql = true
  }
  expect_failures = [var.database_zones]
}

run "refuses_a_gateway_that_is_in_both_regions" {
  command = plan
  variables {
    second_region          = "eu-central-1"
    second_region_gateways = { stable-a = "198.51.100.9" }
  }
  expect_failures = [var.second_region_gateways]
}

run "refuses_a_name_that_aws_keeps_for_itself" {
  command = plan
  variables {
    name = "aws-stable"
  }
  expect_failures = [var.name]
}

run "refuses_a_probe_from_within" {
  command = plan
  variables {
    probe_region = "eu-west-1"
  }
  expect_failures = [var.probe_region]
}

run "refuses_a_zone_of_another_region" {
  command = plan
  variables {
    zones = { a = "us-east-1a" }
  }
  expect_failures = [var.zones]
}

run "refuses_a_release_that_is_not_there" {
  command = plan
  variables {
    gateway_bundle = "nowhere.tar.gz"
  }
  expect_failures = [var.gateway_bundle]
}

run "refuses_all_things_in_the_open" {
  command = plan
  variables {
    open_things = ["*"]
  }
  expect_failures = [var.open_things]
}
