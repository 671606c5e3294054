# What waits in the second region. The default provider is the first region's, aws.dr the second's.

# The same key there: it reads the copies of secrets and backups.
resource "aws_kms_replica_key" "this" {
  provider = aws.dr

  description             = "Everything ${var.name} keeps, in the second region"
  primary_key_arn         = var.kms_key_arn
  deletion_window_in_days = 30
}

resource "aws_kms_alias" "this" {
  provider = aws.dr

  name          = "alias/${var.name}"
  target_key_id = aws_kms_replica_key.this.key_id
}

resource "aws_backup_vault" "this" {
  provider = aws.dr

  name        = "${var.name}-copies"
  kms_key_arn = aws_kms_replica_key.this.arn
}

# To the second, with at most some minutes lost: RDS sends snapshots and the log of changes along.
resource "aws_db_instance_automated_backups_replication" "this" {
  count    = var.database_copy == "backups" ? 1 : 0
  provider = aws.dr

  source_db_instance_arn = var.database_arn
  kms_key_id             = aws_kms_replica_key.this.arn
  retention_period       = var.backup_retention_days
}

# A database that follows within seconds and is promoted in minutes; it costs as much as the first.
resource "aws_db_subnet_group" "replica" {
  count    = var.database_copy == "replica" ? 1 : 0
  provider = aws.dr

  name        = "${var.name}-dr"
  description = "Subnets no route leads out of"
  subnet_ids  = var.replica_subnet_ids
}

resource "aws_db_instance" "replica" {
  count    = var.database_copy == "replica" ? 1 : 0
  provider = aws.dr

  identifier                 = "${var.name}-dr"
  replicate_source_db        = var.database_arn
  instance_class             = var.replica_instance_class
  storage_encrypted          = true
  kms_key_id                 = aws_kms_replica_key.this.arn
  db_subnet_group_name       = aws_db_subnet_group.replica[0].name
  vpc_security_group_ids     = var.replica_security_group_ids
  publicly_accessible        = false
  ca_cert_identifier         = "rds-ca-rsa2048-g1"
  backup_retention_period    = var.backup_retention_days
  deletion_protection        = true
  skip_final_snapshot        = true
  copy_tags_to_snapshot      = true
  auto_minor_version_upgrade = false

  performance_insights_enabled    = true
  performance_insights_kms_key_id = aws_kms_replica_key.this.arn
}
