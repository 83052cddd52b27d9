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
  name = "stable"
}

run "keeps_what_fails" {
  assert {
    condition     = jsondecode(aws_sqs_queue.reports.redrive_policy).deadLetterTargetArn == aws_sqs_queue.dead_letters.arn
    error_message = "there is a dead-letter queue"
  }
  assert {
    condition     = jsondecode(aws_sqs_queue.reports.redrive_policy).maxReceiveCount == 50
    error_message = "an outage of AWS IoT does not fill it"
  }
  assert {
    condition     = aws_sqs_queue.reports.visibility_timeout_seconds >= 6 * var.consumer_timeout_seconds
    error_message = "visibility at least six times the timeout"
  }
  assert {
    condition     = aws_sqs_queue.dead_letters.message_retention_seconds > aws_sqs_queue.reports.message_retention_seconds
    error_message = "dead letters are kept longer"
  }
  assert {
    condition     = aws_sqs_queue.reports.sqs_managed_sse_enabled && aws_sqs_queue.dead_letters.sqs_managed_sse_enabled
    error_message = "encrypted"
  }
  assert {
    condition     = alltrue([for policy in aws_sqs_queue_policy.tls : jsondecode(policy.policy).Statement[0].Effect == "Deny"])
    error_message = "TLS only"
  }
}

run "refuses_a_short_visibility" {
  command = plan
  variables {
    visibility_seconds = 100
  }
  expect_failures = [var.visibility_seconds]
}

run "refuses_few_receives" {
  command = plan
  variables {
    max_receive_count = 5
  }
  expect_failures = [var.max_receive_count]
}

run "refuses_long_retention" {
  command = plan
  variables {
    retention_days = 14
  }
  expect_failures = [var.retention_days]
}
