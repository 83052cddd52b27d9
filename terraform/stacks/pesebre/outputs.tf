output "url" {
  description = "Where people go."
  value       = local.web ? module.web[0].url : null
}

output "admin_link" {
  description = "One-time link of the first admin: terraform output -raw admin_link."
  value       = local.web && module.keys.setup_token != null ? "${module.web[0].url}/setup#${module.keys.setup_token}" : null
  sensitive   = true
}

output "gateways" {
  description = "Gateways by id."
  value       = { for id, ip in local.gateways : id => "coap://${ip}:5683" }
}

output "gateway_list" {
  description = "What devices are told about where gateways are."
  value       = local.gateway_list
}

output "queue_url" {
  description = "The queue of reports."
  value       = module.queue.url
}

output "queue_name" {
  description = "The queue of reports."
  value       = module.queue.name
}

output "queue_arn" {
  description = "The queue of reports."
  value       = module.queue.arn
}

output "iot_endpoint" {
  description = "Data endpoint of AWS IoT."
  value       = module.things.endpoint
}

output "bucket" {
  description = "Pictures, archive, backups, releases."
  value       = module.archive.bucket
}

output "releases" {
  description = "Releases in the bucket."
  value       = local.releases
}

output "fleet_keys" {
  description = "PESEBRE_FLEET_KEYS."
  value       = module.keys.fleet_keys
}

output "autoscaling_groups" {
  description = "One group for each host."
  value       = concat([for gateway in module.gateway : gateway.autoscaling_group], module.web_host[*].autoscaling_group)
}

output "alarm_names" {
  description = "All alarms."
  value       = concat(module.alarms.alarm_names, flatten(module.probe[*].alarm_names))
}

output "second_region" {
  description = "What stacks/second-region has to know: its variable home."
  value = {
    home = {
      name         = var.name
      region       = var.region
      queue_url    = module.queue.url
      queue_arn    = module.queue.arn
      fleet_keys   = module.keys.fleet_keys
      gateway_list = local.gateway_list
      bucket       = module.archive.bucket
      iot_endpoint = module.things.endpoint
      release      = local.releases["gateway"]
    }
  }
}
