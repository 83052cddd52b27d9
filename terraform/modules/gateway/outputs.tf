output "host" {
  description = "Name of its host."
  value       = module.host.host
}

output "autoscaling_group" {
  description = "Its group of one instance."
  value       = module.host.autoscaling_group
}

output "role_name" {
  description = "Its role."
  value       = module.host.role_name
}

output "revision" {
  description = "Changes with what runs on it."
  value       = module.host.revision
}

output "volume_id" {
  description = "The disk with its journal."
  value       = module.host.volume_id
}
