output "fleet_keys" {
  description = "PESEBRE_FLEET_KEYS: where the fleet keys are."
  value       = "ssm:/${var.name}/fleet-keys"
}

output "fleet_keys_arn" {
  description = "ARN of the parameter that holds the fleet keys."
  value       = "${local.parameters}/${var.name}/fleet-keys"
}

output "certificate_arns" {
  description = "Parameters of the certificate and the key of each client."
  value       = { for thing in keys(var.clients) : thing => ["${local.parameters}/${var.name}/mqtt/${thing}/certificate", "${local.parameters}/${var.name}/mqtt/${thing}/key"] }
}

output "setup_token" {
  description = "One-time token of the first admin's link."
  value       = try(jsondecode(aws_lambda_invocation.setup.result).token, null)
  sensitive   = true
}

output "setup_token_arn" {
  description = "Parameter that holds the token."
  value       = "${local.parameters}/${var.name}/web/setup-token"
}

output "probe_secret_arn" {
  description = "Parameter of the probe's identity."
  value       = "${local.parameters}/${var.name}/probe"
}

output "probe_thing" {
  description = "Thing of the probe."
  value       = "test-${format("%08x", var.probe_number)}"
}

output "probe_parameter" {
  description = "Parameter of the probe's identity."
  value       = "/${var.name}/probe"
}
