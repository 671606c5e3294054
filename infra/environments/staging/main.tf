# Prod's shape at half its size: what is delivered, restored and broken here behaves there the same way.
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

  name               = "pai-staging"
  protected          = false
  nat                = "single"
  log_retention_days = 14
  chaos              = true
  monthly_budget_usd = 250

  database = {
    instance_class        = "db.t4g.small"
    storage_gb            = 20
    multi_az              = true
    backup_retention_days = 7
    max_connections       = 180
    least_memory_mb       = 200
  }

  api = {
    cpu       = 512
    memory_mb = 1024
    min_tasks = 2
    max_tasks = 4
  }

  deployment = { strategy = "CANARY", step_percent = 20, step_minutes = 2, bake_minutes = 2 }
}
