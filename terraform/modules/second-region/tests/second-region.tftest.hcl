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
  mock_resource "aws_iam_instance_profile" {
    defaults = { arn = "arn:aws:iam::123456789012:instance-profile/stable" }
  }
  mock_resource "aws_ebs_volume" {
    defaults = { id = "vol-0123456789abcdef0", arn = "arn:aws:ec2:eu-west-1:123456789012:volume/vol-0123456789abcdef0" }
  }
}

variables {
  name           = "stable"
  home_region    = "us-east-1"
  bundle         = "../../../ops-lambda/dist/ops.zip"
  home_queue_url = "https://sqs.us-east-1.amazonaws.com/123456789012/stable-reports"
  home_queue_arn = "arn:aws:sqs:us-east-1:123456789012:stable-reports"
  addresses      = { c = { allocation_id = "eipalloc-3", public_ip = "198.51.100.9" } }
  zones          = { c = "eu-west-1a" }
  id_prefix      = "stable-"
  release        = { bucket = "b", key = "releases/gateway-x.tar.gz", sha256 = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" }
  fleet_keys     = "ssm:/stable/fleet-keys"
  gateway_list   = "1:stable-a=198.51.100.7:5683"
  archive_bucket = "stable-123456789012"
  mqtt_host      = "x-ats.iot.us-east-1.amazonaws.com"
}

run "moves_reports_home" {
  assert {
    condition     = one([for statement in module.function.statements : statement.Resource if statement.Sid == "HomeQueue"])[0] == "arn:aws:sqs:us-east-1:123456789012:stable-reports"
    error_message = "to the queue of the first region"
  }
  assert {
    condition     = contains(aws_lambda_event_source_mapping.reports.function_response_types, "ReportBatchItemFailures")
    error_message = "one refusal does not bring back the others"
  }
  assert {
    condition     = alltrue([for statement in module.function.statements : !contains(statement.Resource, "*")])
    error_message = "every resource is named"
  }
  assert {
    condition     = output.gateway_ids["c"] == "stable-c"
    error_message = "an id of its own"
  }
}

run "refuses_four" {
  command = plan
  variables {
    addresses = { c = { allocation_id = "eipalloc-3", public_ip = "1" }, d = { allocation_id = "eipalloc-4", public_ip = "2" }, e = { allocation_id = "eipalloc-5", public_ip = "3" }, f = { allocation_id = "eipalloc-6", public_ip = "4" } }
    zones     = { c = "eu-west-1a", d = "eu-west-1a", e = "eu-west-1a", f = "eu-west-1a" }
  }
  expect_failures = [var.addresses]
}
