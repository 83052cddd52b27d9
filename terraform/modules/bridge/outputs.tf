output "function_name" {
  description = "The function."
  value       = module.function.name
}

output "log_group" {
  description = "Its logs."
  value       = module.function.log_group
}

output "timeout_seconds" {
  description = "Its timeout."
  value       = module.function.timeout_seconds
}
