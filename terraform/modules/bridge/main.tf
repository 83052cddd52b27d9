data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

locals {
  iot = "arn:${data.aws_partition.current.partition}:iot:${data.aws_region.current.region}:${data.aws_caller_identity.current.account_id}"
}

locals {
  function = "${var.name}-bridge"
  things   = [for pattern in var.thing_patterns : "${local.iot}:thing/${pattern}"]
}

resource "aws_lambda_function" "bridge" {
  function_name    = local.function
  description      = "Carries reports from the queue into shadows"
  role             = aws_iam_role.bridge.arn
  runtime          = "nodejs24.x"
  architectures    = ["arm64"]
  handler          = "handler.handler"
  filename         = var.bundle
  source_code_hash = filebase64sha256(var.bundle)
  memory_size      = var.memory_mb
  timeout          = var.timeout_seconds
  environment {
    variables = {
      PESEBRE_DLQ_URL = var.dead_letters_url
    }
  }
  logging_config {
    log_format = "Text"
    log_group  = aws_cloudwatch_log_group.bridge.name
  }
}

resource "aws_lambda_event_source_mapping" "reports" {
  event_source_arn                   = var.queue_arn
  function_name                      = aws_lambda_function.bridge.arn
  batch_size                         = 50
  maximum_batching_window_in_seconds = 1
  # Without it one bad message would bring back all of its batch.
  function_response_types = ["ReportBatchItemFailures"]
  scaling_config {
    # The back-pressure of the whole chain: so many invocations, 16 things at once in each, stay under what AWS IoT allows.
    maximum_concurrency = var.max_concurrency
  }
  depends_on = [aws_iam_role_policy.bridge]
}

resource "aws_iam_role" "bridge" {
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

resource "aws_iam_role_policy" "bridge" {
  name = "bridge"
  role = aws_iam_role.bridge.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "Logs"
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = "${aws_cloudwatch_log_group.bridge.arn}:*"
      },
      {
        Sid      = "Queue"
        Effect   = "Allow"
        Action   = ["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"]
        Resource = var.queue_arn
      },
      {
        Sid      = "DeadLetters"
        Effect   = "Allow"
        Action   = "sqs:SendMessage"
        Resource = var.dead_letters_arn
      },
      {
        Sid      = "Shadows"
        Effect   = "Allow"
        Action   = ["iot:GetThingShadow", "iot:UpdateThingShadow"]
        Resource = local.things
      },
      {
        Sid      = "Registry"
        Effect   = "Allow"
        Action   = ["iot:CreateThing", "iot:CreateThingType"]
        Resource = concat(local.things, [for pattern in var.thing_type_patterns : "${local.iot}:thingtype/${pattern}"])
      },
    ]
  })
}

resource "aws_cloudwatch_log_group" "bridge" {
  name              = "/aws/lambda/${local.function}"
  retention_in_days = var.log_retention_days
}
