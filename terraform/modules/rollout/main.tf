# What runs on the hosts changes here, one host at a time: the next one begins when the one before says that it is ready, and
# the first failure ends it (pesebre-host apply puts the release before it back).
resource "aws_ssm_document" "rollout" {
  name            = "${var.name}-rollout"
  document_type   = "Command"
  document_format = "JSON"
  content = jsonencode({
    schemaVersion = "2.2"
    description   = "Brings a host to what its parameters say"
    parameters    = { revision = { type = "String", description = "Changes with what runs on the hosts" } }
    mainSteps = [{
      action = "aws:runShellScript"
      name   = "apply"
      inputs = { timeoutSeconds = "600", runCommand = ["/usr/local/sbin/pesebre-host apply"] }
    }]
  })
}

resource "aws_ssm_association" "rollout" {
  name             = aws_ssm_document.rollout.name
  association_name = "${var.name}-rollout"
  max_concurrency  = "1"
  max_errors       = "0"
  parameters       = { revision = sha256(join(" ", var.revisions)) }
  targets {
    key    = "tag:pesebre:name"
    values = [var.name]
  }
}
