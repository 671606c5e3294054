output "cluster_name" {
  description = "The cluster."
  value       = aws_ecs_cluster.this.name
}

output "cluster_arn" {
  description = "The cluster."
  value       = aws_ecs_cluster.this.arn
}

output "service_names" {
  description = "The two services, api and worker."
  value       = { api = aws_ecs_service.api.name, worker = aws_ecs_service.worker.name }
}

output "task_families" {
  description = "Families of task definitions: api, worker, migrate, logins."
  value       = { for task, definition in aws_ecs_task_definition.this : task => definition.family }
}

output "security_group_id" {
  description = "The tasks' security group."
  value       = aws_security_group.this.id
}

output "log_groups" {
  description = "Logs, by who writes them."
  value       = { for group, made in aws_cloudwatch_log_group.this : group => made.name }
}

output "role_arns" {
  description = "Roles a delivery passes on to tasks."
  value       = concat([aws_iam_role.task.arn], [for role in aws_iam_role.execution : role.arn])
}
