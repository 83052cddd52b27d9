# The disks with the journals, and with the SQLite database where there is no MySQL: every night, kept for two weeks.
resource "aws_dlm_lifecycle_policy" "disks" {
  description        = "${var.name}: disks of the hosts"
  execution_role_arn = aws_iam_role.backups.arn
  state              = "ENABLED"
  policy_details {
    resource_types = ["VOLUME"]
    target_tags    = { "pesebre:backup" = var.name }
    schedule {
      name      = "nightly"
      copy_tags = true
      create_rule {
        interval      = 24
        interval_unit = "HOURS"
        times         = ["02:30"]
      }
      retain_rule {
        count = 14
      }
    }
  }
  depends_on = [aws_iam_role_policy.backups]
}

resource "aws_iam_role" "backups" {
  name = "${var.name}-backups"
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "dlm.amazonaws.com" }
    }]
  })
}

resource "aws_iam_role_policy" "backups" {
  name = "backups"
  role = aws_iam_role.backups.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        # AWS lets no resource be named for it.
        Sid      = "Find"
        Effect   = "Allow"
        Action   = ["ec2:DescribeInstances", "ec2:DescribeSnapshots", "ec2:DescribeVolumes"]
        Resource = "*"
      },
      {
        Sid       = "TakeOfOwnDisks"
        Effect    = "Allow"
        Action    = ["ec2:CreateSnapshot", "ec2:CreateSnapshots"]
        Resource  = "arn:*:ec2:${var.region}:*:volume/*"
        Condition = { StringEquals = { "aws:ResourceTag/pesebre:backup" = var.name } }
      },
      {
        Sid      = "Take"
        Effect   = "Allow"
        Action   = ["ec2:CreateSnapshot", "ec2:CreateSnapshots", "ec2:CreateTags"]
        Resource = "arn:*:ec2:${var.region}::snapshot/*"
      },
      {
        Sid       = "ForgetOld"
        Effect    = "Allow"
        Action    = "ec2:DeleteSnapshot"
        Resource  = "arn:*:ec2:${var.region}::snapshot/*"
        Condition = { StringEquals = { "aws:ResourceTag/pesebre:backup" = var.name } }
      },
    ]
  })
}
