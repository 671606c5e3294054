variable "name" {
  description = "Prefix of every name, such as pai-prod."
  type        = string
}

variable "image" {
  description = "The image by its digest or its immutable tag. Deliveries replace it without Terraform."
  type        = string

  validation {
    condition     = can(regex("(@sha256:[0-9a-f]{64}|:[A-Za-z0-9._-]+)$", var.image)) && !endswith(var.image, ":latest")
    error_message = "An image with a digest or a tag, and never latest."
  }
}

variable "repository_arn" {
  description = "The registry's repository of that image."
  type        = string
}

variable "collector_image" {
  description = "AWS' distribution of the OpenTelemetry collector."
  type        = string
  default     = "public.ecr.aws/aws-observability/aws-otel-collector:v0.43.3"
}

variable "port" {
  description = "Port the service listens on."
  type        = number
  default     = 3000
}

variable "api" {
  description = "Size and number of the tasks that answer; capacity is shared between FARGATE and FARGATE_SPOT by base and weight."
  type = object({
    cpu       = optional(number, 1024)
    memory_mb = optional(number, 2048)
    min_tasks = optional(number, 2)
    max_tasks = optional(number, 10)
    capacity  = optional(map(object({ base = number, weight = number })), { FARGATE = { base = 2, weight = 1 }, FARGATE_SPOT = { base = 0, weight = 1 } })
  })
  default = {}

  validation {
    condition     = var.api.min_tasks >= 1 && var.api.max_tasks >= var.api.min_tasks
    error_message = "At least one task, and no fewer at most than at least."
  }
}

variable "worker" {
  description = "Size and number of the tasks that do jobs."
  type = object({
    cpu       = optional(number, 512)
    memory_mb = optional(number, 1024)
    min_tasks = optional(number, 1)
    max_tasks = optional(number, 6)
    capacity  = optional(map(object({ base = number, weight = number })), { FARGATE = { base = 1, weight = 1 }, FARGATE_SPOT = { base = 0, weight = 3 } })
  })
  default = {}

  validation {
    condition     = var.worker.min_tasks >= 1 && var.worker.max_tasks >= var.worker.min_tasks
    error_message = "At least one task, and no fewer at most than at least."
  }
}

variable "deployment" {
  description = "How a new version takes over: ROLLING, BLUE_GREEN (all at once), CANARY (step_percent first, the rest after step_minutes) or LINEAR (step_percent at a time). bake_minutes is how long the old version waits to take back."
  type = object({
    strategy     = optional(string, "CANARY")
    step_percent = optional(number, 10)
    step_minutes = optional(number, 5)
    bake_minutes = optional(number, 10)
  })
  default = {}

  validation {
    condition     = contains(["ROLLING", "BLUE_GREEN", "CANARY", "LINEAR"], var.deployment.strategy)
    error_message = "ROLLING, BLUE_GREEN, CANARY or LINEAR."
  }
  validation {
    condition     = var.deployment.step_percent >= (var.deployment.strategy == "LINEAR" ? 3 : 0.1) && var.deployment.step_percent <= 100
    error_message = "step_percent: 0.1 to 100, for LINEAR 3 to 100."
  }
  validation {
    condition     = alltrue([for minutes in [var.deployment.step_minutes, var.deployment.bake_minutes] : minutes >= 0 && minutes <= 1440])
    error_message = "Minutes: 0 to 1440."
  }
}

variable "deployment_hooks" {
  description = "Lambda functions that a deployment asks at its stages, such as POST_TEST_TRAFFIC_SHIFT; each may stop it."
  type        = list(object({ function_arn = string, role_arn = string, stages = list(string) }))
  default     = []
}

variable "rollback_alarm_names" {
  description = "Alarms that take a deployment back."
  type        = list(string)

  validation {
    condition     = length(var.rollback_alarm_names) > 0 || var.deployment.strategy == "ROLLING"
    error_message = "Without an alarm nothing would take a failing version back."
  }
}

variable "vpc_id" {
  description = "The VPC."
  type        = string
}

variable "vpc_cidr" {
  description = "Its addresses, among which the load balancer is trusted as a proxy."
  type        = string
}

variable "subnet_ids" {
  description = "Where tasks run."
  type        = list(string)
}

