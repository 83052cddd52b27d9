output "topic_arn" {
  description = "Where alarms go."
  value       = aws_sns_topic.operator.arn
}

output "alarm_names" {
  description = "All alarms."
  value       = [for alarm in aws_cloudwatch_metric_alarm.this : alarm.alarm_name]
}

output "dashboard" {
  description = "The dashboard."
  value       = aws_cloudwatch_dashboard.this.dashboard_name
}
