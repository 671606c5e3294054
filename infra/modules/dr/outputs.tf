output "kms_key_arn" {
  description = "The second region's copy of the key."
  value       = aws_kms_replica_key.this.arn
}

output "vault_arn" {
  description = "The second region's vault."
  value       = aws_backup_vault.this.arn
}

output "replica_identifier" {
  description = "The second region's database; null where there is none."
  value       = one(aws_db_instance.replica[*].identifier)
}
