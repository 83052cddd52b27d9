data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

locals {
  iot    = "arn:${data.aws_partition.current.partition}:iot:${data.aws_region.current.region}:${data.aws_caller_identity.current.account_id}"
  things = [for pattern in var.thing_patterns : "${local.iot}:thing/${pattern}"]
  types  = [for pattern in var.thing_type_patterns : "${local.iot}:thingtype/${pattern}"]
}

module "function" {
  source             = "../lambda"
  name               = var.name
  function           = "bridge"
  description        = "Carries reports from the queue into shadows"
  bundle             = var.bundle
  handler            = "handler.handler"
  memory_mb          = var.memory_mb
  timeout_seconds    = var.timeout_seconds
  log_retention_days = var.log_retention_days
  environment = {
    PESEBRE_DLQ_URL = var.dead_letters_url
  }
  statements = [
    { sid = "Queue", actions = ["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"], resources = [var.queue_arn] },
    { sid = "DeadLetters", actions = ["sqs:SendMessage"], resources = [var.dead_letters_arn] },
    { sid = "Shadows", actions = ["iot:GetThingShadow", "iot:UpdateThingShadow"], resources = local.things },
    { sid = "Things", actions = ["iot:CreateThing"], resources = local.things },
    { sid = "ThingTypes", actions = ["iot:CreateThingType"], resources = local.types },
  ]
}

resource "aws_lambda_event_source_mapping" "reports" {
  event_source_arn                   = var.queue_arn
  function_name                      = module.function.arn
  batch_size                         = 50
  maximum_batching_window_in_seconds = 1
  # Without it one bad message would bring back all of its batch.
  function_response_types = ["ReportBatchItemFailures"]
  scaling_config {
    # The back-pressure of the whole chain: so many invocations, 16 things at once in each, stay under what AWS IoT allows.
    maximum_concurrency = var.max_concurrency
  }
  # AWS asks at once whether the role may read the queue.
  depends_on = [module.function]
}
