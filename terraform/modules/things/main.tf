data "aws_region" "current" {}

locals {
  # Made of contract/src/policies.ts; a test compares the two.
  documents = jsondecode(replace(file("${path.module}/policies.json"), "REGION", data.aws_region.current.region))
  # The name by which the web server attaches it (contract/src/policies.ts, POLICIES), and before it the installation's.
  prefix = var.name == "pesebre" ? "" : "${var.name}-"
}

# Shared by all installations of an account and region, on purpose: a type says what a device is, not whose. The first makes
# them; whatever is missing, the bridge and the web server make. Before that one goes: docs/operations.md, "Taking an
# installation down".
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

# The thing of each gateway: its lease, and the name of its MQTT connection. Ids of gateways begin with the installation's name.
resource "aws_iot_thing" "gateway" {
  for_each = var.gateway_ids
  name     = "pesebre-gateway-${each.key}"
}

# The name of the web server's MQTT connection (PESEBRE_WEB_THING): who connects under the name of another cuts it off.
resource "aws_iot_thing" "web" {
  count = var.make_web_thing ? 1 : 0
  name  = "pesebre-web-${var.name}"
}

data "aws_iot_endpoint" "data" {
  endpoint_type = "iot:Data-ATS"
}
