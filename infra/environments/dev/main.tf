# Nearly free: one small database, no NAT gateway, tasks on spare capacity that sleep at night, nothing kept for long.
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

  name               = "pai-dev"
  protected          = false
  nat                = "none"
  waf                = false
  tracing            = false
  container_insights = "disabled"
  log_retention_days = 7
  backup             = false
  chaos              = false
  monthly_budget_usd = 60

  database = {
    instance_class        = "db.t4g.micro"
    storage_gb            = 20
    storage_max_gb        = 50
    multi_az              = false
    backup_retention_days = 1
    max_connections       = 80
    least_memory_mb       = 100
  }

  api = {
    cpu       = 256
    memory_mb = 1024
    min_tasks = 1
    max_tasks = 2
    capacity  = { FARGATE = { base = 0, weight = 0 }, FARGATE_SPOT = { base = 0, weight = 1 } }
  }

  worker = {
    cpu       = 256
    memory_mb = 512
    min_tasks = 1
    max_tasks = 1
    capacity  = { FARGATE = { base = 0, weight = 0 }, FARGATE_SPOT = { base = 0, weight = 1 } }
  }

  # From eight at night to seven in the morning, and over the weekend.
  sleep = { from = "0 20 ? * MON-FRI *", until = "0 7 ? * MON-FRI *", timezone = "Europe/Oslo" }

  deployment = { strategy = "ROLLING" }
}
