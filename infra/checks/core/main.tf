# The part of an environment that the local AWS knows: applied for real, then planned again, which must find nothing to do.
terraform {
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = ">= 6.21, < 7.0"
    }
  }
}

provider "aws" {
  region            = "us-east-1"
  s3_use_path_style = true
  max_retries       = 2
}

provider "aws" {
  alias             = "us_east_1"
  region            = "us-east-1"
  s3_use_path_style = true
  max_retries       = 2
}

variable "database" {
  description = "Whether the database is made too: it takes three minutes."
  type        = bool
  default     = false
}

locals {
  name = "pai-core"
}

module "security" {
  source = "../../modules/security"

  providers = {
    aws           = aws
    aws.us_east_1 = aws.us_east_1
  }

  name = local.name
}

module "network" {
  source = "../../modules/network"

  name        = local.name
  nat         = "single"
  kms_key_arn = module.security.kms_key_arn
}

module "registry" {
  source = "../../modules/registry"

  name        = local.name
  kms_key_arn = module.security.kms_key_arn
}

module "database" {
  source = "../../modules/database"
  count  = var.database ? 1 : 0

  name                     = local.name
  vpc_id                   = module.network.vpc_id
  subnet_ids               = module.network.database_subnet_ids
  client_security_group_id = module.service.security_group_id
  kms_key_arn              = module.security.kms_key_arn
}

# In place of the edge, whose CloudFront functions the local AWS does not know.
resource "aws_security_group" "edge" {
  name        = "edge"
  description = "In place of the load balancer"
  vpc_id      = module.network.vpc_id
}

resource "aws_lb_target_group" "api" {
  for_each = toset(["blue", "green"])

  name        = each.key
  vpc_id      = module.network.vpc_id
  port        = 3000
  protocol    = "HTTP"
  target_type = "ip"
}

module "service" {
  source = "../../modules/service"

  name                              = local.name
  image                             = "${module.registry.repository_url}:0123456789abcdef"
  repository_arn                    = module.registry.repository_arn
  vpc_id                            = module.network.vpc_id
  vpc_cidr                          = module.network.cidr
  subnet_ids                        = module.network.task_subnet_ids
  load_balancer_security_group_id   = aws_security_group.edge.id
  target_group_arns                 = { for colour, group in aws_lb_target_group.api : colour => group.arn }
  production_rule_arn               = "arn:aws:elasticloadbalancing:us-east-1:123456789012:listener-rule/app/pai/1/2/3"
  test_rule_arn                     = "arn:aws:elasticloadbalancing:us-east-1:123456789012:listener-rule/app/pai/1/2/4"
  rollback_alarm_names              = ["${local.name}-error-rate"]
  deployment                        = { strategy = "ROLLING" }
  database_host                     = "database"
  database_url_secret_arn           = module.security.jwt_secret_arn
  migration_database_url_secret_arn = module.security.jwt_secret_arn
  master_secret_arn                 = module.security.jwt_secret_arn
  jwt_secret_arn                    = module.security.jwt_secret_arn
  openai_secret_arn                 = module.security.openai_secret_arn
  kms_key_arn                       = module.security.kms_key_arn
}

output "vpc_id" {
  description = "The VPC."
  value       = module.network.vpc_id
}
