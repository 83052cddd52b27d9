# Firmware knows these addresses for ever. They are in a state of their own, and nothing that Terraform does takes them away.
resource "aws_eip" "gateway" {
  for_each = var.gateways
  domain   = "vpc"
  tags = {
    Name              = "${var.name}-gateway-${each.key}"
    "pesebre:name"    = var.name
    "pesebre:gateway" = each.key
  }
  lifecycle {
    prevent_destroy = true
  }
}
