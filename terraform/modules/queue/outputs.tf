output "url" {
  description = "Where gateways send reports."
  value       = aws_sqs_queue.reports.url
}

output "arn" {
  description = "ARN of the queue."
  value       = aws_sqs_queue.reports.arn
}

output "name" {
  description = "Name of the queue."
  value       = aws_sqs_queue.reports.name
}

output "dead_letters_url" {
  description = "The dead-letter queue."
  value       = aws_sqs_queue.dead_letters.url
}

output "dead_letters_arn" {
  description = "ARN of the dead-letter queue."
  value       = aws_sqs_queue.dead_letters.arn
}

output "dead_letters_name" {
  description = "Name of the dead-letter queue."
  value       = aws_sqs_queue.dead_letters.name
}
