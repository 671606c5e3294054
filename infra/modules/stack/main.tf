# What an environment is made of. environments/* only say how much of it.

locals {
  protected = var.protected
}

module "security" {
  source = "../security"

  providers = {
    aws           = aws
    aws.us_east_1 = aws.us_east_1
  }

  name                 = var.name
  openai               = var.openai
  secret_recovery_days = local.protected ? 30 : 0
  replica_region       = var.dr == null ? null : var.dr.region
  replica_kms_key_arn  = one(module.dr[*].kms_key_arn)
  cloudtrail           = var.watch_account
  guardduty            = var.guardduty
  waf                  = var.waf
}

module "network" {
  source = "../network"

  name                    = var.name
  cidr                    = var.cidr
  zone_count              = var.zone_count
  nat                     = var.nat
  interface_endpoints     = var.interface_endpoints
  kms_key_arn             = module.security.kms_key_arn
  flow_log_retention_days = var.log_retention_days
}

module "database" {
  source = "../database"

  name                       = var.name
  engine                     = var.database.engine
  instance_class             = var.database.instance_class
  storage_gb                 = var.database.storage_gb
  storage_max_gb             = var.database.storage_max_gb
  multi_az                   = var.database.multi_az
  read_replica_count         = var.database.read_replica_count
  aurora_min_acu             = var.database.aurora_min_acu
  aurora_max_acu             = var.database.aurora_max_acu
  backup_retention_days      = var.database.backup_retention_days
  restore                    = var.database.restore
  deletion_protection        = local.protected
  apply_immediately          = !local.protected
  auto_minor_version_upgrade = !local.protected
  log_retention_days         = var.log_retention_days
  secret_recovery_days       = local.protected ? 30 : 0
  replica_region             = var.dr == null ? null : var.dr.region
  replica_kms_key_arn        = one(module.dr[*].kms_key_arn)
  vpc_id                     = module.network.vpc_id
  subnet_ids                 = module.network.database_subnet_ids
  client_security_group_id   = module.service.security_group_id
  kms_key_arn                = module.security.kms_key_arn
}

module "cache" {
  source = "../cache"
  count  = var.cache == "none" ? 0 : 1

  name                     = var.name
  mode                     = var.cache
  vpc_id                   = module.network.vpc_id
  subnet_ids               = module.network.database_subnet_ids
  client_security_group_id = module.service.security_group_id
  kms_key_arn              = module.security.kms_key_arn
}

module "edge" {
  source = "../edge"

  providers = {
    aws           = aws
    aws.us_east_1 = aws.us_east_1
  }

  name                      = var.name
  domain_name               = var.domain_name
  hosted_zone_id            = var.hosted_zone_id
  vpc_id                    = module.network.vpc_id
  public_subnet_ids         = module.network.public_subnet_ids
  service_security_group_id = module.service.security_group_id
  kms_key_arn               = module.security.kms_key_arn
  front                     = var.front
  web_acl_arn               = module.security.web_acl_arn
  log_retention_days        = var.log_retention_days
  deletion_protection       = local.protected
}

module "service" {
  source = "../service"

  name                              = var.name
  image                             = var.image
  repository_arn                    = var.repository_arn
  api                               = var.api
  worker                            = var.worker
  deployment                        = var.deployment
  sleep                             = var.sleep
  environment                       = merge({ PAI_REGISTRATION = "invite" }, var.settings)
  bedrock_model_arns                = var.bedrock_model_arns
  tracing                           = var.tracing
  container_insights                = var.container_insights
  log_retention_days                = var.log_retention_days
  rollback_alarm_names              = module.observability.rollback_alarm_names
  vpc_id                            = module.network.vpc_id
  vpc_cidr                          = module.network.cidr
  subnet_ids                        = module.network.task_subnet_ids
  assign_public_ip                  = module.network.tasks_need_public_ip
  load_balancer_security_group_id   = module.edge.security_group_id
  target_group_arns                 = { for colour, group in module.edge.target_groups : colour => group.arn }
  production_rule_arn               = module.edge.production_rule_arn
  test_rule_arn                     = module.edge.test_rule_arn
  trusted_proxies                   = module.edge.trusted_proxies
  database_host                     = module.database.host
  database_url_secret_arn           = module.database.database_url_secret_arn
  migration_database_url_secret_arn = module.database.migration_database_url_secret_arn
  master_secret_arn                 = module.database.master_secret_arn
  jwt_secret_arn                    = module.security.jwt_secret_arn
  openai_secret_arn                 = module.security.openai_secret_arn
  cache_arns                        = [for cache in module.cache : cache.user_arn]
  kms_key_arn                       = module.security.kms_key_arn
}

