# Applied once in the life of an installation, and in a state of its own: firmware knows these addresses for ever.
locals {
  tags = merge({ "pesebre:name" = var.name }, var.tags)
}

provider "aws" {
  region = var.region
  default_tags {
    tags = local.tags
  }
}

module "addresses" {
  source   = "../../modules/addresses"
  name     = var.name
  gateways = var.gateways
}
