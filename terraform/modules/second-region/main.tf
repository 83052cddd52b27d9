locals {
  ids = { for key, address in var.addresses : key => "${var.id_prefix}${key}" }
}

module "network" {
  source = "../network"
  name   = var.name
  zones  = distinct(values(var.zones))
}

module "queue" {
  source                   = "../queue"
  name                     = var.name
  consumer_timeout_seconds = 30
  retention_days           = 13
  # While the first region is away nothing is given up: the alarm on the age says so long before.
  max_receive_count = 1000
}

# Reports of this region take part in the first one's: their bodies go there as they are. It hands out no commands to feed.
module "gateway" {
  source             = "../gateway"
  for_each           = var.addresses
  name               = var.name
  key                = each.key
  gateway_id         = local.ids[each.key]
  zone               = var.zones[each.key]
  subnet_id          = module.network.subnet_ids[var.zones[each.key]]
  security_group_ids = [module.network.gateway_security_group_id]
  allocation_id      = each.value.allocation_id
  instance_type      = var.instance_type
  release            = var.release
  queue_url          = module.queue.url
  queue_arn          = module.queue.arn
  fleet_keys         = var.fleet_keys
  gateway_list       = var.gateway_list
  archive_bucket     = var.archive_bucket
  mqtt_host          = var.mqtt_host
  iot_region         = var.home_region
  commands           = false
  mqtt_parameter     = "/${var.name}/mqtt/pesebre-gateway-${local.ids[each.key]}"
}

# Its hosts take a new release as those of the first region do, when this stack is applied.
module "rollout" {
  source    = "../rollout"
  name      = var.name
  revisions = [for gateway in module.gateway : gateway.revision]
}

module "function" {
  source             = "../lambda"
  name               = var.name
  function           = "forwarder"
  description        = "Moves batches of reports to the first region, as they are"
  bundle             = var.bundle
  handler            = "forwarder.handler"
  memory_mb          = 128
  timeout_seconds    = 30
  log_retention_days = var.log_retention_days
  environment = {
    PESEBRE_HOME_QUEUE_URL = var.home_queue_url
    PESEBRE_HOME_REGION    = var.home_region
  }
  statements = [
    { sid = "Queue", actions = ["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"], resources = [module.queue.arn] },
    { sid = "HomeQueue", actions = ["sqs:SendMessage"], resources = [var.home_queue_arn] },
  ]
}

resource "aws_lambda_event_source_mapping" "reports" {
  event_source_arn                   = module.queue.arn
  function_name                      = module.function.arn
  batch_size                         = 10
  maximum_batching_window_in_seconds = 1
  function_response_types            = ["ReportBatchItemFailures"]
  scaling_config {
    maximum_concurrency = 4
  }
  # AWS asks at once whether the role may read the queue.
  depends_on = [module.function]
}
