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

run "two_by_default" {
  command = plan
  assert {
    condition     = length(output.addresses) == 2
    error_message = "one for each gateway"
  }
}

run "refuses_what_is_no_region" {
  command = plan
  variables {
    region = "europe"
  }
  expect_failures = [var.region]
}
