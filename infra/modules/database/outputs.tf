output "host" {
  description = "Address of the database, inside the VPC."
  value       = local.host
}

output "arn" {
  description = "The instance or the cluster, for backups and experiments."
  value       = local.rds ? one(aws_db_instance.this[*].arn) : one(aws_rds_cluster.this[*].arn)
}

output "identifier" {
  description = "Its name, for alarms."
  value       = var.name
}

output "engine" {
  description = "rds or aurora."
  value       = var.engine
}

output "database_url_secret_arn" {
  description = "Address and password of the login that serves."
  value       = aws_secretsmanager_secret.login["service"].arn
}

output "migration_database_url_secret_arn" {
  description = "Address and password of the login that migrates."
  value       = aws_secretsmanager_secret.login["migration"].arn
}

output "master_secret_arn" {
  description = "The master's password, kept and turned over by RDS."
  value       = local.master_user_secret.secret_arn
}
