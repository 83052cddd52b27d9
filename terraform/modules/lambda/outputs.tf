output "name" {
  description = "The function."
  value       = aws_lambda_function.this.function_name
}

output "arn" {
  description = "The function."
  value       = aws_lambda_function.this.arn
}

output "code" {
  description = "Changes with its code."
  value       = aws_lambda_function.this.source_code_hash
}

output "timeout_seconds" {
  description = "Its timeout."
  value       = aws_lambda_function.this.timeout
}

output "log_group" {
  description = "Its logs."
  value       = aws_cloudwatch_log_group.this.name
}

output "statements" {
  description = "What its role may do."
  value       = jsondecode(aws_iam_role_policy.this.policy).Statement
}
