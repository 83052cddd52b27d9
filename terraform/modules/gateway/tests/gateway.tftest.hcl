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
  name               = "stable"
  key                = "a"
  gateway_id         = "stable-a"
  zone               = "eu-west-1a"
  subnet_id          = "subnet-1"
  security_group_ids = ["sg-1"]
  allocation_id      = "eipalloc-1"
  release            = { bucket = "b", key = "releases/gateway-x.tar.gz", sha256 = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" }
  queue_url          = "https://sqs.eu-west-1.amazonaws.com/123456789012/stable-reports"
  queue_arn          = "arn:aws:sqs:eu-west-1:123456789012:stable-reports"
  fleet_keys         = "ssm:/stable/fleet-keys"
  gateway_list       = "1:stable-a=198.51.100.7:5683"
  archive_bucket     = "stable-123456789012"
  mqtt_host          = "x-ats.iot.eu-west-1.amazonaws.com"
  mqtt_parameter     = "/stable/mqtt/pesebre-gateway-stable-a"
}

run "made" {
  assert {
    condition     = output.host == "stable-gateway-a"
    error_message = "its host"
  }
}

run "refuses_keys_in_a_file" {
  command = plan
  variables {
    fleet_keys = "/etc/keys.json"
  }
  expect_failures = [var.fleet_keys]
}

run "refuses_other_settings" {
  command = plan
  variables {
    settings = { PATH = "x" }
  }
  expect_failures = [var.settings]
}

run "refuses_a_list_without_version" {
  command = plan
  variables {
    gateway_list = "a=198.51.100.7:5683"
  }
  expect_failures = [var.gateway_list]
}
