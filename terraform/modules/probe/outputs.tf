output "function_name" {
  description = "The function."
  value       = module.function.name
}

output "alarm_names" {
  description = "One alarm for each gateway."
  value       = [for alarm in aws_cloudwatch_metric_alarm.outside : alarm.alarm_name]
}

output "topic_arn" {
  description = "Where its alarms go."
  value       = aws_sns_topic.operator.arn
}
