output "fleet_keys" {
  description = "PESEBRE_FLEET_KEYS: where the fleet keys are."
  value       = "ssm:/${var.name}/fleet-keys"
}

output "setup_token" {
  description = "One-time token of the first admin's link."
  value       = try(jsondecode(aws_lambda_invocation.setup.result).token, null)
  sensitive   = true
}

output "probes" {
  description = "Thing of the probe of each gateway."
  value       = { for gateway, number in var.probes : gateway => "test-${format("%08x", number)}" }
}
