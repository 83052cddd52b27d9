locals {
  name = "${var.name}-${var.function}"
}

resource "aws_lambda_function" "this" {
  function_name    = local.name
  description      = var.description
  role             = aws_iam_role.this.arn
  runtime          = "nodejs24.x"
  architectures    = ["arm64"]
  handler          = var.handler
  filename         = var.bundle
  source_code_hash = filebase64sha256(var.bundle)
  memory_size      = var.memory_mb
  timeout          = var.timeout_seconds
  environment {
    variables = var.environment
  }
  logging_config {
    log_format = "Text"
    log_group  = aws_cloudwatch_log_group.this.name
  }
}

resource "aws_cloudwatch_log_group" "this" {
  name              = "/aws/lambda/${local.name}"
  retention_in_days = var.log_retention_days
}

resource "aws_iam_role" "this" {
  name = local.name
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "lambda.amazonaws.com" }
    }]
  })
}

resource "aws_iam_role_policy" "this" {
  name = var.function
  role = aws_iam_role.this.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [{
        Sid      = "Logs"
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = ["${aws_cloudwatch_log_group.this.arn}:*"]
      }],
      [for statement in var.statements : {
        Sid      = statement.sid
        Effect   = "Allow"
        Action   = statement.actions
        Resource = statement.resources
      }],
      length(var.unnameable_actions) == 0 ? [] : [{
        Sid      = "Unnameable"
        Effect   = "Allow"
        Action   = var.unnameable_actions
        Resource = ["*"]
      }],
    )
  })
}
