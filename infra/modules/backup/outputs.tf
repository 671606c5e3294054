output "vault_name" {
  description = "The vault."
  value       = aws_backup_vault.this.name
}

output "role_arn" {
  description = "The role that restores."
  value       = aws_iam_role.this.arn
}
