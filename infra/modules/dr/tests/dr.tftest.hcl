mock_provider "aws" {}

mock_provider "aws" {
  alias = "dr"

  mock_resource "aws_kms_replica_key" {
    defaults = { arn = "arn:aws:kms:eu-west-1:111122223333:key/mrk-1", key_id = "mrk-1" }
  }
}

variables {
  name         = "pai-test"
  kms_key_arn  = "arn:aws:kms:eu-north-1:111122223333:key/mrk-1"
  database_arn = "arn:aws:rds:eu-north-1:111122223333:db:pai-test"
}

run "a_pilot_light_by_default" {
  command = apply

  assert {
    condition     = aws_kms_replica_key.this.primary_key_arn == var.kms_key_arn && aws_backup_vault.this.kms_key_arn == aws_kms_replica_key.this.arn
    error_message = "The same key, and a vault under it."
  }
  assert {
    condition     = aws_db_instance_automated_backups_replication.this[0].kms_key_id == aws_kms_replica_key.this.arn && length(aws_db_instance.replica) == 0
    error_message = "Backups follow; nothing runs there."
  }
}

run "warm" {
  command = apply

  variables {
    database_copy      = "replica"
    replica_subnet_ids = ["subnet-1", "subnet-2"]
  }

  assert {
    condition     = aws_db_instance.replica[0].storage_encrypted && !aws_db_instance.replica[0].publicly_accessible && aws_db_instance.replica[0].deletion_protection
    error_message = "As private and as safe as the first."
  }
}

run "a_replica_needs_subnets" {
  command = plan

  variables {
    database_copy = "replica"
  }

  expect_failures = [var.replica_subnet_ids]
}
