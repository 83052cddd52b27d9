data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

locals {
  iot = "arn:${data.aws_partition.current.partition}:iot:${data.aws_region.current.region}:${data.aws_caller_identity.current.account_id}"
}

locals {
  partition = data.aws_partition.current.partition
  region    = data.aws_region.current.region
  ssm       = "arn:${local.partition}:ssm:${local.region}:${data.aws_caller_identity.current.account_id}:parameter"
  bucket    = "arn:${local.partition}:s3:::${var.bucket}"
  coap      = ["feeder", "waterer", "sensor"]
  written   = [for kind in local.coap : "${local.iot}:thing/${kind}-*"]
  devices   = concat(local.written, ["${local.iot}:thing/camera-*"])
  open      = [for pattern in var.shown_things : "${local.iot}:thing/${pattern}"]
  # Probes are shown, and the leases of the gateways say which are alive. What has another name can be looked at, and no more.
  shown = concat(local.devices, ["${local.iot}:thing/test-*", "${local.iot}:thing/pesebre-gateway-${var.name}-*"], local.open)
  # The name that AWS gives to an Elastic IP: CloudFront wants one.
  origin = format("ec2-%s.%s.amazonaws.com", replace(var.origin_ip, ".", "-"), local.region == "us-east-1" ? "compute-1" : "${local.region}.compute")
  domain = var.domain == "" ? aws_cloudfront_distribution.web.domain_name : var.domain
  url    = "https://${local.domain}"

  environment = merge({
    AWS_REGION              = local.region
    PESEBRE_WEB_HOST        = "0.0.0.0"
    PESEBRE_WEB_PORT        = tostring(var.web_port)
    PESEBRE_WEB_URL         = local.url
    PESEBRE_WEB_TRUST_PROXY = join(",", var.trusted_proxies)
    PESEBRE_WEB_DIR         = "/var/lib/pesebre/web"
    PESEBRE_BUCKET          = var.bucket
    PESEBRE_FLEET_KEYS      = var.fleet_keys
    PESEBRE_GATEWAY_LIST    = var.gateway_list
    PESEBRE_POLICY_PREFIX   = var.policy_prefix
    PESEBRE_WEB_THING       = var.thing
    PESEBRE_QUEUE_URL       = var.queue_url
    PESEBRE_DLQ_URL         = var.dead_letters_url
    PESEBRE_MQTT_HOST       = var.mqtt_host
    PESEBRE_MQTT_CERT       = "/run/pesebre-web/certificate"
    PESEBRE_MQTT_KEY        = "/run/pesebre-web/key"
    PESEBRE_MQTT_CA         = "/opt/pesebre/web/current/certificates.pem"
    }, var.beside_gateway ? { PESEBRE_GATEWAY_ADMIN = "http://127.0.0.1:9683" } : {},
    var.oidc == null ? {} : {
      PESEBRE_OIDC_ISSUER    = var.oidc.issuer
      PESEBRE_OIDC_CLIENT_ID = var.oidc.client_id
    },
  var.settings)

  service = {
    release     = var.release
    environment = local.environment
    secrets = merge({
      mqtt        = "pem:${var.mqtt_parameter}"
      setup-token = "env:PESEBRE_SETUP_TOKEN:${var.setup_token_parameter}"
    }, !var.mysql ? {} : { database = "secret:${var.database_secret_arn} ${var.database_endpoint}" })
  }

  statements = concat([
    { sid = "ReadShadows", actions = ["iot:GetThingShadow"], resources = local.shown },
    { sid = "WriteShadows", actions = ["iot:UpdateThingShadow"], resources = local.written },
    { sid = "MakeThings", actions = ["iot:CreateThing"], resources = local.devices },
    { sid = "KnowThings", actions = ["iot:DescribeThing"], resources = concat(local.devices, local.open) },
    {
      sid       = "MakeThingTypes"
      actions   = ["iot:CreateThingType"]
      resources = [for kind in concat(local.coap, ["camera"]) : "${local.iot}:thingtype/${kind}"]
    },
    # Which policy is attached, AWS does not ask: only about the certificate.
    { sid = "Certificates", actions = ["iot:AttachPolicy", "iot:UpdateCertificate"], resources = ["${local.iot}:cert/*"] },
    { sid = "Pictures", actions = ["s3:DeleteObject", "s3:GetObject", "s3:PutObject"], resources = ["${local.bucket}/pictures/*"] },
    # How long they stay is the bucket's own rule.
    { sid = "Backups", actions = ["s3:GetObject", "s3:PutObject"], resources = ["${local.bucket}/backup/*"] },
    { sid = "Archive", actions = ["s3:GetObject"], resources = ["${local.bucket}/raw/*"] },
    { sid = "ListArchive", actions = ["s3:ListBucket"], resources = [local.bucket] },
    { sid = "Queue", actions = ["sqs:GetQueueAttributes"], resources = [var.queue_arn] },
    { sid = "DeadLetters", actions = ["sqs:GetQueueAttributes"], resources = [var.dead_letters_arn] },
    {
      sid       = "Keys"
      actions   = ["ssm:GetParameter"]
      resources = [for parameter in [trimprefix(var.fleet_keys, "ssm:"), var.mqtt_parameter, var.setup_token_parameter] : "${local.ssm}${parameter}"]
    },
    ], !var.mysql ? [] : [
    { sid = "Database", actions = ["secretsmanager:GetSecretValue"], resources = [var.database_secret_arn] },
  ])
  # AWS lets no resource be named for these (Service Authorization Reference, "AWS IoT").
  unnameable = ["iot:AttachThingPrincipal", "iot:CreateKeysAndCertificate", "iot:DetachThingPrincipal", "iot:ListThingPrincipals", "iot:ListThings"]
}

