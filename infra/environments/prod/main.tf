module "pai" {
  source = "../../modules/stack"

  providers = {
    aws           = aws
    aws.us_east_1 = aws.us_east_1
    aws.dr        = aws.dr
  }

  domain_name        = var.domain_name
  hosted_zone_id     = var.hosted_zone_id
  image              = var.image
  repository_arn     = var.repository_arn
  alert_emails       = var.alert_emails
  openai             = var.openai
  bedrock_model_arns = var.bedrock_model_arns
  settings           = var.settings

  name               = "pai-prod"
  protected          = true
  nat                = "per_az"
  guardduty          = true
  watch_account      = true
  log_retention_days = 30
  log_archive        = true
  chaos              = true
  monthly_budget_usd = 400

  database = {
    instance_class        = "db.t4g.medium"
    storage_gb            = 50
    multi_az              = true
    backup_retention_days = 14
    max_connections       = 400
    least_memory_mb       = 400
  }

  api = {
    cpu       = 1024
    memory_mb = 2048
    min_tasks = 2
    max_tasks = 10
  }

  # A tenth of the traffic for five minutes, then all of it; the old version waits ten more.
  deployment = { strategy = "CANARY", step_percent = 10, step_minutes = 5, bake_minutes = 10 }

  dr = { region = var.dr_region, database_copy = "backups" }
}
