locals {
  tags        = merge({ "pesebre:name" = var.name }, var.tags)
  keys        = sort(keys(var.zones))
  addresses   = { for key in local.keys : key => { allocation_id = data.aws_eip.gateway[key].id, public_ip = data.aws_eip.gateway[key].public_ip } }
  gateway_ids = { for key in local.keys : key => "${var.name}-${key}" }
  # The gateways of a second region come last: devices try them in this order.
  gateways     = merge({ for key in local.keys : local.gateway_ids[key] => local.addresses[key].public_ip }, var.second_region_gateways)
  gateway_list = "${var.gateway_list_version}:${join(",", concat([for key in local.keys : "${local.gateway_ids[key]}=${local.addresses[key].public_ip}:5683"], [for id in sort(keys(var.second_region_gateways)) : "${id}=${var.second_region_gateways[id]}:5683"]))}"
  first        = local.keys[0]
  web          = var.web != "none"
  beside       = var.web == "beside"
  ids          = concat(values(local.gateway_ids), sort(keys(var.second_region_gateways)))
  # A probe for each gateway, since a shadow shows only the newest report: registered devices of kind test. The number follows from
  # the id, so that no other gateway that comes or goes changes it, and no other installation of the account has it.
  probes = { for id in local.ids : id => parseint(substr(sha256(id), 0, 8), 16) }
  mqtt   = "/${var.name}/mqtt"
}

provider "aws" {
  region = var.region
  default_tags {
    tags = local.tags
  }
}

# From where the probe looks.
provider "aws" {
  alias  = "outside"
  region = var.probe_region
  default_tags {
    tags = local.tags
  }
}

# Not found: apply stacks/addresses first, once.
data "aws_eip" "gateway" {
  for_each = var.zones
  filter {
    name   = "tag:Name"
    values = ["${var.name}-gateway-${each.key}"]
  }
}

module "network" {
  source = "../../modules/network"
  name   = var.name
  zones  = distinct(concat([for key in local.keys : var.zones[key]], var.database_zones))
}

module "queue" {
  source                   = "../../modules/queue"
  name                     = var.name
  consumer_timeout_seconds = 30
}

module "bridge" {
  source              = "../../modules/bridge"
  name                = var.name
  bundle              = var.bridge_bundle
  queue_arn           = module.queue.arn
  dead_letters_arn    = module.queue.dead_letters_arn
  dead_letters_url    = module.queue.dead_letters_url
  timeout_seconds     = 30
  max_concurrency     = var.bridge_concurrency
  thing_patterns      = concat(["feeder-*", "waterer-*", "sensor-*", "test-*"], var.open_things)
  thing_type_patterns = concat(["feeder", "waterer", "sensor", "test"], var.open_thing_types)
}

module "things" {
  source           = "../../modules/things"
  name             = var.name
  gateway_ids      = toset(local.ids)
  make_thing_types = var.make_thing_types
  make_web_thing   = local.web
}

module "keys" {
  source           = "../../modules/keys"
  name             = var.name
  bundle           = var.ops_bundle
  probes           = local.probes
  make_admin_token = local.web
  replica_regions  = var.second_region == "" ? [] : [var.second_region]
  clients = merge(
    { for thing in values(module.things.gateway_things) : thing => module.things.policy_names["gateway"] },
    local.web ? { (module.things.web_thing) = module.things.policy_names["web"] } : {},
  )
}

module "archive" {
  source      = "../../modules/archive"
  name        = var.name
  bucket      = var.bucket
  gateway_ids = toset(local.ids)
  web_origins = local.web ? [module.web[0].url] : []
  raw_days    = var.raw_days
}

resource "aws_s3_object" "release" {
  for_each = merge({ gateway = var.gateway_bundle }, local.web ? { web = var.web_bundle } : {})
  bucket   = module.archive.bucket
  key      = "releases/${each.key}-${filesha256(each.value)}.tar.gz"
  source   = each.value
}

locals {
  releases = { for service, object in aws_s3_object.release : service => {
    bucket = object.bucket
    key    = object.key
    sha256 = filesha256(service == "web" ? var.web_bundle : var.gateway_bundle)
  } }
}

