locals {
  tags = merge({ "pesebre:name" = var.home.name }, var.tags)
}

provider "aws" {
  region = var.region
  default_tags {
    tags = local.tags
  }
}

# Not found: apply stacks/addresses in this region first, once.
data "aws_eip" "gateway" {
  for_each = var.zones
  filter {
    name   = "tag:Name"
    values = ["${var.home.name}-gateway-${each.key}"]
  }
}

module "second_region" {
  source         = "../../modules/second-region"
  name           = var.home.name
  id_prefix      = "${var.home.name}-"
  home_region    = var.home.region
  bundle         = var.ops_bundle
  home_queue_url = var.home.queue_url
  home_queue_arn = var.home.queue_arn
  addresses      = { for key, eip in data.aws_eip.gateway : key => { allocation_id = eip.id, public_ip = eip.public_ip } }
  zones          = var.zones
  instance_type  = var.instance_type
  release        = var.home.release
  fleet_keys     = var.home.fleet_keys
  gateway_list   = var.home.gateway_list
  archive_bucket = var.home.bucket
  mqtt_host      = var.home.iot_endpoint
}

# The queue here grows while the first region is away: long before anything is lost, somebody should know.
module "alarms" {
  source            = "../../modules/alarms"
  name              = "${var.home.name}-away"
  emails            = var.emails
  queue_name        = module.second_region.queue_name
  dead_letters_name = module.second_region.dead_letters_name
  bridge_name       = module.second_region.function_name
  bridge_log_group  = module.second_region.log_group
  gateway_hosts     = module.second_region.hosts
}
