output "state_bucket" {
  description = "For each environment's backend.tf."
  value       = aws_s3_bucket.state.bucket
}

output "repository_url" {
  description = "Where images are pushed to."
  value       = module.registry.repository_url
}

output "repository_arn" {
  description = "For each environment's repository_arn."
  value       = module.registry.repository_arn
}

output "role_arns" {
  description = "Roles for the workflows' variables."
  value       = { for role, made in aws_iam_role.delivery : role => made.arn }
}
