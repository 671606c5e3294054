output "kms_key_arn" {
  description = "The key everything is encrypted with."
  value       = aws_kms_key.this.arn
}

output "jwt_secret_arn" {
  description = "The signing secret."
  value       = aws_secretsmanager_secret.jwt.arn
}

output "openai_secret_arn" {
  description = "The key of OpenAI; null where there is none."
  value       = one(aws_secretsmanager_secret.openai[*].arn)
}

output "web_acl_arn" {
  description = "The firewall for CloudFront; null where there is none."
  value       = one(aws_wafv2_web_acl.this[*].arn)
}
