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

run "the_container_can_do_little" {
  command = apply

  assert {
    condition     = alltrue([for task in aws_ecs_task_definition.this : alltrue([for container in jsondecode(task.container_definitions) : container.readonlyRootFilesystem && container.user == "65532:65532"])])
    error_message = "A read-only root, and a user without rights."
  }
  assert {
    condition     = alltrue([for task in aws_ecs_task_definition.this : jsondecode(task.container_definitions)[0].linuxParameters.capabilities.drop[0] == "ALL" && jsondecode(task.container_definitions)[0].linuxParameters.initProcessEnabled])
    error_message = "No capability, and an init process that passes signals on."
  }
  assert {
    condition     = !aws_ecs_service.api.enable_execute_command && !aws_ecs_service.worker.enable_execute_command
    error_message = "Nobody opens a shell in there."
  }
  assert {
    condition     = aws_ecs_task_definition.this["api"].runtime_platform[0].cpu_architecture == "ARM64"
    error_message = "ARM64."
  }
}

run "secrets_come_from_secrets_manager" {
  command = apply

  assert {
    condition     = sort([for secret in jsondecode(aws_ecs_task_definition.this["api"].container_definitions)[0].secrets : secret.name]) == tolist(["DATABASE_URL", "PAI_JWT_SECRET", "PAI_MIGRATION_DATABASE_URL"])
    error_message = "The three that PAI needs."
  }
  assert {
    condition     = alltrue([for task in aws_ecs_task_definition.this : !anytrue([for setting in jsondecode(task.container_definitions)[0].environment : can(regex("(SECRET|PASSWORD|API_KEY|DATABASE_URL)", setting.name))])])
    error_message = "None of them in plain sight."
  }
  assert {
    condition     = alltrue([for name in ["api", "worker", "migrate"] : !anytrue([for secret in jsondecode(aws_ecs_task_definition.this[name].container_definitions)[0].secrets : startswith(secret.valueFrom, var.master_secret_arn)])])
    error_message = "The master's password is for the logins task alone."
  }
}

run "each_task_knows_its_part" {
  command = apply

  assert {
    condition     = alltrue([for name in ["api", "worker"] : { for setting in jsondecode(aws_ecs_task_definition.this[name].container_definitions)[0].environment : setting.name => setting.value }["PAI_ROLE"] == name])
    error_message = "PAI_ROLE."
  }
  assert {
    condition     = { for setting in jsondecode(aws_ecs_task_definition.this["api"].container_definitions)[0].environment : setting.name => setting.value }["PAI_TRUST_PROXY"] == "10.40.0.0/16,120.52.22.96/27"
    error_message = "The load balancer and CloudFront are believed."
  }
  assert {
    condition     = jsondecode(aws_ecs_task_definition.this["migrate"].container_definitions)[0].command == ["node", "src/main.ts", "--migrate"]
    error_message = "The same image migrates."
  }
  assert {
    condition     = jsondecode(aws_ecs_task_definition.this["api"].container_definitions)[0].stopTimeout >= 30
    error_message = "PAI is given its 30 seconds."
  }
}

run "reached_by_the_load_balancer_alone" {
  command = plan

  assert {
    condition     = aws_vpc_security_group_ingress_rule.load_balancer.referenced_security_group_id == "sg-load-balancer" && aws_vpc_security_group_ingress_rule.load_balancer.cidr_ipv4 == null
    error_message = "No address reaches a task."
  }
  assert {
    condition     = !aws_ecs_service.api.network_configuration[0].assign_public_ip
    error_message = "Private."
  }
}

run "failing_versions_are_taken_back" {
  command = plan

  assert {
    condition     = aws_ecs_service.api.alarms[0].rollback && tolist(aws_ecs_service.api.alarms[0].alarm_names) == tolist(["pai-test-errors"])
    error_message = "By alarms."
  }
  assert {
    condition     = aws_ecs_service.worker.deployment_circuit_breaker[0].rollback
    error_message = "By the circuit breaker."
  }
}

run "grows_with_open_streams_and_cpu" {
  command = plan

  assert {
    condition     = aws_appautoscaling_policy.own["api_streams"].target_tracking_scaling_policy_configuration[0].customized_metric_specification[0].metric_name == "ActiveStreams" && aws_appautoscaling_policy.cpu["api"].target_tracking_scaling_policy_configuration[0].target_value == 60
    error_message = "Streams and CPU."
  }
  assert {
    condition     = length(aws_appautoscaling_scheduled_action.night) == 0
    error_message = "Awake at night unless asked otherwise."
  }
}

run "sleeps_when_told" {
  command = plan

  variables {
    sleep = { from = "0 20 ? * MON-FRI *", until = "0 7 ? * MON-FRI *" }
  }

  assert {
    condition     = length(aws_appautoscaling_scheduled_action.night) == 4 && aws_appautoscaling_scheduled_action.night["api_sleep"].scalable_target_action[0].max_capacity == "0"
    error_message = "Both services, both ways."
  }
}

run "a_secret_among_the_settings_is_refused" {
  command = plan

  variables {
    environment = { OPENAI_API_KEY = "sk" }
  }

  expect_failures = [var.environment]
}

run "latest_is_no_version" {
  command = plan

  variables {
    image = "example/pai:latest"
  }

  expect_failures = [var.image]
}

run "no_delivery_without_a_way_back" {
  command = plan

  variables {
    rollback_alarm_names = []
  }

  expect_failures = [var.rollback_alarm_names]
}
