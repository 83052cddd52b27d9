data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

locals {
  iot = "arn:${data.aws_partition.current.partition}:iot:${data.aws_region.current.region}:${data.aws_caller_identity.current.account_id}"
}

locals {
  # Made of contract/src/policies.ts; a test compares the two.
  documents = jsondecode(replace(file("${path.module}/policies.json"), "REGION", data.aws_region.current.region))
  # The name by which the web server attaches it (contract/src/policies.ts, POLICIES), and before it the installation's.
  prefix = var.name == "pesebre" ? "" : "${var.name}-"
}

# A thing type can only be deleted five minutes after it was deprecated, and another installation may use it: so it stays when
# the installation goes. The bridge makes those that are missing here.
resource "aws_iot_thing_type" "kind" {
  for_each = var.make_thing_types ? toset(["feeder", "camera", "waterer", "sensor", "test"]) : toset([])
  name     = each.key
  properties {
    description = "Pesebre: ${each.key}"
  }
}

resource "aws_iot_policy" "kind" {
  for_each = local.documents
  name     = "${local.prefix}pesebre-${each.key}"
  policy   = jsonencode(each.value)
}

# The thing of each gateway: its lease, and the name of its MQTT connection.
resource "aws_iot_thing" "gateway" {
  for_each = var.gateway_ids
  name     = "pesebre-gateway-${each.key}"
}

resource "aws_iot_thing" "web" {
  count = var.make_web_thing ? 1 : 0
  name  = var.web_thing
}

data "aws_iot_endpoint" "data" {
  endpoint_type = "iot:Data-ATS"
}
