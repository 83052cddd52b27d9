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
  mock_resource "aws_lambda_invocation" {
    defaults = { result = "{\"token\":\"once\"}" }
  }
}

variables {
  name    = "stable"
  bundle  = "../../../ops-lambda/dist/ops.zip"
  clients = { "pesebre-gateway-stable-a" = "stable-pesebre-gateway" }
}

run "secrets_stay_inside" {
  assert {
    condition     = alltrue([for statement in module.function.statements : statement.Sid == "Unnameable" || !contains(statement.Resource, "*")])
    error_message = "every resource is named that AWS lets one name"
  }
  assert {
    condition     = !strcontains(aws_lambda_invocation.setup.input, "secret")
    error_message = "no secret is handed over"
  }
  assert {
    condition     = output.setup_token == "once"
    error_message = "the token comes out"
  }
  assert {
    condition     = output.fleet_keys == "ssm:/stable/fleet-keys"
    error_message = "where the fleet keys are"
  }
}

run "refuses_a_big_number" {
  command = plan
  variables {
    probes = { stable-a = 4294967296 }
  }
  expect_failures = [var.probes]
}
