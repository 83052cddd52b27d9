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
  name  = "stable"
  zones = ["eu-west-1a", "eu-west-1b"]
}

run "open_for_coap_only" {
  assert {
    condition     = aws_vpc_security_group_ingress_rule.coap.ip_protocol == "udp" && aws_vpc_security_group_ingress_rule.coap.from_port == 5683 && aws_vpc_security_group_ingress_rule.coap.to_port == 5683
    error_message = "only CoAP comes in from the world"
  }
  assert {
    condition     = aws_vpc_security_group_ingress_rule.coap.cidr_ipv4 == "0.0.0.0/0" && aws_vpc_security_group_egress_rule.gateway.cidr_ipv4 == "0.0.0.0/0" && aws_vpc_security_group_egress_rule.gateway.ip_protocol == "-1"
    error_message = "open in and open out: AWS tracks no connections then"
  }
  assert {
    condition     = alltrue([for rule in [aws_vpc_security_group_ingress_rule.coap, aws_vpc_security_group_ingress_rule.web] : rule.from_port > 22 || rule.to_port < 22])
    error_message = "no port 22"
  }
  assert {
    condition     = aws_vpc_security_group_ingress_rule.web.prefix_list_id == data.aws_ec2_managed_prefix_list.cloudfront.id
    error_message = "the web server is reached through CloudFront only"
  }
  assert {
    condition     = length(aws_subnet.public) == 2 && length(distinct([for subnet in aws_subnet.public : subnet.cidr_block])) == 2
    error_message = "a subnet in each zone"
  }
}

run "a_zone_that_goes_moves_no_other" {
  command = plan
  variables {
    zones = ["eu-west-1c", "eu-west-1b"]
  }
  assert {
    condition     = aws_subnet.public["eu-west-1b"].cidr_block == "10.83.1.0/24" && aws_subnet.public["eu-west-1c"].cidr_block == "10.83.2.0/24"
    error_message = "the subnet of a zone has always the same addresses"
  }
}

run "refuses_a_small_network" {
  command = plan
  variables {
    cidr = "10.0.0.0/24"
  }
  expect_failures = [var.cidr]
}

run "refuses_a_zone_twice" {
  command = plan
  variables {
    zones = ["eu-west-1a", "eu-west-1a"]
  }
  expect_failures = [var.zones]
}

run "refuses_a_long_name" {
  command = plan
  variables {
    name = "a-name-that-is-too-long"
  }
  expect_failures = [var.name]
}
