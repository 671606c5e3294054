variable "name" {
  description = "Prefix of every name, such as pai-prod; also the cluster's name."
  type        = string
}

variable "kms_key_arn" {
  description = "Key that encrypts alerts and the archive of logs."
  type        = string
}

variable "alert_emails" {
  description = "Who is told; each confirms once."
  type        = set(string)
  default     = []
}

variable "log_groups" {
  description = "Logs, by who writes them."
  type        = map(string)
}

variable "load_balancer_suffix" {
  description = "The load balancer, as metrics name it."
  type        = string
}

variable "target_group_suffixes" {
  description = "Its target groups, as metrics name them."
  type        = list(string)
}

variable "database_engine" {
  description = "rds or aurora."
  type        = string
  default     = "rds"
}

variable "database_identifier" {
  description = "Name of the instance or the cluster."
  type        = string
}

variable "replica_identifier" {
  description = "Name of a read replica to watch; null: none."
  type        = string
  default     = null
}

variable "database_max_connections" {
  description = "How many connections the database takes; the alarm is at 80 of 100."
  type        = number
  default     = 400
}

variable "database_least_memory_mb" {
  description = "Free memory below which the database is in trouble: a tenth of what it has."
  type        = number
  default     = 400
}

variable "database_least_storage_gb" {
  description = "Free storage below which somebody looks: a fifth of what it has."
  type        = number
  default     = 4
}

variable "cache_id" {
  description = "The cache to watch; null: none."
  type        = string
  default     = null
}

variable "container_insights" {
  description = "Whether there are figures of how many tasks run."
  type        = bool
  default     = true
}

variable "metrics_namespace" {
  description = "Where the service's own metrics are: ActiveStreams, TimeToFirstToken (ms), InputTokens, OutputTokens, CostUsd, QueueAge (s), RecallLatency (ms), each with the dimension service."
  type        = string
  default     = "PAI"
}

variable "error_rate_percent" {
  description = "Share of failed requests that is too many."
  type        = number
  default     = 5
}

variable "first_token_ms" {
  description = "Time to the first word that is too long, for 5 of 100."
  type        = number
  default     = 3000
}

variable "queue_age_seconds" {
  description = "Age of the oldest waiting job that is too old."
  type        = number
  default     = 300
}

variable "model_usd_per_hour" {
  description = "What models may cost in an hour."
  type        = number
  default     = 20
}

variable "tracing" {
  description = "Whether X-Ray gets traces."
  type        = bool
  default     = true
}

variable "trace_ratio" {
  description = "Share of requests that are traced, 0 to 1."
  type        = number
  default     = 0.05
}

variable "watch_account" {
  description = "Whether this environment also watches the account: the root user, changes of rights, anomalies in costs. One of them does."
  type        = bool
  default     = false
}

variable "monthly_budget_usd" {
  description = "What this environment may cost in a month, by its tag Environment; 0: no budget."
  type        = number
  default     = 100

  validation {
    condition     = var.monthly_budget_usd >= 0
    error_message = "0 or more."
  }
}

variable "anomaly_usd" {
  description = "Unexpected costs from which somebody is told."
  type        = number
  default     = 10
}

variable "log_archive" {
  description = "Whether every line of the log also goes to S3, for other tools."
  type        = bool
  default     = false
}

variable "log_archive_days" {
  description = "How long that archive is kept."
  type        = number
  default     = 365
}
