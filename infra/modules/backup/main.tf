# A vault is where backups are; nobody but Backup itself and the key's holders reads it.
resource "aws_backup_vault" "this" {
  name        = var.name
  kms_key_arn = var.kms_key_arn
}

# In governance mode, whoever holds the right may still lift the lock; without it nobody deletes early.
resource "aws_backup_vault_lock_configuration" "this" {
  count = var.lock ? 1 : 0

  backup_vault_name  = aws_backup_vault.this.name
  min_retention_days = var.least_retention_days
  max_retention_days = 400
}

data "aws_caller_identity" "this" {}

data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["backup.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [data.aws_caller_identity.this.account_id]
    }
  }
}

resource "aws_iam_role" "this" {
  name               = "${var.name}-backup"
  assume_role_policy = data.aws_iam_policy_document.trust.json
}

resource "aws_iam_role_policy_attachment" "this" {
  for_each = toset(["AWSBackupServiceRolePolicyForBackup", "AWSBackupServiceRolePolicyForRestores"])

  role       = aws_iam_role.this.name
  policy_arn = "arn:aws:iam::aws:policy/service-role/${each.key}"
}

locals {
  rules = {
    daily   = { schedule = "cron(0 3 * * ? *)", days = var.daily_retention_days }
    weekly  = { schedule = "cron(0 4 ? * SUN *)", days = var.weekly_retention_days }
    monthly = { schedule = "cron(0 5 1 * ? *)", days = var.monthly_retention_days }
  }
}

resource "aws_backup_plan" "this" {
  name = var.name

  dynamic "rule" {
    for_each = local.rules

    content {
      rule_name                = rule.key
      target_vault_name        = aws_backup_vault.this.name
      schedule                 = rule.value.schedule
      start_window             = 60
      completion_window        = 360
      recovery_point_tags      = { Environment = var.name }
      enable_continuous_backup = false

      lifecycle {
        delete_after = rule.value.days
      }

      dynamic "copy_action" {
        for_each = var.copy_vault_arn == null ? [] : [var.copy_vault_arn]

        content {
          destination_vault_arn = copy_action.value

          lifecycle {
            delete_after = rule.value.days
          }
        }
      }
    }
  }
}

resource "aws_backup_selection" "this" {
  name         = var.name
  plan_id      = aws_backup_plan.this.id
  iam_role_arn = aws_iam_role.this.arn
  resources    = var.resource_arns
}

# A backup that was never restored is a hope: each night one is, and thrown away after it has been looked at.
resource "aws_backup_restore_testing_plan" "this" {
  count = var.restore_testing ? 1 : 0

  name                         = replace(var.name, "-", "_")
  schedule_expression          = "cron(0 5 * * ? *)"
  schedule_expression_timezone = "Etc/UTC"
  start_window_hours           = 2

  recovery_point_selection {
    algorithm             = "LATEST_WITHIN_WINDOW"
    include_vaults        = [aws_backup_vault.this.arn]
    recovery_point_types  = ["SNAPSHOT"]
    selection_window_days = 2
  }
}

resource "aws_backup_restore_testing_selection" "this" {
  count = var.restore_testing ? 1 : 0

  name                      = "${replace(var.name, "-", "_")}_database"
  restore_testing_plan_name = aws_backup_restore_testing_plan.this[0].name
  protected_resource_type   = var.database_engine == "rds" ? "RDS" : "Aurora"
  iam_role_arn              = aws_iam_role.this.arn
  protected_resource_arns   = var.resource_arns
  validation_window_hours   = 2

  restore_metadata_overrides = {
    dbSubnetGroupName = var.subnet_group_name
  }
}
