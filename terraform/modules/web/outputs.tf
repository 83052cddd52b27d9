output "url" {
  description = "Where people go."
  value       = local.url
}

output "service" {
  description = "What runs on its host."
  value       = local.service
}

output "statements" {
  description = "What it may do."
  value       = local.statements
}

output "distribution_id" {
  description = "The distribution of CloudFront."
  value       = aws_cloudfront_distribution.web.id
}