module "gateway" {
  source             = "../../modules/gateway"
  for_each           = var.zones
  name               = var.name
  key                = each.key
  gateway_id         = local.gateway_ids[each.key]
  zone               = each.value
  subnet_id          = module.network.subnet_ids[each.value]
  security_group_ids = concat([module.network.gateway_security_group_id], local.beside && each.key == local.first ? [module.network.web_security_group_id] : [])
  allocation_id      = local.addresses[each.key].allocation_id
  instance_type      = local.beside && each.key == local.first ? var.web_instance_type : var.instance_type
  volume_gb          = var.volume_gb
  release            = local.releases["gateway"]
  queue_url          = module.queue.url
  queue_arn          = module.queue.arn
  fleet_keys         = module.keys.fleet_keys
  gateway_list       = local.gateway_list
  archive_bucket     = module.archive.bucket
  mqtt_host          = module.things.endpoint
  mqtt_parameter     = "${local.mqtt}/pesebre-gateway-${local.gateway_ids[each.key]}"
  open_things        = var.open_things
  settings           = var.gateway_settings
  more_services      = local.beside && each.key == local.first ? { web = module.web[0].service } : {}
  more_statements    = local.beside && each.key == local.first ? { web = module.web[0].statements } : {}
}

module "web" {
  source                = "../../modules/web"
  count                 = local.web ? 1 : 0
  name                  = var.name
  release               = local.releases["web"]
  origin_ip             = local.beside ? local.addresses[local.first].public_ip : aws_eip.web[0].public_ip
  role_name             = local.beside ? module.gateway[local.first].role_name : module.web_host[0].role_name
  beside_gateway        = local.beside
  domain                = var.domain
  certificate_arn       = var.certificate_arn
  route53_zone_id       = var.route53_zone_id
  bucket                = module.archive.bucket
  fleet_keys            = module.keys.fleet_keys
  gateway_list          = local.gateway_list
  policy_prefix         = module.things.policy_prefix
  trusted_proxies       = module.network.cloudfront_cidrs
  thing                 = module.things.web_thing
  shown_things          = concat(var.open_things, var.shown_things)
  queue_url             = module.queue.url
  queue_arn             = module.queue.arn
  dead_letters_url      = module.queue.dead_letters_url
  dead_letters_arn      = module.queue.dead_letters_arn
  mqtt_host             = module.things.endpoint
  mqtt_parameter        = "${local.mqtt}/${module.things.web_thing}"
  setup_token_parameter = "/${var.name}/web/setup-token"
  mysql                 = var.mysql
  database_secret_arn   = var.mysql ? module.database[0].secret_arn : ""
  database_endpoint     = var.mysql ? module.database[0].endpoint : ""
  oidc                  = var.cognito_domain_prefix == "" ? var.oidc : module.identity[0].oidc
  settings              = var.web_settings
}

# A web server of its own, where watching cameras must not take from the gateway.
resource "aws_eip" "web" {
  count  = var.web == "own" ? 1 : 0
  domain = "vpc"
  tags   = { Name = "${var.name}-web" }
}

module "web_host" {
  source             = "../../modules/host"
  count              = var.web == "own" ? 1 : 0
  name               = var.name
  host               = "web"
  zone               = var.zones[local.first]
  subnet_id          = module.network.subnet_ids[var.zones[local.first]]
  security_group_ids = [module.network.web_security_group_id]
  allocation_id      = aws_eip.web[0].allocation_id
  instance_type      = var.web_instance_type
  volume_gb          = var.volume_gb
  services           = { web = module.web[0].service }
  statements         = { web = module.web[0].statements }
}

module "database" {
  source                   = "../../modules/database"
  count                    = var.mysql ? 1 : 0
  name                     = var.name
  vpc_id                   = module.network.vpc_id
  subnet_ids               = values(module.network.subnet_ids)
  client_security_group_id = module.network.web_security_group_id
}

module "identity" {
  source        = "../../modules/identity"
  count         = var.cognito_domain_prefix == "" ? 0 : 1
  name          = var.name
  domain_prefix = var.cognito_domain_prefix
  web_url       = module.web[0].url
}

module "rollout" {
  source    = "../../modules/rollout"
  name      = var.name
  revisions = concat([for key in local.keys : module.gateway[key].revision], module.web_host[*].revision)
}

module "alarms" {
  source            = "../../modules/alarms"
  name              = var.name
  emails            = var.emails
  queue_name        = module.queue.name
  dead_letters_name = module.queue.dead_letters_name
  bridge_name       = module.bridge.function_name
  bridge_log_group  = module.bridge.log_group
  gateway_hosts     = [for gateway in module.gateway : gateway.host]
  web_host          = local.beside ? module.gateway[local.first].host : var.web == "own" ? module.web_host[0].host : ""
}

module "probe" {
  source           = "../../modules/probe"
  count            = var.probe_minutes == 0 ? 0 : 1
  providers        = { aws = aws.outside }
  name             = var.name
  bundle           = var.ops_bundle
  home_region      = var.region
  secret_parameter = "/${var.name}/probe"
  iot_endpoint     = module.things.endpoint
  gateways         = { for id, ip in local.gateways : id => { host = ip, port = 5683, thing = module.keys.probes[id] } }
  minutes          = var.probe_minutes
  emails           = var.emails
}
