resource "aws_db_parameter_group" "this" {
  count = local.rds ? 1 : 0

  name_prefix = "${var.name}-"
  family      = "postgres${var.major_version}"
  description = "PAI on PostgreSQL ${var.major_version}"

  dynamic "parameter" {
    for_each = local.parameters

    content {
      name         = parameter.key
      value        = parameter.value.value
      apply_method = parameter.value.apply
    }
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_db_instance" "this" {
  count = local.rds ? 1 : 0

  identifier     = var.name
  engine         = "postgres"
  engine_version = tostring(var.major_version)
  instance_class = var.instance_class
  db_name        = var.restore == null ? local.database : null
  port           = local.port

  username                      = "pai_master"
  manage_master_user_password   = true
  master_user_secret_kms_key_id = var.kms_key_arn

  allocated_storage     = var.storage_gb
  max_allocated_storage = var.storage_max_gb
  storage_type          = "gp3"
  storage_encrypted     = true
  # What is restored stays under its own key.
  kms_key_id = var.restore == null ? var.kms_key_arn : var.restore.kms_key_arn

  multi_az               = var.multi_az
  db_subnet_group_name   = aws_db_subnet_group.this.name
  vpc_security_group_ids = [aws_security_group.this.id]
  publicly_accessible    = false
  ca_cert_identifier     = "rds-ca-rsa2048-g1"
  parameter_group_name   = aws_db_parameter_group.this[0].name

  backup_retention_period   = var.backup_retention_days
  backup_window             = "01:30-02:30"
  maintenance_window        = "sun:03:00-sun:04:00"
  copy_tags_to_snapshot     = true
  delete_automated_backups  = false
  deletion_protection       = var.deletion_protection
  skip_final_snapshot       = !var.deletion_protection
  final_snapshot_identifier = var.deletion_protection ? "${var.name}-last" : null

  auto_minor_version_upgrade      = var.auto_minor_version_upgrade
  allow_major_version_upgrade     = false
  apply_immediately               = var.apply_immediately
  performance_insights_enabled    = true
  performance_insights_kms_key_id = var.kms_key_arn
  monitoring_interval             = 60
  monitoring_role_arn             = aws_iam_role.monitoring.arn
  enabled_cloudwatch_logs_exports = ["postgresql", "upgrade"]

  dynamic "restore_to_point_in_time" {
    for_each = var.restore == null ? [] : [var.restore]

    content {
      source_db_instance_automated_backups_arn = restore_to_point_in_time.value.backups_arn
      use_latest_restorable_time               = true
    }
  }

  tags = { Backup = var.name }

  # It was restored once: that the backups are no longer named must not replace it.
  lifecycle {
    ignore_changes = [restore_to_point_in_time, kms_key_id, db_name]
  }

  depends_on = [aws_cloudwatch_log_group.this]
}

resource "aws_db_instance" "replica" {
  count = local.rds ? var.read_replica_count : 0

  identifier             = "${var.name}-replica-${count.index + 1}"
  replicate_source_db    = aws_db_instance.this[0].identifier
  instance_class         = var.instance_class
  storage_encrypted      = true
  vpc_security_group_ids = [aws_security_group.this.id]
  publicly_accessible    = false
  ca_cert_identifier     = "rds-ca-rsa2048-g1"
  parameter_group_name   = aws_db_parameter_group.this[0].name
  deletion_protection    = var.deletion_protection
  skip_final_snapshot    = true
  copy_tags_to_snapshot  = true

  max_allocated_storage           = var.storage_max_gb
  auto_minor_version_upgrade      = var.auto_minor_version_upgrade
  performance_insights_enabled    = true
  performance_insights_kms_key_id = var.kms_key_arn
  monitoring_interval             = 60
  monitoring_role_arn             = aws_iam_role.monitoring.arn
}
