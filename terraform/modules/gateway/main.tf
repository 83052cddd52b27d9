data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

locals {
  ssm  = "arn:${data.aws_partition.current.partition}:ssm:${data.aws_region.current.region}:${data.aws_caller_identity.current.account_id}:parameter"
  mqtt = "/run/pesebre-gateway"
  open = length(var.open_things) > 0
  home = "arn:${data.aws_partition.current.partition}:iot:${coalesce(var.iot_region, data.aws_region.current.region)}:${data.aws_caller_identity.current.account_id}"
}

module "host" {
  source             = "../host"
  name               = var.name
  host               = "gateway-${var.key}"
  zone               = var.zone
  subnet_id          = var.subnet_id
  security_group_ids = var.security_group_ids
  allocation_id      = var.allocation_id
  instance_type      = var.instance_type
  volume_gb          = var.volume_gb
  services = merge(var.more_services, {
    gateway = {
      release = var.release
      environment = merge({
        AWS_REGION                = data.aws_region.current.region
        PESEBRE_GATEWAY_ID        = var.gateway_id
        PESEBRE_QUEUE_URL         = var.queue_url
        PESEBRE_JOURNAL_DIR       = "/var/lib/pesebre/gateway"
        PESEBRE_JOURNAL_MAX_BYTES = tostring(floor(var.volume_gb / 2) * 1073741824)
        PESEBRE_ALLOW_OPEN        = tostring(local.open)
        PESEBRE_FLEET_KEYS        = var.fleet_keys
        PESEBRE_GATEWAY_LIST      = var.gateway_list
        PESEBRE_ARCHIVE_BUCKET    = var.archive_bucket
        PESEBRE_COMMANDS          = tostring(var.commands)
        PESEBRE_MQTT_HOST         = var.mqtt_host
        PESEBRE_MQTT_CERT         = "${local.mqtt}/certificate"
        PESEBRE_MQTT_KEY          = "${local.mqtt}/key"
        PESEBRE_MQTT_CA           = "/opt/pesebre/gateway/current/certificates.pem"
      }, var.settings)
      secrets = {
        mqtt = "pem:${var.mqtt_parameter}"
      }
    }
  })
  statements = merge(var.more_statements, {
    gateway = [
      { sid = "Reports", actions = ["sqs:SendMessage"], resources = [var.queue_arn] },
      {
        sid       = "Mailboxes"
        actions   = ["iot:GetThingShadow"]
        resources = concat([for kind in ["feeder", "waterer", "sensor", "test"] : "${local.home}:thing/${kind}-*"], ["${local.home}:thing/pesebre-gateway-${var.gateway_id}"])
      },
      { sid = "Lease", actions = ["iot:UpdateThingShadow"], resources = ["${local.home}:thing/pesebre-gateway-${var.gateway_id}"] },
      {
        sid       = "Keys"
        actions   = ["ssm:GetParameter"]
        resources = ["${local.ssm}${trimprefix(var.fleet_keys, "ssm:")}", "${local.ssm}${var.mqtt_parameter}"]
      },
      { sid = "Archive", actions = ["s3:PutObject"], resources = ["arn:${data.aws_partition.current.partition}:s3:::${var.archive_bucket}/raw/gateway=${var.gateway_id}/*"] },
    ]
  })
}
