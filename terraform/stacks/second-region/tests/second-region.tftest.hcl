mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_data "aws_region" {
    defaults = { region = "eu-central-1" }
  }
  mock_resource "aws_iam_instance_profile" {
    defaults = { arn = "arn:aws:iam::123456789012:instance-profile/stable" }
  }
  mock_resource "aws_ebs_volume" {
    defaults = { id = "vol-0123456789abcdef0", arn = "arn:aws:ec2:eu-west-1:123456789012:volume/vol-0123456789abcdef0" }
  }
  mock_data "aws_eip" {
    defaults = { id = "eipalloc-0123456789abcdef0", public_ip = "198.51.100.7" }
  }
  mock_data "aws_iot_endpoint" {
    defaults = { endpoint_address = "x-ats.iot.eu-west-1.amazonaws.com" }
  }
  mock_resource "aws_eip" {
    defaults = { allocation_id = "eipalloc-0123456789abcdef1", public_ip = "198.51.100.8" }
  }
  mock_resource "aws_lambda_invocation" {
    defaults = { result = "{\"token\":\"once\"}" }
  }
  mock_resource "aws_cloudfront_distribution" {
    defaults = { domain_name = "d1.cloudfront.net", hosted_zone_id = "Z2" }
  }
  mock_resource "aws_db_instance" {
    defaults = {
      endpoint           = "stable-web.x.eu-west-1.rds.amazonaws.com:3306"
      master_user_secret = [{ secret_arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:rds-1" }]
    }
  }
  mock_resource "aws_sqs_queue" {
    defaults = { url = "https://sqs.eu-west-1.amazonaws.com/123456789012/queue" }
  }
}

override_resource {
  target = module.second_region.module.queue.aws_sqs_queue.reports
  values = { arn = "arn:aws:sqs:eu-central-1:123456789012:stable-reports", url = "https://sqs.eu-central-1.amazonaws.com/123456789012/stable-reports" }
}

variables {
  region = "eu-central-1"
  zones  = { c = "eu-central-1a" }
  home = {
    name         = "stable"
    region       = "eu-west-1"
    queue_url    = "https://sqs.eu-west-1.amazonaws.com/123456789012/stable-reports"
    queue_arn    = "arn:aws:sqs:eu-west-1:123456789012:stable-reports"
    fleet_keys   = "ssm:/stable/fleet-keys"
    gateway_list = "1:stable-a=198.51.100.7:5683"
    bucket       = "stable-123456789012"
    iot_endpoint = "x-ats.iot.eu-west-1.amazonaws.com"
    release = {
      bucket = "stable-123456789012"
      key    = "releases/gateway-x.tar.gz"
      sha256 = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
    }
  }
}

run "one_gateway_away" {
  assert {
    condition     = output.gateways["stable-c"] == "coap://198.51.100.7:5683"
    error_message = "an id of its own, at its own address"
  }
}

run "refuses_the_same_region" {
  command = plan
  variables {
    region = "eu-west-1"
    zones  = { c = "eu-west-1a" }
  }
  expect_failures = [var.region]
}
