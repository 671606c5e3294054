output "url" {
  description = "What people open."
  value       = module.edge.url
}

output "dashboard_name" {
  description = "The dashboard."
  value       = module.observability.dashboard_name
}

output "task_families" {
  description = "Families of task definitions."
  value       = module.service.task_families
}

output "database_host" {
  description = "Address of the database, inside the VPC."
  value       = module.database.host
}
