# Terraform makes the places; scripts/put-secrets.mjs puts the values in. So none is ever in a state, a plan or a log.

resource "aws_secretsmanager_secret" "jwt" {
  name                    = "${var.name}/jwt-secret"
  description             = "Signs access tokens; with a new one everybody signs in again within 15 minutes"
  kms_key_id              = aws_kms_key.this.arn
  recovery_window_in_days = var.secret_recovery_days

  dynamic "replica" {
    for_each = var.replica_region == null ? [] : [var.replica_region]

    content {
      region     = replica.value
      kms_key_id = var.replica_kms_key_arn
    }
  }
}

resource "aws_secretsmanager_secret" "openai" {
  count = var.openai ? 1 : 0

  name                    = "${var.name}/openai-api-key"
  description             = "Key of OpenAI, or of the server that speaks its API"
  kms_key_id              = aws_kms_key.this.arn
  recovery_window_in_days = var.secret_recovery_days

  dynamic "replica" {
    for_each = var.replica_region == null ? [] : [var.replica_region]

    content {
      region     = replica.value
      kms_key_id = var.replica_kms_key_arn
    }
  }
}
