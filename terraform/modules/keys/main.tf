data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

locals {
  iot = "arn:${data.aws_partition.current.partition}:iot:${data.aws_region.current.region}:${data.aws_caller_identity.current.account_id}"
}

# Secrets are made by a function inside the account and go into the Parameter Store: none is ever in a plan, in the state, or in
# user data. What is there already is kept.
locals {
  function   = "${var.name}-setup"
  parameters = "arn:${data.aws_partition.current.partition}:ssm:${data.aws_region.current.region}:${data.aws_caller_identity.current.account_id}:parameter"
}

resource "aws_lambda_function" "setup" {
  function_name    = local.function
  description      = "Makes the secrets that are missing: fleet keys, certificates, the probe's key, the first admin's token"
  role             = aws_iam_role.setup.arn
  runtime          = "nodejs24.x"
  architectures    = ["arm64"]
  handler          = "setup.handler"
  filename         = var.bundle
  source_code_hash = filebase64sha256(var.bundle)
  memory_size      = 256
  timeout          = 60
  environment {
    variables = {
      PESEBRE_PARAMETERS = "/${var.name}"
    }
  }
  logging_config {
    log_format = "Text"
    log_group  = aws_cloudwatch_log_group.setup.name
  }
}

resource "aws_lambda_invocation" "setup" {
  function_name = aws_lambda_function.setup.function_name
  input         = jsonencode({ clients = var.clients, probes = var.probes, admin = var.make_admin_token, replicas = var.replica_regions })
  triggers      = { code = aws_lambda_function.setup.source_code_hash }
  depends_on    = [aws_iam_role_policy.setup]
}

resource "aws_iam_role" "setup" {
  name = local.function
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "lambda.amazonaws.com" }
    }]
  })
}

resource "aws_iam_role_policy" "setup" {
  name = "setup"
  role = aws_iam_role.setup.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "Logs"
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = "${aws_cloudwatch_log_group.setup.arn}:*"
      },
      {
        Sid      = "Secrets"
        Effect   = "Allow"
        Action   = ["ssm:GetParameter", "ssm:PutParameter"]
        Resource = [for region in concat([data.aws_region.current.region], var.replica_regions) : "arn:${data.aws_partition.current.partition}:ssm:${region}:${data.aws_caller_identity.current.account_id}:parameter/${var.name}/*"]
      },
      {
        # AWS lets no resource be named for it.
        Sid      = "MakeCertificates"
        Effect   = "Allow"
        Action   = "iot:CreateKeysAndCertificate"
        Resource = "*"
      },
      {
        Sid    = "AttachCertificates"
        Effect = "Allow"
        Action = ["iot:AttachPolicy", "iot:AttachThingPrincipal"]
        Resource = concat(
          ["${local.iot}:cert/*"],
          var.policy_arns,
          [for thing in keys(var.clients) : "${local.iot}:thing/${thing}"],
        )
      },
      {
        Sid      = "LetInTheProbe"
        Effect   = "Allow"
        Action   = ["iot:CreateThing", "iot:GetThingShadow", "iot:UpdateThingShadow"]
        Resource = [for number in values(var.probes) : "${local.iot}:thing/test-${format("%08x", number)}"]
      },
    ]
  })
}

resource "aws_cloudwatch_log_group" "setup" {
  name              = "/aws/lambda/${local.function}"
  retention_in_days = var.log_retention_days
}
