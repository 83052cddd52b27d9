# Run with the values of each folder of terraform/examples.
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

mock_provider "aws" {
  alias = "outside"
}

run "can_be_brought_up" {
  assert {
    condition     = length(output.gateways) == length(var.zones) + length(var.second_region_gateways)
    error_message = "every gateway is known"
  }
  assert {
    condition     = output.admin_link == "https://d1.cloudfront.net/setup#once"
    error_message = "the link of the first admin"
  }
}
