output "gateways" {
  description = "Gateways by id."
  value       = { for id, address in module.second_region.gateway_addresses : id => "coap://${address.host}:${address.port}" }
}

output "alarm_names" {
  description = "All alarms."
  value       = module.alarms.alarm_names
}
