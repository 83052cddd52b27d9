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
}

variables {
  name              = "stable"
  emails            = ["operator@example.org"]
  queue_name        = "stable-reports"
  dead_letters_name = "stable-reports-dlq"
  bridge_name       = "stable-bridge"
  bridge_log_group  = "/aws/lambda/stable-bridge"
  gateway_hosts     = ["stable-gateway-a", "stable-gateway-b"]
  web_host          = "stable-gateway-a"
}

run "wake_somebody" {
  assert {
    condition     = aws_cloudwatch_metric_alarm.this["dead-letters"].threshold == 0 && aws_cloudwatch_metric_alarm.this["dead-letters"].dimensions["QueueName"] == "stable-reports-dlq"
    error_message = "anything in the dead-letter queue"
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.this["reports-late"].threshold == 120
    error_message = "reports older than two minutes"
  }
  assert {
    condition     = alltrue([for alarm in aws_cloudwatch_metric_alarm.this : contains(alarm.alarm_actions, aws_sns_topic.operator.arn)])
    error_message = "every alarm tells somebody"
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.this["stable-gateway-b-silent"].treat_missing_data == "breaching"
    error_message = "a silent host is an alarm"
  }
  assert {
    condition     = length(aws_cloudwatch_metric_alarm.this) == 16
    error_message = "five of the chain, four of each host, three of the web server"
  }
  assert {
    condition     = jsondecode(aws_sns_topic_policy.operator.policy).Statement[0].Condition.StringEquals["aws:SourceAccount"] == "123456789012"
    error_message = "only alarms of this account"
  }
  assert {
    condition     = length(aws_sns_topic_subscription.operator) == 1
    error_message = "one person"
  }
  assert {
    condition     = length(jsondecode(aws_cloudwatch_dashboard.this.dashboard_body).widgets) == 9
    error_message = "the dashboard"
  }
}

run "the_filter_makes_the_metric_that_the_alarm_looks_at" {
  command = plan
  assert {
    condition = (
      aws_cloudwatch_metric_alarm.this["iot-throttled"].namespace == aws_cloudwatch_log_metric_filter.iot_throttled.metric_transformation[0].namespace
      && aws_cloudwatch_metric_alarm.this["iot-throttled"].metric_name == aws_cloudwatch_log_metric_filter.iot_throttled.metric_transformation[0].name
      && length(aws_cloudwatch_metric_alarm.this["iot-throttled"].dimensions) == 0
    )
    error_message = "without dimensions, since a filter of text can give it none"
  }
}

run "refuses_what_is_no_address" {
  command = plan
  variables {
    emails = ["operator"]
  }
  expect_failures = [var.emails]
}
