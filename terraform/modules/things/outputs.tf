output "endpoint" {
  description = "Data endpoint of AWS IoT: PESEBRE_MQTT_HOST."
  value       = data.aws_iot_endpoint.data.endpoint_address
}

output "policy_names" {
  description = "Policies by kind."
  value       = { for kind, policy in aws_iot_policy.kind : kind => policy.name }
}

output "policy_prefix" {
  description = "What stands before the names of contract/src/policies.ts."
  value       = local.prefix
}

output "web_thing" {
  description = "Thing, and MQTT client id, of the web server: PESEBRE_WEB_THING; null: there is none."
  value       = one(aws_iot_thing.web[*].name)
}

output "gateway_things" {
  description = "Things of the gateways, by id."
  value       = { for id, thing in aws_iot_thing.gateway : id => thing.name }
}
