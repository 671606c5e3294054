output "url" {
  description = "Address of the cache, over TLS; signing in takes a token of the task's role."
  value       = "rediss://${local.endpoint}:6379"
}

output "user_arn" {
  description = "The cache's user, for the task's role."
  value       = aws_elasticache_user.service.arn
}

output "replication_group_id" {
  description = "For alarms; null where serverless."
  value       = one(aws_elasticache_replication_group.this[*].id)
}
