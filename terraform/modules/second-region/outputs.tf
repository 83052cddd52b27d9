output "gateway_ids" {
  description = "Id of each gateway."
  value       = local.ids
}

output "hosts" {
  description = "Hosts of the gateways."
  value       = [for gateway in module.gateway : gateway.host]
}

output "queue_name" {
  description = "The queue of this region."
  value       = module.queue.name
}

output "queue_url" {
  description = "The queue of this region."
  value       = module.queue.url
}

output "gateway_addresses" {
  description = "Addresses by id."
  value       = { for key, id in local.ids : id => { host = var.addresses[key].public_ip, port = 5683 } }
}

output "dead_letters_name" {
  description = "Its dead-letter queue."
  value       = module.queue.dead_letters_name
}

output "function_name" {
  description = "The forwarder."
  value       = module.function.name
}

output "log_group" {
  description = "Its logs."
  value       = module.function.log_group
}
