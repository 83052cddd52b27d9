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
  name             = "stable"
  bundle           = "../../../ops-lambda/dist/ops.zip"
  home_region      = "us-east-1"
  secret_parameter = "/stable/probe"
  iot_endpoint     = "x-ats.iot.us-east-1.amazonaws.com"
  gateways         = { "stable-a" = { host = "198.51.100.7", port = 5683, thing = "test-00000001" }, "stable-b" = { host = "198.51.100.8", port = 5683, thing = "test-00000002" } }
}

run "asks_every_gateway" {
  assert {
    condition     = length(aws_cloudwatch_metric_alarm.outside) == 2 && length(aws_cloudwatch_event_rule.each_minute) == 2
    error_message = "an alarm for each address"
  }
  assert {
    condition     = alltrue([for alarm in aws_cloudwatch_metric_alarm.outside : alarm.treat_missing_data == "breaching"])
    error_message = "a silent probe is no good news"
  }
  assert {
    condition     = alltrue([for statement in module.function.statements : !contains(statement.Resource, "*")])
    error_message = "every resource is named"
  }
}

run "refuses_another_thing" {
  command = plan
  variables {
    gateways = { "stable-a" = { host = "198.51.100.7", port = 5683, thing = "feeder-00000001" } }
  }
  expect_failures = [var.gateways]
}
