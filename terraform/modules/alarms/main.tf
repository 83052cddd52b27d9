data "aws_caller_identity" "current" {}
data "aws_region" "current" {}

locals {
  # A filter of logs can give a metric no dimension that is not in the line: so each installation has a namespace of its own.
  own = "Pesebre/${var.name}"
  # One alarm each; docs/operations.md says under the same name what to do.
  alarms = merge(
    {
      reports-late = {
        text       = "Reports wait for the bridge for more than two minutes", namespace = "AWS/SQS", metric = "ApproximateAgeOfOldestMessage"
        dimensions = { QueueName = var.queue_name }, statistic = "Maximum", over = 120, minutes = 3, missing = "notBreaching"
      }
      dead-letters = {
        text       = "Something is in the dead-letter queue", namespace = "AWS/SQS", metric = "ApproximateNumberOfMessagesVisible"
        dimensions = { QueueName = var.dead_letters_name }, statistic = "Maximum", over = 0, minutes = 1, missing = "notBreaching"
      }
      bridge-errors = {
        text       = "The bridge fails", namespace = "AWS/Lambda", metric = "Errors"
        dimensions = { FunctionName = var.bridge_name }, statistic = "Sum", over = 0, minutes = 3, missing = "notBreaching"
      }
      bridge-throttled = {
        text       = "AWS Lambda holds the bridge back", namespace = "AWS/Lambda", metric = "Throttles"
        dimensions = { FunctionName = var.bridge_name }, statistic = "Sum", over = 0, minutes = 5, missing = "notBreaching"
      }
      iot-throttled = {
        text       = "AWS IoT holds the bridge back", namespace = local.own, metric = "IotThrottled"
        dimensions = {}, statistic = "Sum", over = 0, minutes = 5, missing = "notBreaching"
      }
    },
    merge([for host in var.gateway_hosts : {
      "${host}-silent" = {
        text       = "${host} says nothing", namespace = "Pesebre", metric = "NotReady"
        dimensions = { Host = host }, statistic = "Maximum", over = 0, minutes = 5, missing = "breaching"
      }
      "${host}-datagrams-lost" = {
        text       = "The kernel of ${host} throws datagrams away", namespace = "Pesebre", metric = "UdpReceiveErrors"
        dimensions = { Host = host }, statistic = "Sum", over = 0, minutes = 3, missing = "notBreaching"
      }
      "${host}-network" = {
        text       = "The network of ${host} is at its allowance", namespace = "Pesebre", metric = "AllowanceExceeded"
        dimensions = { Host = host }, statistic = "Sum", over = 0, minutes = 3, missing = "notBreaching"
      }
      "${host}-disk" = {
        text       = "The disk with the journal of ${host} is over 80 % full", namespace = "Pesebre", metric = "JournalDiskUsed"
        dimensions = { Host = host }, statistic = "Maximum", over = 80, minutes = 3, missing = "notBreaching"
      }
    }]...),
    var.web_host == "" ? {} : {
      web-silent = {
        text       = "The web app is not ready, or its host says nothing", namespace = "Pesebre", metric = "WebNotReady"
        dimensions = { Host = var.web_host }, statistic = "Maximum", over = 0, minutes = 5, missing = "breaching"
      }
      feed-overdue = {
        text       = "A command to feed is past its time, and nobody knows what became of it", namespace = "Pesebre", metric = "FeedsOverdue"
        dimensions = { Host = var.web_host }, statistic = "Maximum", over = 0, minutes = 3, missing = "notBreaching"
      }
      feed-failed = {
        text       = "A feeder is jammed, or was interrupted", namespace = "Pesebre", metric = "FeedsFailed"
        dimensions = { Host = var.web_host }, statistic = "Maximum", over = 0, minutes = 1, missing = "notBreaching"
      }
    },
  )
}

resource "aws_sns_topic" "operator" {
  name = "${var.name}-operator"
}

resource "aws_sns_topic_policy" "operator" {
  arn = aws_sns_topic.operator.arn
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "Alarms"
      Effect    = "Allow"
      Principal = { Service = "cloudwatch.amazonaws.com" }
      Action    = "sns:Publish"
      Resource  = aws_sns_topic.operator.arn
      Condition = { StringEquals = { "aws:SourceAccount" = data.aws_caller_identity.current.account_id } }
    }]
  })
}

resource "aws_sns_topic_subscription" "operator" {
  for_each  = var.emails
  topic_arn = aws_sns_topic.operator.arn
  protocol  = "email"
  endpoint  = each.key
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each            = local.alarms
  alarm_name          = "${var.name}-${trimprefix(each.key, "${var.name}-")}"
  alarm_description   = "${each.value.text}. What to do: docs/operations.md, \"${each.key}\""
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  dimensions          = each.value.dimensions
  statistic           = each.value.statistic
  comparison_operator = "GreaterThanThreshold"
  threshold           = each.value.over
  period              = 60
  evaluation_periods  = each.value.minutes
  datapoints_to_alarm = each.value.minutes
  treat_missing_data  = each.value.missing
  alarm_actions       = [aws_sns_topic.operator.arn]
  ok_actions          = [aws_sns_topic.operator.arn]
}

resource "aws_cloudwatch_log_metric_filter" "iot_throttled" {
  name           = "${var.name}-iot-throttled"
  log_group_name = var.bridge_log_group
  pattern        = "?ThrottlingException ?TooManyRequestsException ?LimitExceededException"
  metric_transformation {
    namespace = local.own
    name      = "IotThrottled"
    value     = "1"
  }
}

resource "aws_cloudwatch_dashboard" "this" {
  dashboard_name = var.name
  dashboard_body = jsonencode({
    widgets = [for index, widget in concat(
      [
        { title = "Alarms", type = "alarm", properties = { alarms = [for alarm in aws_cloudwatch_metric_alarm.this : alarm.arn] } },
        { title = "Age of the oldest report, s", type = "metric", properties = { stat = "Maximum", metrics = [["AWS/SQS", "ApproximateAgeOfOldestMessage", "QueueName", var.queue_name]] } },
        { title = "Messages", type = "metric", properties = { stat = "Sum", metrics = [["AWS/SQS", "NumberOfMessagesSent", "QueueName", var.queue_name], [".", "NumberOfMessagesDeleted", ".", "."]] } },
        { title = "Dead letters", type = "metric", properties = { stat = "Maximum", metrics = [["AWS/SQS", "ApproximateNumberOfMessagesVisible", "QueueName", var.dead_letters_name]] } },
        { title = "Bridge, ms", type = "metric", properties = { stat = "p99", metrics = [["AWS/Lambda", "Duration", "FunctionName", var.bridge_name]] } },
      ],
      [for metric in ["JournalDiskUsed", "UdpReceiveErrors", "AllowanceExceeded", "NotReady"] : {
        title = metric, type = "metric", properties = { stat = "Maximum", metrics = [for host in var.gateway_hosts : ["Pesebre", metric, "Host", host]] }
      }],
      ) : {
      type       = widget.type
      x          = (index % 2) * 12
      y          = floor(index / 2) * 6
      width      = 12
      height     = 6
      properties = merge({ title = widget.title, region = data.aws_region.current.region }, widget.properties)
    }]
  })
}
