data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}

locals {
  function = "${var.name}-probe"
  home     = "${var.home_region}:${data.aws_caller_identity.current.account_id}"
}

# One function asks every gateway in turn, and says which one is broken; each gateway has an alarm of its own.
module "function" {
  source             = "../lambda"
  name               = var.name
  function           = "probe"
  description        = "A device from outside: one check-in with each gateway, and whether it comes out in its shadow"
  bundle             = var.bundle
  handler            = "probe.handler"
  memory_mb          = 256
  timeout_seconds    = 60
  log_retention_days = var.log_retention_days
  environment = {
    PESEBRE_PROBE_PARAMETER = var.secret_parameter
    PESEBRE_HOME_REGION     = var.home_region
    PESEBRE_IOT_ENDPOINT    = "https://${var.iot_endpoint}"
    PESEBRE_INSTALLATION    = var.name
  }
  statements = [
    {
      sid       = "OwnKeys"
      actions   = ["ssm:GetParameter"]
      resources = ["arn:${data.aws_partition.current.partition}:ssm:${local.home}:parameter${var.secret_parameter}/*"]
    },
    {
      sid       = "OwnShadows"
      actions   = ["iot:GetThingShadow"]
      resources = [for gateway in var.gateways : "arn:${data.aws_partition.current.partition}:iot:${local.home}:thing/${gateway.thing}"]
    },
  ]
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
  arn      = module.function.arn
  input    = jsonencode({ id = each.key, host = each.value.host, port = each.value.port })
}

resource "aws_lambda_permission" "schedule" {
  for_each      = var.gateways
  statement_id  = "schedule-${each.key}"
  action        = "lambda:InvokeFunction"
  function_name = module.function.name
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
