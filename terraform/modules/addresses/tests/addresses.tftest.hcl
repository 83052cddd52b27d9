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
  name     = "stable"
  gateways = ["a", "b"]
}

run "as_many_as_gateways" {
  command = plan
  assert {
    condition     = length(aws_eip.gateway) == 2
    error_message = "an address for each gateway"
  }
  assert {
    condition     = aws_eip.gateway["a"].tags["Name"] == "stable-gateway-a"
    error_message = "found by its name"
  }
}

run "refuses_five" {
  command = plan
  variables {
    gateways = ["a", "b", "c", "d", "e"]
  }
  expect_failures = [var.gateways]
}
