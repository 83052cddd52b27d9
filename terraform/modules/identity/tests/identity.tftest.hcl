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
  name          = "stable"
  domain_prefix = "stable-example"
  web_url       = "https://d1.cloudfront.net"
}

run "without_a_secret" {
  command = plan
  assert {
    condition     = !aws_cognito_user_pool_client.web.generate_secret
    error_message = "a public client: no secret in a state"
  }
  assert {
    condition     = contains(aws_cognito_user_pool_client.web.callback_urls, "https://d1.cloudfront.net/api/oidc/callback")
    error_message = "the callback of the web server"
  }
  assert {
    condition     = aws_cognito_user_pool.this.deletion_protection == "ACTIVE"
    error_message = "people are not lost"
  }
}

run "refuses_a_prefix_that_aws_refuses" {
  command = plan
  variables {
    domain_prefix = "my-aws-stable"
  }
  expect_failures = [var.domain_prefix]
}

run "refuses_a_path" {
  command = plan
  variables {
    web_url = "https://d1.cloudfront.net/app"
  }
  expect_failures = [var.web_url]
}
