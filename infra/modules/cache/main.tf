resource "aws_security_group" "this" {
  name        = "${var.name}-cache"
  description = "The cache, reached by the service alone"
  vpc_id      = var.vpc_id

  tags = { Name = "${var.name}-cache" }
}

resource "aws_vpc_security_group_ingress_rule" "service" {
  security_group_id            = aws_security_group.this.id
  description                  = "Valkey from the service"
  referenced_security_group_id = var.client_security_group_id
  ip_protocol                  = "tcp"
  from_port                    = 6379
  to_port                      = 6379
}

# Sign-in is by the task's role: there is no password to keep or to turn over.
resource "aws_elasticache_user" "service" {
  user_id       = "${var.name}-service"
  user_name     = "${var.name}-service"
  access_string = "on ~pai:* resetchannels &pai:* -@all +@read +@write +@connection +@transaction +@pubsub +@scripting"
  engine        = "valkey"

  authentication_mode {
    type = "iam"
  }
}

resource "aws_elasticache_user_group" "this" {
  user_group_id = "${var.name}-cache"
  engine        = "valkey"
  user_ids      = [aws_elasticache_user.service.user_id]
}

resource "aws_elasticache_subnet_group" "this" {
  count = var.mode == "node" ? 1 : 0

  name        = "${var.name}-cache"
  description = "Subnets of the cache"
  subnet_ids  = var.subnet_ids
}

resource "aws_elasticache_parameter_group" "this" {
  count = var.mode == "node" ? 1 : 0

  name        = "${var.name}-valkey8"
  family      = "valkey8"
  description = "Oldest out first when memory is full"

  parameter {
    name  = "maxmemory-policy"
    value = "allkeys-lru"
  }
}

resource "aws_elasticache_replication_group" "this" {
  count = var.mode == "node" ? 1 : 0

  replication_group_id       = "${var.name}-cache"
  description                = "Counts and answers shared by the nodes of PAI"
  engine                     = "valkey"
  engine_version             = "8.0"
  node_type                  = var.node_type
  num_cache_clusters         = var.node_count
  automatic_failover_enabled = var.node_count > 1
  multi_az_enabled           = var.node_count > 1
  parameter_group_name       = aws_elasticache_parameter_group.this[0].name
  subnet_group_name          = aws_elasticache_subnet_group.this[0].name
  security_group_ids         = [aws_security_group.this.id]
  user_group_ids             = [aws_elasticache_user_group.this.user_group_id]
  at_rest_encryption_enabled = true
  kms_key_id                 = var.kms_key_arn
  transit_encryption_enabled = true
  transit_encryption_mode    = "required"
  snapshot_retention_limit   = 1
  auto_minor_version_upgrade = true
  apply_immediately          = false
}

resource "aws_elasticache_serverless_cache" "this" {
  count = var.mode == "serverless" ? 1 : 0

  name                 = "${var.name}-cache"
  description          = "Counts and answers shared by the nodes of PAI"
  engine               = "valkey"
  major_engine_version = "8"
  kms_key_id           = var.kms_key_arn
  subnet_ids           = var.subnet_ids
  security_group_ids   = [aws_security_group.this.id]
  user_group_id        = aws_elasticache_user_group.this.user_group_id

  cache_usage_limits {
    data_storage {
      maximum = var.serverless_max_gb
      unit    = "GB"
    }

    ecpu_per_second {
      maximum = var.serverless_max_ecpu
    }
  }
}

locals {
  endpoint = var.mode == "node" ? one(aws_elasticache_replication_group.this[*].primary_endpoint_address) : one(one(aws_elasticache_serverless_cache.this[*].endpoint)[*].address)
}
