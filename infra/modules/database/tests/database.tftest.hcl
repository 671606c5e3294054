mock_provider "aws" {
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::111122223333:role/monitoring" }
  }
  mock_resource "aws_db_instance" {
    defaults = {
      address            = "pai-test.abc.eu-north-1.rds.amazonaws.com"
      master_user_secret = [{ secret_arn = "arn:aws:secretsmanager:eu-north-1:111122223333:secret:rds", kms_key_id = "", secret_status = "active" }]
    }
  }
  mock_resource "aws_rds_cluster" {
    defaults = {
      endpoint           = "pai-test.cluster-abc.eu-north-1.rds.amazonaws.com"
      master_user_secret = [{ secret_arn = "arn:aws:secretsmanager:eu-north-1:111122223333:secret:rds", kms_key_id = "", secret_status = "active" }]
    }
  }
}

variables {
  name                     = "pai-test"
  vpc_id                   = "vpc-1"
  subnet_ids               = ["subnet-1", "subnet-2"]
  client_security_group_id = "sg-service"
  kms_key_arn              = "arn:aws:kms:eu-north-1:111122223333:key/mrk-1"
}

run "rds_is_private_encrypted_and_hard_to_lose" {
  command = plan

  assert {
    condition     = aws_db_instance.this[0].storage_encrypted && aws_db_instance.this[0].kms_key_id == var.kms_key_arn && !aws_db_instance.this[0].publicly_accessible
    error_message = "Encrypted with our key, and private."
  }
  assert {
    condition     = aws_db_instance.this[0].deletion_protection && aws_db_instance.this[0].backup_retention_period == 14 && !aws_db_instance.this[0].skip_final_snapshot && !aws_db_instance.this[0].delete_automated_backups
    error_message = "Protected, backed up, with a last snapshot."
  }
  assert {
    condition     = aws_db_instance.this[0].manage_master_user_password && aws_db_instance.this[0].password == null
    error_message = "RDS keeps the master's password."
  }
  assert {
    condition     = { for parameter in aws_db_parameter_group.this[0].parameter : parameter.name => parameter.value }["rds.force_ssl"] == "1" && { for parameter in aws_db_parameter_group.this[0].parameter : parameter.name => parameter.value }["log_parameter_max_length"] == "0"
    error_message = "TLS only, and nobody's words in the log."
  }
  assert {
    condition     = aws_vpc_security_group_ingress_rule.service.referenced_security_group_id == "sg-service" && aws_vpc_security_group_ingress_rule.service.from_port == 5432
    error_message = "The service alone."
  }
  assert {
    condition     = alltrue([for secret in aws_secretsmanager_secret.login : secret.kms_key_id == var.kms_key_arn && secret.recovery_window_in_days == 30])
    error_message = "Both logins' secrets are encrypted and can be brought back."
  }
  assert {
    condition     = length(aws_rds_cluster.this) == 0 && length(aws_db_instance.replica) == 0
    error_message = "One engine, no replica unless asked for."
  }
}

run "aurora_keeps_the_same_promises" {
  command = plan

  variables {
    engine             = "aurora"
    read_replica_count = 1
  }

  assert {
    condition     = aws_rds_cluster.this[0].storage_encrypted && aws_rds_cluster.this[0].deletion_protection && aws_rds_cluster.this[0].backup_retention_period == 14 && aws_rds_cluster.this[0].manage_master_user_password
    error_message = "Encrypted, protected, backed up, master kept by RDS."
  }
  assert {
    condition     = length(aws_rds_cluster_instance.this) == 2 && alltrue([for instance in aws_rds_cluster_instance.this : !instance.publicly_accessible])
    error_message = "A writer and a reader, both private."
  }
  assert {
    condition     = length(aws_db_instance.this) == 0
    error_message = "One engine."
  }
}

run "aurora_may_sleep" {
  command = plan

  variables {
    engine         = "aurora"
    aurora_min_acu = 0
  }

  assert {
    condition     = aws_rds_cluster.this[0].serverlessv2_scaling_configuration[0].seconds_until_auto_pause == 300
    error_message = "It pauses after five minutes."
  }
}

run "a_replica_is_as_private" {
  command = plan

  variables {
    read_replica_count = 1
  }

  assert {
    condition     = !aws_db_instance.replica[0].publicly_accessible && aws_db_instance.replica[0].storage_encrypted && aws_db_instance.replica[0].deletion_protection
    error_message = "Private, encrypted, protected."
  }
}

run "it_may_begin_from_backups_of_another_region" {
  command = plan

  variables {
    restore = {
      backups_arn = "arn:aws:rds:eu-west-1:111122223333:auto-backup:ab-1"
      kms_key_arn = "arn:aws:kms:eu-west-1:111122223333:key/mrk-1"
    }
  }

  assert {
    condition     = aws_db_instance.this[0].restore_to_point_in_time[0].source_db_instance_automated_backups_arn == var.restore.backups_arn && aws_db_instance.this[0].restore_to_point_in_time[0].use_latest_restorable_time
    error_message = "To the latest second there is."
  }
  assert {
    condition     = aws_db_instance.this[0].kms_key_id == var.restore.kms_key_arn && aws_db_instance.this[0].storage_encrypted && aws_db_instance.this[0].manage_master_user_password
    error_message = "Under the key of the backups, with a master's password of its own."
  }
}

run "backups_cannot_be_switched_off" {
  command = plan

  variables {
    backup_retention_days = 0
  }

  expect_failures = [var.backup_retention_days]
}
