output "url" {
  description = "What people open."
  value       = module.pai.url
}

output "dashboard_name" {
  description = "The dashboard."
  value       = module.pai.dashboard_name
}

output "task_families" {
  description = "Families of task definitions."
  value       = module.pai.task_families
}
