output "endpoint" {
  description = "Data endpoint of AWS IoT: PESEBRE_MQTT_HOST."
  value       = data.aws_iot_endpoint.data.endpoint_address
}

output "policy_names" {
  description = "Policies by kind."
  value       = { for kind, policy in aws_iot_policy.kind : kind => policy.name }
}

output "policy_arns" {
  description = "Policies by kind."
  value       = { for kind, policy in aws_iot_policy.kind : kind => policy.arn }
}

output "policy_prefix" {
  description = "What stands before the names of contract/src/policies.ts."
  value       = local.prefix
}
