output "topic_arn" {
  description = "Where alerts are published."
  value       = aws_sns_topic.this.arn
}

output "dashboard_name" {
  description = "The dashboard."
  value       = aws_cloudwatch_dashboard.this.dashboard_name
}

output "rollback_alarm_names" {
  description = "Alarms that take a deployment back."
  value = concat(
    [aws_cloudwatch_metric_alarm.error_rate.alarm_name, aws_cloudwatch_metric_alarm.unhealthy.alarm_name],
    [for alarm, figure in local.alarms : aws_cloudwatch_metric_alarm.this[alarm].alarm_name if figure.rolls_back]
  )
}

output "error_rate_alarm_arn" {
  description = "The alarm that stops an experiment."
  value       = aws_cloudwatch_metric_alarm.error_rate.arn
}
