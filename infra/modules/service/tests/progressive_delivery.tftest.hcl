mock_provider "aws" {
  source = "./tests"
}

variables {
  name                              = "pai-test"
  image                             = "111122223333.dkr.ecr.eu-north-1.amazonaws.com/pai:0123456789abcdef"
  repository_arn                    = "arn:aws:ecr:eu-north-1:111122223333:repository/pai"
  vpc_id                            = "vpc-1"
  vpc_cidr                          = "10.40.0.0/16"
  subnet_ids                        = ["subnet-1", "subnet-2"]
  load_balancer_security_group_id   = "sg-load-balancer"
  target_group_arns                 = { blue = "arn:aws:elasticloadbalancing:eu-north-1:111122223333:targetgroup/blue/1", green = "arn:aws:elasticloadbalancing:eu-north-1:111122223333:targetgroup/green/1" }
  production_rule_arn               = "arn:aws:elasticloadbalancing:eu-north-1:111122223333:listener-rule/app/pai/1/2/3"
  test_rule_arn                     = "arn:aws:elasticloadbalancing:eu-north-1:111122223333:listener-rule/app/pai/1/2/4"
  rollback_alarm_names              = ["pai-test-errors"]
  database_host                     = "db"
  database_url_secret_arn           = "arn:aws:secretsmanager:eu-north-1:111122223333:secret:url"
  migration_database_url_secret_arn = "arn:aws:secretsmanager:eu-north-1:111122223333:secret:migration"
  master_secret_arn                 = "arn:aws:secretsmanager:eu-north-1:111122223333:secret:master"
  jwt_secret_arn                    = "arn:aws:secretsmanager:eu-north-1:111122223333:secret:jwt"
  kms_key_arn                       = "arn:aws:kms:eu-north-1:111122223333:key/mrk-1"
  trusted_proxies                   = ["120.52.22.96/27"]
}

run "canary_by_default" {
  command = plan

  assert {
    condition     = aws_ecs_service.api.deployment_controller[0].type == "ECS" && aws_ecs_service.api.deployment_configuration[0].strategy == "CANARY"
    error_message = "Native to ECS."
  }
  assert {
    condition     = aws_ecs_service.api.deployment_configuration[0].canary_configuration[0].canary_percent == 10 && aws_ecs_service.api.deployment_configuration[0].bake_time_in_minutes == "10"
    error_message = "A tenth first; the old version waits ten minutes."
  }
  assert {
    condition     = one(aws_ecs_service.api.load_balancer).advanced_configuration[0].alternate_target_group_arn == var.target_group_arns.green
    error_message = "Between blue and green."
  }
  assert {
    condition     = aws_ecs_service.api.sigint_rollback && length(aws_ecs_service.api.deployment_circuit_breaker) == 0
    error_message = "Taken back by alarms, or by whoever breaks off."
  }
}

run "in_steps" {
  command = plan

  variables {
    deployment = { strategy = "LINEAR", step_percent = 20, step_minutes = 3 }
  }

  assert {
    condition     = aws_ecs_service.api.deployment_configuration[0].linear_configuration[0].step_percent == 20 && length(aws_ecs_service.api.deployment_configuration[0].canary_configuration) == 0
    error_message = "A fifth at a time."
  }
}

run "all_at_once" {
  command = plan

  variables {
    deployment = { strategy = "BLUE_GREEN" }
  }

  assert {
    condition     = aws_ecs_service.api.deployment_configuration[0].strategy == "BLUE_GREEN" && aws_ecs_service.api.alarms[0].rollback
    error_message = "Blue to green, with a way back."
  }
}

run "rolling" {
  command = plan

  variables {
    deployment = { strategy = "ROLLING" }
  }

  assert {
    condition     = aws_ecs_service.api.deployment_circuit_breaker[0].rollback && length(one(aws_ecs_service.api.load_balancer).advanced_configuration) == 0
    error_message = "By the circuit breaker, with one target group."
  }
}
