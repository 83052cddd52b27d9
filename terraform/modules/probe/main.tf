data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

locals {
  function = "${var.name}-probe"
  account  = data.aws_caller_identity.current.account_id
}

# One function asks every gateway in turn, and says which one is broken; each gateway has an alarm of its own.
resource "aws_lambda_function" "probe" {
  function_name    = local.function
  description      = "A device from outside: one check-in with each gateway, and whether it comes out in its shadow"
  role             = aws_iam_role.probe.arn
  runtime          = "nodejs24.x"
  architectures    = ["arm64"]
  handler          = "probe.handler"
  filename         = var.bundle
  source_code_hash = filebase64sha256(var.bundle)
  memory_size      = 256
  timeout          = 60
  environment {
    variables = {
      PESEBRE_PROBE_PARAMETER = var.secret_parameter
      PESEBRE_HOME_REGION     = var.home_region
      PESEBRE_IOT_ENDPOINT    = "https://${var.iot_endpoint}"
      PESEBRE_INSTALLATION    = var.name
    }
  }
  logging_config {
    log_format = "Text"
    log_group  = aws_cloudwatch_log_group.probe.name
  }
}

resource "aws_cloudwatch_event_rule" "each_minute" {
  for_each            = var.gateways
  name                = "${local.function}-${each.key}"
  description         = "Asks gateway ${each.key}"
  schedule_expression = var.minutes == 1 ? "rate(1 minute)" : "rate(${var.minutes} minutes)"
}

resource "aws_cloudwatch_event_target" "probe" {
  for_each = var.gateways
  rule     = aws_cloudwatch_event_rule.each_minute[each.key].name
  arn      = aws_lambda_function.probe.arn
  input    = jsonencode({ id = each.key, host = each.value.host, port = each.value.port })
}

resource "aws_lambda_permission" "schedule" {
  for_each      = var.gateways
  statement_id  = "schedule-${each.key}"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.probe.function_name
  principal     = "events.amazonaws.com"
  source_arn    = aws_cloudwatch_event_rule.each_minute[each.key].arn
}

resource "aws_sns_topic" "operator" {
  name = "${var.name}-probe"
}

resource "aws_sns_topic_subscription" "operator" {
  for_each  = var.emails
  topic_arn = aws_sns_topic.operator.arn
  protocol  = "email"
  endpoint  = each.key
}

resource "aws_cloudwatch_metric_alarm" "outside" {
  for_each            = var.gateways
  alarm_name          = "${var.name}-outside-${each.key}"
  alarm_description   = "Gateway ${each.key} cannot be used from outside. What to do: docs/operations.md, \"outside\""
  namespace           = "Pesebre"
  metric_name         = "ProbeOk"
  dimensions          = { Installation = var.name, Gateway = each.key }
  statistic           = "Minimum"
  comparison_operator = "LessThanThreshold"
  threshold           = 1
  period              = 60 * var.minutes
  evaluation_periods  = 3
  datapoints_to_alarm = 2
  # A probe that says nothing is no good news.
  treat_missing_data = "breaching"
  alarm_actions      = [aws_sns_topic.operator.arn]
  ok_actions         = [aws_sns_topic.operator.arn]
}

resource "aws_iam_role" "probe" {
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

resource "aws_iam_role_policy" "probe" {
  name = "probe"
  role = aws_iam_role.probe.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "Logs"
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = "${aws_cloudwatch_log_group.probe.arn}:*"
      },
      {
        Sid      = "OwnKeys"
        Effect   = "Allow"
        Action   = "ssm:GetParameter"
        Resource = "arn:${data.aws_partition.current.partition}:ssm:${var.home_region}:${local.account}:parameter${var.secret_parameter}/*"
      },
      {
        Sid      = "OwnShadows"
        Effect   = "Allow"
        Action   = "iot:GetThingShadow"
        Resource = [for gateway in var.gateways : "arn:${data.aws_partition.current.partition}:iot:${var.home_region}:${local.account}:thing/${gateway.thing}"]
      },
    ]
  })
}

resource "aws_cloudwatch_log_group" "probe" {
  name              = "/aws/lambda/${local.function}"
  retention_in_days = var.log_retention_days
}