variable "assign_public_ip" {
  description = "Whether tasks need an address of their own to reach the internet."
  type        = bool
  default     = false
}

variable "load_balancer_security_group_id" {
  description = "Who may reach the API's tasks."
  type        = string
}

variable "target_group_arns" {
  description = "The two target groups between which traffic is shifted."
  type        = object({ blue = string, green = string })
}

variable "production_rule_arn" {
  description = "The listener's rule whose weights a deployment shifts."
  type        = string
}

variable "test_rule_arn" {
  description = "The listener's rule that leads tests to the new version."
  type        = string
}

variable "trusted_proxies" {
  description = "Networks of the proxies before the load balancer."
  type        = list(string)
  default     = []
}

variable "database_host" {
  description = "Address of the database."
  type        = string
}

variable "database_url_secret_arn" {
  description = "Address and password of the login that serves."
  type        = string
}

variable "migration_database_url_secret_arn" {
  description = "Address and password of the login that migrates."
  type        = string
}

variable "master_secret_arn" {
  description = "The master's password: for the task that makes the logins, and for nothing else."
  type        = string
}

variable "jwt_secret_arn" {
  description = "The signing secret."
  type        = string
}

variable "openai_secret_arn" {
  description = "The key of OpenAI; null where another provider answers."
  type        = string
  default     = null
}

variable "bedrock_model_arns" {
  description = "Models of Bedrock that PAI may ask, by their ARNs."
  type        = list(string)
  default     = []

  validation {
    condition     = alltrue([for arn in var.bedrock_model_arns : startswith(arn, "arn:") && !endswith(arn, "/*")])
    error_message = "Whole ARNs, without a wildcard for every model."
  }
}

variable "cache_arns" {
  description = "Cache and its user, where there is one."
  type        = list(string)
  default     = []
}

variable "environment" {
  description = "Further settings of the service, by name (README, Settings). No secret belongs here."
  type        = map(string)
  default     = {}

  validation {
    condition     = !anytrue([for name in keys(var.environment) : can(regex("(SECRET|PASSWORD|TOKEN|API_KEY|DATABASE_URL)", name))])
    error_message = "That is a secret: it belongs into Secrets Manager."
  }
}

variable "kms_key_arn" {
  description = "Key that encrypts logs and secrets."
  type        = string
}

variable "log_level" {
  description = "How much is logged."
  type        = string
  default     = "info"
}

variable "log_retention_days" {
  description = "How long logs are kept."
  type        = number
  default     = 30
}

variable "container_insights" {
  description = "Figures of each task: enhanced, enabled or disabled."
  type        = string
  default     = "enabled"

  validation {
    condition     = contains(["enhanced", "enabled", "disabled"], var.container_insights)
    error_message = "enhanced, enabled or disabled."
  }
}

variable "tracing" {
  description = "Whether a collector beside PAI sends traces to X-Ray."
  type        = bool
  default     = true
}

variable "trace_ratio" {
  description = "Share of requests that are traced, 0 to 1."
  type        = number
  default     = 0.05

  validation {
    condition     = var.trace_ratio >= 0 && var.trace_ratio <= 1
    error_message = "0 to 1."
  }
}

variable "stop_timeout_seconds" {
  description = "How long a task may take to stop. PAI itself takes up to 30."
  type        = number
  default     = 45

  validation {
    condition     = var.stop_timeout_seconds >= 30 && var.stop_timeout_seconds <= 120
    error_message = "30 to 120, which is the most that Fargate gives."
  }
}

variable "metrics_namespace" {
  description = "Where the service's own metrics are."
  type        = string
  default     = "PAI"
}

variable "streams_per_task" {
  description = "Open streams of a task that autoscaling aims at."
  type        = number
  default     = 60
}

variable "queue_age_seconds" {
  description = "Age of the oldest waiting job that autoscaling aims at."
  type        = number
  default     = 60
}

variable "sleep" {
  description = "When no task runs, as the fields of cron expressions, such as {from = \"0 20 ? * MON-FRI *\", until = \"0 7 ? * MON-FRI *\", timezone = \"Europe/Oslo\"}; null: never."
  type        = object({ from = string, until = string, timezone = optional(string, "UTC") })
  default     = null
}