module "observability" {
  source = "../observability"

  name                      = var.name
  kms_key_arn               = module.security.kms_key_arn
  alert_emails              = var.alert_emails
  log_groups                = { for part in ["api", "worker", "tasks"] : part => "/pai/${var.name}/${part}" }
  load_balancer_suffix      = module.edge.load_balancer_suffix
  target_group_suffixes     = [for group in module.edge.target_groups : group.suffix]
  database_engine           = var.database.engine
  database_identifier       = var.name
  replica_identifier        = var.database.engine == "rds" && var.database.read_replica_count > 0 ? "${var.name}-replica-1" : null
  database_max_connections  = var.database.max_connections
  database_least_memory_mb  = var.database.least_memory_mb
  database_least_storage_gb = ceil(var.database.storage_gb / 5)
  cache_id                  = one(module.cache[*].replication_group_id)
  tracing                   = var.tracing
  container_insights        = var.container_insights != "disabled"
  watch_account             = var.watch_account
  monthly_budget_usd        = var.monthly_budget_usd
  log_archive               = var.log_archive
}

module "backup" {
  source = "../backup"
  count  = var.backup ? 1 : 0

  name              = var.name
  kms_key_arn       = module.security.kms_key_arn
  resource_arns     = [module.database.arn]
  database_engine   = var.database.engine
  subnet_group_name = var.name
  copy_vault_arn    = one(module.dr[*].vault_arn)
}

module "dr" {
  source = "../dr"
  count  = var.dr == null ? 0 : 1

  providers = {
    aws    = aws
    aws.dr = aws.dr
  }

  name                       = var.name
  kms_key_arn                = module.security.kms_key_arn
  database_arn               = module.database.arn
  database_copy              = var.database.engine == "rds" ? var.dr.database_copy : "none"
  replica_instance_class     = var.database.instance_class
  replica_subnet_ids         = var.dr.subnet_ids
  replica_security_group_ids = var.dr.security_group_ids
}

module "chaos" {
  source = "../chaos"
  count  = var.chaos ? 1 : 0

  name            = var.name
  cluster_name    = var.name
  service_names   = { api = "${var.name}-api", worker = "${var.name}-worker" }
  database_arn    = module.database.arn
  database_engine = var.database.engine
  vpc_id          = module.network.vpc_id
  subnet_arns     = module.network.task_subnet_arns
  stop_alarm_arn  = module.observability.error_rate_alarm_arn
}

# Where a delivery finds what it needs.
resource "aws_ssm_parameter" "this" {
  for_each = merge({
    cluster         = module.service.cluster_name
    subnets         = join(",", module.network.task_subnet_ids)
    security-group  = module.service.security_group_id
    public-ip       = module.network.tasks_need_public_ip ? "ENABLED" : "DISABLED"
    url             = module.edge.url
    rollback-alarms = join(",", module.observability.rollback_alarm_names)
    experiments     = jsonencode(var.chaos ? module.chaos[0].template_ids : {})
    }, var.front ? {
    web-bucket   = module.edge.web_bucket
    distribution = module.edge.distribution_id
  } : {})

  name  = "/${replace(var.name, "/-.*/", "")}/${replace(var.name, "/^[^-]*-/", "")}/${each.key}"
  type  = "String"
  value = each.value
}
