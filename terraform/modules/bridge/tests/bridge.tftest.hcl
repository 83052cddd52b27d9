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
  bundle           = "../../../bridge-lambda/dist/bridge.zip"
  queue_arn        = "arn:aws:sqs:eu-west-1:123456789012:stable-reports"
  dead_letters_arn = "arn:aws:sqs:eu-west-1:123456789012:stable-reports-dlq"
  dead_letters_url = "https://sqs.eu-west-1.amazonaws.com/123456789012/stable-reports-dlq"
}

run "repeats_only_what_failed" {
  assert {
    condition     = contains(aws_lambda_event_source_mapping.reports.function_response_types, "ReportBatchItemFailures")
    error_message = "one bad message does not bring back its batch"
  }
  assert {
    condition     = aws_lambda_event_source_mapping.reports.scaling_config[0].maximum_concurrency == 4
    error_message = "AWS IoT is not overrun"
  }
  assert {
    condition     = output.function_name == "stable-bridge" && output.log_group == "/aws/lambda/stable-bridge"
    error_message = "under the name of the installation"
  }
  assert {
    condition     = alltrue([for statement in module.function.statements : !contains(flatten([statement.Resource]), "*")])
    error_message = "every resource is named"
  }
  assert {
    condition     = one([for statement in module.function.statements : statement.Resource if statement.Sid == "Shadows"])[0] == "arn:aws:iot:eu-west-1:123456789012:thing/feeder-*"
    error_message = "only shadows of devices"
  }
}

run "refuses_all_things" {
  command = plan
  variables {
    thing_patterns = ["*"]
  }
  expect_failures = [var.thing_patterns]
}

run "refuses_a_missing_bundle" {
  command = plan
  variables {
    bundle = "nowhere.zip"
  }
  expect_failures = [var.bundle]
}

run "refuses_concurrency_of_one" {
  command = plan
  variables {
    max_concurrency = 1
  }
  expect_failures = [var.max_concurrency]
}
