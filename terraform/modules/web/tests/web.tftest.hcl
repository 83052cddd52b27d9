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
  mock_resource "aws_cloudfront_distribution" {
    defaults = { domain_name = "d1.cloudfront.net", hosted_zone_id = "Z2" }
  }
}

variables {
  name                  = "stable"
  release               = { bucket = "b", key = "releases/gateway-x.tar.gz", sha256 = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" }
  origin_ip             = "198.51.100.7"
  role_name             = "stable-gateway-a"
  bucket                = "stable-123456789012"
  fleet_keys            = "ssm:/stable/fleet-keys"
  gateway_list          = "1:stable-a=198.51.100.7:5683"
  thing                 = "pesebre-web-stable"
  queue_url             = "https://sqs.eu-west-1.amazonaws.com/123456789012/stable-reports"
  queue_arn             = "arn:aws:sqs:eu-west-1:123456789012:stable-reports"
  dead_letters_url      = "https://sqs.eu-west-1.amazonaws.com/123456789012/stable-reports-dlq"
  dead_letters_arn      = "arn:aws:sqs:eu-west-1:123456789012:stable-reports-dlq"
  mqtt_host             = "x-ats.iot.eu-west-1.amazonaws.com"
  mqtt_parameter        = "/stable/mqtt/pesebre-web-stable"
  setup_token_parameter = "/stable/web/setup-token"
}

run "behind_cloudfront" {
  assert {
    condition     = output.url == "https://d1.cloudfront.net"
    error_message = "reached over TLS, with nothing to look after"
  }
  assert {
    condition     = one(aws_cloudfront_distribution.web.origin).domain_name == "ec2-198-51-100-7.eu-west-1.compute.amazonaws.com"
    error_message = "the name of its address"
  }
  assert {
    condition     = aws_cloudfront_distribution.web.default_cache_behavior[0].viewer_protocol_policy == "redirect-to-https"
    error_message = "never without TLS"
  }
  assert {
    condition     = alltrue([for statement in output.statements : !contains(statement.resources, "*")])
    error_message = "every resource is named"
  }
  assert {
    condition     = one([for statement in output.statements : join(" ", [for resource in statement.resources : split("thing/", resource)[1]]) if statement.sid == "ReadShadows"]) == "feeder-* waterer-* sensor-* camera-* test-* pesebre-gateway-stable-*"
    error_message = "sees its devices, and the leases of its own gateways"
  }
  assert {
    condition     = one([for statement in output.statements : join(" ", [for resource in statement.resources : split("thing/", resource)[1]]) if statement.sid == "WriteShadows"]) == "feeder-* waterer-* sensor-*"
    error_message = "writes to what takes commands, and to no gateway"
  }
  assert {
    condition     = output.service.environment["PESEBRE_WEB_THING"] == "pesebre-web-stable"
    error_message = "connects under a name of its own"
  }
  assert {
    condition     = output.service.environment["PESEBRE_WEB_URL"] == "https://d1.cloudfront.net"
    error_message = "knows where it is"
  }
}

run "may_look_at_other_things_that_are_named" {
  command = plan
  variables {
    shown_things = ["demo-*"]
  }
  assert {
    condition     = join(" ", [for statement in output.statements : statement.sid if anytrue([for resource in statement.resources : endswith(resource, "thing/demo-*")])]) == "ReadShadows KnowThings"
    error_message = "and do nothing else to them"
  }
}

run "under_its_own_name" {
  command = plan
  variables {
    domain          = "stable.example"
    certificate_arn = "arn:aws:acm:us-east-1:123456789012:certificate/1"
    route53_zone_id = "Z1"
  }
  assert {
    condition     = contains(aws_cloudfront_distribution.web.aliases, "stable.example")
    error_message = "the name"
  }
  assert {
    condition     = length(aws_route53_record.web) == 2
    error_message = "IPv4 and IPv6"
  }
}

run "refuses_a_name_without_certificate" {
  command = plan
  variables {
    domain = "stable.example"
  }
  expect_failures = [var.certificate_arn]
}
