# Two logins: one that serves, one that migrates. RDS keeps the master's password itself, and only the task that makes these
# two reads it. scripts/put-secrets.mjs puts their addresses and passwords in, so none is ever in a state, a plan or a log.
locals {
  logins = {
    service   = { user = "pai_service", secret = "database-url" }
    migration = { user = "pai_migrator", secret = "migration-database-url" }
  }
  host               = local.rds ? one(aws_db_instance.this[*].address) : one(aws_rds_cluster.this[*].endpoint)
  master_user_secret = one(flatten(local.rds ? aws_db_instance.this[*].master_user_secret : aws_rds_cluster.this[*].master_user_secret))
}

resource "aws_secretsmanager_secret" "login" {
  for_each = local.logins

  name                    = "${var.name}/${each.value.secret}"
  description             = "Address and password of the login ${each.value.user}"
  kms_key_id              = var.kms_key_arn
  recovery_window_in_days = var.secret_recovery_days

  dynamic "replica" {
    for_each = var.replica_region == null ? [] : [var.replica_region]

    content {
      region     = replica.value
      kms_key_id = var.replica_kms_key_arn
    }
  }
}
