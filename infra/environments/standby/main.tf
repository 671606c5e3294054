# What takes prod's place in a second region when the first is gone: its shape, from its backups. It costs nothing until then,
# for until then nobody applies it. CloudFront, the name and the web app's files stay where they are: DNS turns to this load balancer.
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

  name               = "pai-standby"
  protected          = true
  front              = false
  waf                = false
  nat                = "single"
  log_retention_days = 30
  monthly_budget_usd = 400

  database = {
    instance_class        = "db.t4g.medium"
    storage_gb            = 50
    multi_az              = true
    backup_retention_days = 14
    max_connections       = 400
    least_memory_mb       = 400
    restore               = var.restore
  }

  api = {
    cpu       = 1024
    memory_mb = 2048
    min_tasks = 2
    max_tasks = 10
  }

  deployment = { strategy = "ROLLING" }
}
