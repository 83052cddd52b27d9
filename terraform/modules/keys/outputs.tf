output "fleet_keys" {
  description = "PESEBRE_FLEET_KEYS: where the fleet keys are."
  value       = "ssm:/${var.name}/fleet-keys"
  # Whoever is told where they are finds them there.
  depends_on = [aws_lambda_invocation.setup]
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
