data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}
# Terraform puts them on what it makes itself; what the group launches has none of them.
data "aws_default_tags" "all" {}

locals {
  host      = "${var.name}-${var.host}"
  partition = data.aws_partition.current.partition
  region    = data.aws_region.current.region
  account   = data.aws_caller_identity.current.account_id
  ec2       = "arn:${local.partition}:ec2:${local.region}:${local.account}"
  ssm       = "arn:${local.partition}:ssm:${local.region}:${local.account}"
  path      = "/${var.name}/hosts/${var.host}"
  tags = merge(data.aws_default_tags.all.tags, {
    Name           = local.host
    "pesebre:name" = var.name
    "pesebre:host" = local.host
  })
  own = { StringEquals = { "aws:ResourceTag/pesebre:host" = local.host } }
}

# The journal outlives the instance: it is attached to the next one.
resource "aws_ebs_volume" "data" {
  availability_zone = var.zone
  size              = var.volume_gb
  type              = "gp3"
  encrypted         = true
  tags              = merge(local.tags, { "pesebre:backup" = var.name })
  lifecycle {
    prevent_destroy = true
  }
}

# What runs here, as text that the host reads at its start and whenever it is told to: nothing of it is secret.
resource "aws_ssm_parameter" "environment" {
  for_each = var.services
  name     = "${local.path}/${each.key}/environment"
  type     = "String"
  value    = join("\n", [for key in sort(keys(each.value.environment)) : "${key}=${each.value.environment[key]}"])
}

resource "aws_ssm_parameter" "release" {
  for_each = var.services
  name     = "${local.path}/${each.key}/release"
  type     = "String"
  value    = "${each.value.release.bucket} ${each.value.release.key} ${each.value.release.sha256}"
}

# Secrets are named here, and fetched by the host into memory.
resource "aws_ssm_parameter" "secrets" {
  for_each = var.services
  name     = "${local.path}/${each.key}/secrets"
  type     = "String"
  # A parameter cannot be empty.
  value = join("\n", concat(["# file parameter"], [for file in sort(keys(each.value.secrets)) : "${file} ${each.value.secrets[file]}"]))
}

resource "aws_iam_role" "host" {
  name = local.host
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "ec2.amazonaws.com" }
    }]
  })
}

resource "aws_iam_instance_profile" "host" {
  name = local.host
  role = aws_iam_role.host.name
}

resource "aws_iam_role_policy" "host" {
  name = "host"
  role = aws_iam_role.host.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "OwnAddress"
        Effect   = "Allow"
        Action   = "ec2:AssociateAddress"
        Resource = "${local.ec2}:elastic-ip/${var.allocation_id}"
      },
      {
        Sid       = "OwnAddressToItself"
        Effect    = "Allow"
        Action    = "ec2:AssociateAddress"
        Resource  = ["${local.ec2}:instance/*", "${local.ec2}:network-interface/*"]
        Condition = local.own
      },
      {
        Sid       = "OwnDisk"
        Effect    = "Allow"
        Action    = "ec2:AttachVolume"
        Resource  = [aws_ebs_volume.data.arn, "${local.ec2}:instance/*"]
        Condition = local.own
      },
      {
        Sid      = "OwnSettings"
        Effect   = "Allow"
        Action   = "ssm:GetParameter"
        Resource = "${local.ssm}:parameter${local.path}/*"
      },
      {
        Sid      = "Releases"
        Effect   = "Allow"
        Action   = "s3:GetObject"
        Resource = distinct([for service in var.services : "arn:${local.partition}:s3:::${service.release.bucket}/releases/*"])
      },
      {
        # AWS lets no resource be named for it.
        Sid       = "OwnMetrics"
        Effect    = "Allow"
        Action    = "cloudwatch:PutMetricData"
        Resource  = "*"
        Condition = { StringEquals = { "cloudwatch:namespace" = "Pesebre" } }
      },
      {
        # What the SSM agent needs for Session Manager and Run Command: AWS lets no resource be named for these.
        Sid    = "Agent"
        Effect = "Allow"
        Action = [
          "ssm:ListInstanceAssociations",
          "ssm:UpdateInstanceInformation",
          "ssmmessages:CreateControlChannel",
          "ssmmessages:CreateDataChannel",
          "ssmmessages:OpenControlChannel",
          "ssmmessages:OpenDataChannel",
        ]
        Resource = "*"
      },
      {
        Sid      = "AgentAssociations"
        Effect   = "Allow"
        Action   = ["ssm:DescribeAssociation", "ssm:GetDocument", "ssm:UpdateInstanceAssociationStatus"]
        Resource = ["${local.ssm}:association/*", "${local.ssm}:document/${var.name}-*", "${local.ec2}:instance/*"]
      },
    ]
  })
}

# What the services themselves need.
resource "aws_iam_role_policy" "services" {
  for_each = var.statements
  name     = each.key
  role     = aws_iam_role.host.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [for statement in each.value : {
      Sid      = statement.sid
      Effect   = "Allow"
      Action   = statement.actions
      Resource = statement.resources
    }]
  })
}

resource "aws_launch_template" "host" {
  name                   = local.host
  description            = "A host of ${var.name}"
  update_default_version = true
  # Looked up at each launch: a newer image changes nothing here, and the next instance has it.
  image_id               = "resolve:ssm:/aws/service/ami-amazon-linux-latest/al2023-ami-kernel-default-arm64"
  instance_type          = var.instance_type
  vpc_security_group_ids = var.security_group_ids
  user_data = base64encode(templatefile("${path.module}/user-data.yaml.tftpl", {
    script        = indent(6, file("${path.module}/pesebre-host"))
    allocation_id = var.allocation_id
    volume_id     = aws_ebs_volume.data.id
    path          = local.path
    services      = join(" ", sort(keys(var.services)))
    host          = local.host
    region        = local.region
  }))
  iam_instance_profile {
    arn = aws_iam_instance_profile.host.arn
  }
  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }
  maintenance_options {
    auto_recovery = "default"
  }
  credit_specification {
    cpu_credits = "standard"
  }
  block_device_mappings {
    device_name = "/dev/xvda"
    ebs {
      volume_size           = 8
      volume_type           = "gp3"
      encrypted             = "true"
      delete_on_termination = "true"
    }
  }
  dynamic "tag_specifications" {
    for_each = ["instance", "network-interface", "volume"]
    content {
      resource_type = tag_specifications.value
      # The root disk must not be taken for the one with the journal.
      tags = tag_specifications.value == "volume" ? merge(data.aws_default_tags.all.tags, { Name = "${local.host}-root" }) : local.tags
    }
  }
}

resource "aws_autoscaling_group" "host" {
  name                      = local.host
  min_size                  = 1
  max_size                  = 1
  desired_capacity          = 1
  vpc_zone_identifier       = [var.subnet_id]
  health_check_type         = "EC2"
  health_check_grace_period = 300
  wait_for_capacity_timeout = "10m"
  launch_template {
    id      = aws_launch_template.host.id
    version = aws_launch_template.host.latest_version
  }
  dynamic "tag" {
    for_each = local.tags
    content {
      key                 = tag.key
      value               = tag.value
      propagate_at_launch = true
    }
  }
  depends_on = [aws_iam_role_policy.host, aws_iam_role_policy.services, aws_ssm_parameter.release, aws_ssm_parameter.environment]
}
