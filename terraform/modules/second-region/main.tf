data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

locals {
  function = "${var.name}-forwarder"
  ids      = { for key, address in var.addresses : key => "${var.id_prefix}${key}" }
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

resource "aws_lambda_function" "forwarder" {
  function_name    = local.function
  description      = "Moves batches of reports to the first region, as they are"
  role             = aws_iam_role.forwarder.arn
  runtime          = "nodejs24.x"
  architectures    = ["arm64"]
  handler          = "forwarder.handler"
  filename         = var.bundle
  source_code_hash = filebase64sha256(var.bundle)
  memory_size      = 128
  timeout          = 30
  environment {
    variables = {
      PESEBRE_HOME_QUEUE_URL = var.home_queue_url
      PESEBRE_HOME_REGION    = var.home_region
    }
  }
  logging_config {
    log_format = "Text"
    log_group  = aws_cloudwatch_log_group.forwarder.name
  }
}

resource "aws_lambda_event_source_mapping" "reports" {
  event_source_arn                   = module.queue.arn
  function_name                      = aws_lambda_function.forwarder.arn
  batch_size                         = 10
  maximum_batching_window_in_seconds = 1
  function_response_types            = ["ReportBatchItemFailures"]
  scaling_config {
    maximum_concurrency = 4
  }
  depends_on = [aws_iam_role_policy.forwarder]
}

resource "aws_iam_role" "forwarder" {
  name = local.function
  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "lambda.amazonaws.com" }
    }]
  })
}

resource "aws_iam_role_policy" "forwarder" {
  name = "forwarder"
  role = aws_iam_role.forwarder.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "Logs"
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = "${aws_cloudwatch_log_group.forwarder.arn}:*"
      },
      {
        Sid      = "Queue"
        Effect   = "Allow"
        Action   = ["sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"]
        Resource = module.queue.arn
      },
      {
        Sid      = "HomeQueue"
        Effect   = "Allow"
        Action   = "sqs:SendMessage"
        Resource = var.home_queue_arn
      },
    ]
  })
}

resource "aws_cloudwatch_log_group" "forwarder" {
  name              = "/aws/lambda/${local.function}"
  retention_in_days = var.log_retention_days
}
