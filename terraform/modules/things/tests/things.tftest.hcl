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
  name        = "stable"
  gateway_ids = ["stable-a", "stable-b"]
}

run "one_policy_for_each_kind" {
  command = plan
  assert {
    condition     = join(" ", sort(keys(aws_iot_policy.kind))) == "camera feeder gateway web"
    error_message = "the kinds of contract/src/policies.ts"
  }
  assert {
    condition     = aws_iot_policy.kind["camera"].name == "stable-pesebre-camera"
    error_message = "under the name of the installation"
  }
  assert {
    condition     = alltrue([for policy in aws_iot_policy.kind : jsondecode(policy.policy).Statement[0].Resource[0] == "arn:aws:iot:eu-west-1:*:client/$${iot:Connection.Thing.ThingName}"])
    error_message = "everybody connects as its own thing"
  }
  assert {
    condition     = output.web_thing == "pesebre-web-stable"
    error_message = "a web server of each installation"
  }
  assert {
    condition     = length(aws_iot_thing.gateway) == 2 && length(aws_iot_thing_type.kind) == 5
    error_message = "things of gateways, and the types"
  }
}

run "a_second_installation" {
  command = plan
  variables {
    make_thing_types = false
  }
  assert {
    condition     = length(aws_iot_thing_type.kind) == 0
    error_message = "types are those of the first"
  }
}

run "refuses_a_long_id" {
  command = plan
  variables {
    gateway_ids = ["an-id-longer-than-16"]
  }
  expect_failures = [var.gateway_ids]
}
