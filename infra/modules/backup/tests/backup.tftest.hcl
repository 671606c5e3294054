mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "111122223333" }
  }
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::111122223333:role/backup" }
  }
  mock_resource "aws_backup_vault" {
    defaults = { arn = "arn:aws:backup:eu-north-1:111122223333:backup-vault:pai" }
  }
}

variables {
  name              = "pai-test"
  kms_key_arn       = "arn:aws:kms:eu-north-1:111122223333:key/mrk-1"
  resource_arns     = ["arn:aws:rds:eu-north-1:111122223333:db:pai-test"]
  subnet_group_name = "pai-test"
}

run "kept_locked_and_tried" {
  command = plan

  assert {
    condition     = aws_backup_vault.this.kms_key_arn == var.kms_key_arn && aws_backup_vault_lock_configuration.this[0].min_retention_days == 7
    error_message = "Encrypted, and nobody deletes early."
  }
  assert {
    condition     = alltrue([for rule in aws_backup_plan.this.rule : rule.lifecycle[0].delete_after >= 14])
    error_message = "Kept for two weeks at least."
  }
  assert {
    condition     = length(aws_backup_restore_testing_plan.this) == 1 && aws_backup_restore_testing_selection.this[0].protected_resource_type == "RDS"
    error_message = "Restored each night."
  }
  assert {
    condition     = alltrue([for rule in aws_backup_plan.this.rule : length(rule.copy_action) == 0])
    error_message = "No second region unless asked for."
  }
}

run "copied_to_a_second_region" {
  command = plan

  variables {
    copy_vault_arn = "arn:aws:backup:eu-west-1:111122223333:backup-vault:pai"
  }

  assert {
    condition     = alltrue([for rule in aws_backup_plan.this.rule : one(rule.copy_action).destination_vault_arn == var.copy_vault_arn])
    error_message = "Each of them."
  }
}

run "no_shorter_than_the_lock" {
  command = plan

  variables {
    daily_retention_days = 3
  }

  expect_failures = [var.daily_retention_days]
}
