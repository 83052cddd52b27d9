mock_provider "aws" {
  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/stable-bridge" }
  }
}

variables {
  name               = "stable"
  function           = "bridge"
  description        = "Carries reports from the queue into shadows"
  bundle             = "../../../bridge-lambda/dist/bridge.zip"
  handler            = "handler.handler"
  environment        = { PESEBRE_DLQ_URL = "https://sqs.eu-west-1.amazonaws.com/123456789012/stable-reports-dlq" }
  memory_mb          = 256
  timeout_seconds    = 30
  statements         = [{ sid = "Send", actions = ["sqs:SendMessage"], resources = ["arn:aws:sqs:eu-west-1:123456789012:stable-reports-dlq"] }]
  unnameable_actions = ["iot:CreateKeysAndCertificate"]
}

run "under_one_name" {
  assert {
    condition     = alltrue([for name in [aws_lambda_function.this.function_name, aws_iam_role.this.name] : name == "stable-bridge"]) && aws_cloudwatch_log_group.this.name == "/aws/lambda/stable-bridge"
    error_message = "function, role and logs belong together"
  }
  assert {
    condition     = aws_lambda_function.this.runtime == "nodejs24.x" && one(aws_lambda_function.this.architectures) == "arm64"
    error_message = "on Arm, with the Node that the tests run on"
  }
  assert {
    condition     = aws_cloudwatch_log_group.this.retention_in_days == 30
    error_message = "logs are not kept for ever"
  }
  assert {
    condition     = alltrue([for statement in output.statements : contains(["Unnameable"], statement.Sid) || !contains(statement.Resource, "*")])
    error_message = "every resource is named that AWS lets one name"
  }
  assert {
    condition     = output.statements[0].Resource[0] == "arn:aws:logs:eu-west-1:123456789012:log-group:/aws/lambda/stable-bridge:*"
    error_message = "its own logs"
  }
}

run "needs_nothing_unnameable" {
  command = plan
  variables {
    unnameable_actions = []
  }
  assert {
    condition     = aws_iam_role_policy.this.name == "bridge"
    error_message = "the policy of the function"
  }
}

run "refuses_all_resources" {
  command = plan
  variables {
    statements = [{ sid = "All", actions = ["sqs:SendMessage"], resources = ["*"] }]
  }
  expect_failures = [var.statements]
}

run "refuses_all_actions" {
  command = plan
  variables {
    unnameable_actions = ["iot:*"]
  }
  expect_failures = [var.unnameable_actions]
}

run "refuses_a_missing_bundle" {
  command = plan
  variables {
    bundle = "nowhere.zip"
  }
  expect_failures = [var.bundle]
}
