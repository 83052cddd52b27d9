output "function_name" {
  description = "The function."
  value       = aws_lambda_function.bridge.function_name
}

output "log_group" {
  description = "Its logs."
  value       = aws_cloudwatch_log_group.bridge.name
}

output "timeout_seconds" {
  description = "Its timeout."
  value       = aws_lambda_function.bridge.timeout
}
