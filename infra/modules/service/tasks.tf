locals {
  # What every task of the image is told.
  environment = merge({
    HOST                   = "0.0.0.0"
    PORT                   = tostring(var.port)
    PAI_DATA_DIR           = "/tmp/pai"
    PAI_TRUST_PROXY        = join(",", concat([var.vpc_cidr], var.trusted_proxies))
    AWS_REGION             = local.region
    LOG_LEVEL              = var.log_level
    OTEL_SERVICE_NAMESPACE = var.name
    PAI_EMF_NAMESPACE      = var.metrics_namespace
    }, var.tracing ? {
    OTEL_EXPORTER_OTLP_ENDPOINT = "http://127.0.0.1:4318"
    OTEL_TRACES_SAMPLER_ARG     = tostring(var.trace_ratio)
  } : {}, var.environment)

  secrets = merge({
    DATABASE_URL               = var.database_url_secret_arn
    PAI_MIGRATION_DATABASE_URL = var.migration_database_url_secret_arn
    PAI_JWT_SECRET             = var.jwt_secret_arn
  }, var.openai_secret_arn == null ? {} : { OPENAI_API_KEY = var.openai_secret_arn })

  master_secrets = {
    PGUSER     = "${var.master_secret_arn}:username::"
    PGPASSWORD = "${var.master_secret_arn}:password::"
  }

  alive = "fetch('http://127.0.0.1:${var.port}/healthz').then((answer) => process.exit(answer.ok ? 0 : 1), () => process.exit(1))"

  # Each of these is the same image.
  tasks = {
    api = {
      log         = "api"
      command     = null
      cpu         = var.api.cpu
      memory      = var.api.memory_mb
      environment = { PAI_ROLE = "api", OTEL_SERVICE_NAME = "${var.name}-api" }
      secrets     = local.secrets
      serves      = true
      traced      = var.tracing
      role        = aws_iam_role.execution["service"].arn
    }
    worker = {
      log         = "worker"
      command     = null
      cpu         = var.worker.cpu
      memory      = var.worker.memory_mb
      environment = { PAI_ROLE = "worker", OTEL_SERVICE_NAME = "${var.name}-worker" }
      secrets     = local.secrets
      serves      = false
      traced      = var.tracing
      role        = aws_iam_role.execution["service"].arn
    }
    migrate = {
      log         = "tasks"
      command     = ["node", "src/main.ts", "--migrate"]
      cpu         = 512
      memory      = 1024
      environment = { PAI_ROLE = "worker", OTEL_SERVICE_NAME = "${var.name}-migrate" }
      secrets     = local.secrets
      serves      = false
      traced      = false
      role        = aws_iam_role.execution["service"].arn
    }
    # Makes the two logins, or gives them their new passwords; the only one that reads the master's.
    logins = {
      log         = "tasks"
      command     = ["node", "--input-type=module", "--eval", file("${path.module}/files/make-logins.mjs")]
      cpu         = 256
      memory      = 512
      environment = { PGHOST = var.database_host, PGDATABASE = "pai", PGSSLMODE = "verify-full" }
      secrets = merge(local.master_secrets, {
        DATABASE_URL               = var.database_url_secret_arn
        PAI_MIGRATION_DATABASE_URL = var.migration_database_url_secret_arn
      })
      serves = false
      traced = false
      role   = aws_iam_role.execution["logins"].arn
    }
  }
}

resource "aws_ecs_task_definition" "this" {
  for_each = local.tasks

  family                   = "${var.name}-${each.key}"
  requires_compatibilities = ["FARGATE"]
  network_mode             = "awsvpc"
  cpu                      = each.value.cpu
  memory                   = each.value.memory
  execution_role_arn       = each.value.role
  task_role_arn            = aws_iam_role.task.arn

  runtime_platform {
    operating_system_family = "LINUX"
    cpu_architecture        = "ARM64"
  }

  # The only place that can be written to.
  volume {
    name = "scratch"
  }

  container_definitions = jsonencode(concat([merge({
    name                   = "pai"
    image                  = var.image
    essential              = true
    user                   = "65532:65532"
    readonlyRootFilesystem = true
    stopTimeout            = var.stop_timeout_seconds
    linuxParameters        = { initProcessEnabled = true, capabilities = { drop = ["ALL"] } }
    mountPoints            = [{ sourceVolume = "scratch", containerPath = "/tmp", readOnly = false }]
    portMappings           = each.value.serves ? [{ containerPort = var.port, hostPort = var.port, protocol = "tcp" }] : []
    environment = [
      for name, value in merge(each.value.command == null || each.key == "migrate" ? local.environment : {}, each.value.environment) :
      { name = name, value = value }
    ]
    secrets          = [for name, arn in each.value.secrets : { name = name, valueFrom = arn }]
    volumesFrom      = []
    systemControls   = []
    logConfiguration = local.log[each.value.log]
    },
    each.value.command == null ? {} : { command = each.value.command },
    each.value.serves ? {
      healthCheck = {
        command     = ["CMD", "node", "--eval", local.alive]
        interval    = 10
        timeout     = 5
        retries     = 3
        startPeriod = 30
      }
    } : {}
  )], each.value.traced ? [local.collector[each.value.log]] : []))
}

locals {
  log = { for group, made in aws_cloudwatch_log_group.this : group => {
    logDriver = "awslogs"
    options = {
      awslogs-group         = made.name
      awslogs-region        = local.region
      awslogs-stream-prefix = "pai"
      mode                  = "non-blocking"
      max-buffer-size       = "25m"
    }
  } }

  # The collector may fail without taking PAI along.
  collector = { for group, log in local.log : group => {
    name                   = "collector"
    image                  = var.collector_image
    essential              = false
    cpu                    = 64
    memory                 = 256
    user                   = "65532:65532"
    readonlyRootFilesystem = true
    environment            = [{ name = "AOT_CONFIG_CONTENT", value = file("${path.module}/files/collector.yaml") }]
    mountPoints            = []
    portMappings           = []
    systemControls         = []
    volumesFrom            = []
    logConfiguration       = log
  } }
}
