data "aws_caller_identity" "current" {}
data "aws_partition" "current" {}
data "aws_region" "current" {}

locals {
  account = data.aws_caller_identity.current.account_id
  iot     = "arn:${data.aws_partition.current.partition}:iot:${data.aws_region.current.region}:${local.account}"
  regions = concat([data.aws_region.current.region], var.replica_regions)
}

# Secrets are made by a function inside the account and go into the Parameter Store: none is ever in a plan, in the state, or in
# user data. What is there already is kept.
module "function" {
  source             = "../lambda"
  name               = var.name
  function           = "setup"
  description        = "Makes the secrets that are missing: fleet keys, certificates, the probe's key, the first admin's token"
  bundle             = var.bundle
  handler            = "setup.handler"
  memory_mb          = 256
  timeout_seconds    = 60
  log_retention_days = var.log_retention_days
  environment = {
    PESEBRE_PARAMETERS = "/${var.name}"
  }
  statements = concat(
    [
      {
        sid       = "Secrets"
        actions   = ["ssm:GetParameter", "ssm:PutParameter"]
        resources = [for region in local.regions : "arn:${data.aws_partition.current.partition}:ssm:${region}:${local.account}:parameter/${var.name}/*"]
      },
      # Which policy it is, AWS does not ask: only about the certificate.
      { sid = "AttachPolicies", actions = ["iot:AttachPolicy"], resources = ["${local.iot}:cert/*"] },
    ],
    length(var.probes) == 0 ? [] : [{
      sid       = "LetInTheProbe"
      actions   = ["iot:CreateThing", "iot:GetThingShadow", "iot:UpdateThingShadow"]
      resources = [for number in values(var.probes) : "${local.iot}:thing/test-${format("%08x", number)}"]
    }],
  )
  unnameable_actions = ["iot:AttachThingPrincipal", "iot:CreateKeysAndCertificate"]
}

resource "aws_lambda_invocation" "setup" {
  function_name = module.function.name
  input         = jsonencode({ clients = var.clients, probes = var.probes, admin = var.make_admin_token, replicas = var.replica_regions })
  triggers      = { code = module.function.code }
  # A role that may not yet do what it is asked would fail the whole apply.
  depends_on = [module.function]
}