# TLS without a certificate to look after, and near to whoever watches a camera.
resource "aws_cloudfront_distribution" "web" {
  enabled         = true
  is_ipv6_enabled = true
  http_version    = "http2and3"
  comment         = "${var.name}: web app"
  price_class     = "PriceClass_100"
  aliases         = var.domain == "" ? [] : [var.domain]
  origin {
    origin_id   = "web"
    domain_name = local.origin
    custom_origin_config {
      http_port              = var.web_port
      https_port             = 443
      origin_protocol_policy = "http-only"
      origin_ssl_protocols   = ["TLSv1.2"]
      origin_read_timeout    = 60
    }
  }
  default_cache_behavior {
    target_origin_id         = "web"
    viewer_protocol_policy   = "redirect-to-https"
    allowed_methods          = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"]
    cached_methods           = ["GET", "HEAD"]
    compress                 = true
    cache_policy_id          = data.aws_cloudfront_cache_policy.never.id
    origin_request_policy_id = data.aws_cloudfront_origin_request_policy.all.id
  }
  # Their names carry a hash of what is in them.
  ordered_cache_behavior {
    path_pattern           = "/assets/*"
    target_origin_id       = "web"
    viewer_protocol_policy = "redirect-to-https"
    allowed_methods        = ["GET", "HEAD"]
    cached_methods         = ["GET", "HEAD"]
    compress               = true
    cache_policy_id        = data.aws_cloudfront_cache_policy.long.id
  }
  restrictions {
    geo_restriction {
      restriction_type = "none"
    }
  }
  viewer_certificate {
    cloudfront_default_certificate = var.domain == "" ? true : null
    acm_certificate_arn            = var.domain == "" ? null : var.certificate_arn
    ssl_support_method             = var.domain == "" ? null : "sni-only"
    minimum_protocol_version       = var.domain == "" ? "TLSv1" : "TLSv1.2_2021"
  }
}

data "aws_cloudfront_cache_policy" "never" {
  name = "Managed-CachingDisabled"
}

data "aws_cloudfront_cache_policy" "long" {
  name = "Managed-CachingOptimized"
}

data "aws_cloudfront_origin_request_policy" "all" {
  name = "Managed-AllViewer"
}

resource "aws_route53_record" "web" {
  for_each = var.route53_zone_id == "" ? toset([]) : toset(["A", "AAAA"])
  zone_id  = var.route53_zone_id
  name     = var.domain
  type     = each.key
  alias {
    name                   = aws_cloudfront_distribution.web.domain_name
    zone_id                = aws_cloudfront_distribution.web.hosted_zone_id
    evaluate_target_health = false
  }
}

# Certificates of cameras and other MQTT devices, and what things there are.
resource "aws_iam_role_policy" "unnameable" {
  name = "unnameable"
  role = var.role_name
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid      = "Unnameable"
      Effect   = "Allow"
      Action   = local.unnameable
      Resource = "*"
    }]
  })
}
