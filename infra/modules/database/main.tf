locals {
  port     = 5432
  database = "pai"

  rds    = var.engine == "rds"
  aurora = var.engine == "aurora"

  # Bound values are what people said: they stay out of the log, whatever is slow or fails.
  parameters = {
    "rds.force_ssl"                       = { value = "1", apply = "immediate" }
    "log_parameter_max_length"            = { value = "0", apply = "immediate" }
    "log_parameter_max_length_on_error"   = { value = "0", apply = "immediate" }
    "log_min_duration_statement"          = { value = tostring(var.slow_statement_ms), apply = "immediate" }
    "log_lock_waits"                      = { value = "1", apply = "immediate" }
    "idle_in_transaction_session_timeout" = { value = "60000", apply = "immediate" }
    "shared_preload_libraries"            = { value = "pg_stat_statements", apply = "pending-reboot" }
  }
}

resource "aws_db_subnet_group" "this" {
  name        = var.name
  description = "Subnets no route leads out of"
  subnet_ids  = var.subnet_ids
}

resource "aws_security_group" "this" {
  name        = "${var.name}-database"
  description = "The database, reached by the service alone"
  vpc_id      = var.vpc_id

  tags = { Name = "${var.name}-database" }
}

resource "aws_vpc_security_group_ingress_rule" "service" {
  security_group_id            = aws_security_group.this.id
  description                  = "PostgreSQL from the service"
  referenced_security_group_id = var.client_security_group_id
  ip_protocol                  = "tcp"
  from_port                    = local.port
  to_port                      = local.port
}

data "aws_iam_policy_document" "monitoring_trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["monitoring.rds.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "monitoring" {
  name               = "${var.name}-database-monitoring"
  assume_role_policy = data.aws_iam_policy_document.monitoring_trust.json
}

resource "aws_iam_role_policy_attachment" "monitoring" {
  role       = aws_iam_role.monitoring.name
  policy_arn = "arn:aws:iam::aws:policy/service-role/AmazonRDSEnhancedMonitoringRole"
}

# RDS would make these itself, without a key or an end.
resource "aws_cloudwatch_log_group" "this" {
  for_each = local.rds ? toset(["postgresql", "upgrade"]) : toset([])

  name              = "/aws/rds/instance/${var.name}/${each.key}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.kms_key_arn
}
