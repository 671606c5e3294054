variable "name" {
  description = "Project and environment, such as pai-prod."
  type        = string

  validation {
    condition     = can(regex("^[a-z]+-[a-z0-9]{1,12}$", var.name))
    error_message = "As pai-prod."
  }
}

variable "domain_name" {
  description = "Name that people open, such as pai.example.com."
  type        = string
}

variable "hosted_zone_id" {
  description = "Zone of Route 53 that answers for the name."
  type        = string
}

variable "front" {
  description = "Whether people come in here (module edge); false for what stands by in a second region."
  type        = bool
  default     = true
}

variable "image" {
  description = "The image of the first deployment; deliveries replace it without Terraform."
  type        = string
}

variable "repository_arn" {
  description = "The registry's repository of that image (bootstrap)."
  type        = string
}

variable "protected" {
  description = "Whether destroys are refused and deleted secrets can be brought back."
  type        = bool
  default     = true
}

variable "cidr" {
  description = "Addresses of the VPC."
  type        = string
  default     = "10.40.0.0/16"
}

variable "zone_count" {
  description = "Availability zones in use."
  type        = number
  default     = 2
}

variable "nat" {
  description = "How tasks reach the internet: none, single or per_az."
  type        = string
  default     = "single"
}

variable "interface_endpoints" {
  description = "AWS services reached without the internet."
  type        = set(string)
  default     = []
}

variable "database" {
  description = "The database: its engine, size and safety. max_connections and least_memory_mb are what its size means for the alarms."
  type = object({
    engine                = optional(string, "rds")
    instance_class        = optional(string, "db.t4g.medium")
    storage_gb            = optional(number, 50)
    storage_max_gb        = optional(number, 500)
    multi_az              = optional(bool, true)
    read_replica_count    = optional(number, 0)
    aurora_min_acu        = optional(number, 0.5)
    aurora_max_acu        = optional(number, 8)
    backup_retention_days = optional(number, 14)
    max_connections       = optional(number, 400)
    least_memory_mb       = optional(number, 400)
    restore               = optional(object({ backups_arn = string, kms_key_arn = string }))
  })
  default = {}
}

variable "cache" {
  description = "A cache shared by the nodes: none (PostgreSQL serves), node or serverless."
  type        = string
  default     = "none"

  validation {
    condition     = contains(["none", "node", "serverless"], var.cache)
    error_message = "none, node or serverless."
  }
}

variable "api" {
  description = "Size and number of the tasks that answer (module service)."
  type        = any
  default     = {}
}

variable "worker" {
  description = "Size and number of the tasks that do jobs (module service)."
  type        = any
  default     = {}
}

variable "deployment" {
  description = "How a new version takes over (module service)."
  type        = any
  default     = {}
}

variable "sleep" {
  description = "When no task runs (module service); null: never."
  type        = any
  default     = null
}

variable "settings" {
  description = "Further settings of the service, by name (README, Settings). No secret belongs here."
  type        = map(string)
  default     = {}
}

variable "openai" {
  description = "Whether there is a key of OpenAI to keep; put it in before the first deployment."
  type        = bool
  default     = true
}

variable "bedrock_model_arns" {
  description = "Models of Bedrock that PAI may ask."
  type        = list(string)
  default     = []
}

variable "waf" {
  description = "Whether a firewall stands before CloudFront."
  type        = bool
  default     = true
}

variable "guardduty" {
  description = "Whether GuardDuty looks for intruders."
  type        = bool
  default     = false
}

variable "watch_account" {
  description = "Whether this environment also watches the account: trail, root user, anomalies in costs. One of them does."
  type        = bool
  default     = false
}

variable "tracing" {
  description = "Whether traces go to X-Ray."
  type        = bool
  default     = true
}

variable "container_insights" {
  description = "Figures of each task: enhanced, enabled or disabled."
  type        = string
  default     = "enabled"
}

variable "log_retention_days" {
  description = "How long logs are kept."
  type        = number
  default     = 30
}

variable "log_archive" {
  description = "Whether logs also go to S3 for a year."
  type        = bool
  default     = false
}

variable "alert_emails" {
  description = "Who is told."
  type        = set(string)
  default     = []
}

variable "monthly_budget_usd" {
  description = "What the environment may cost in a month; 0: no budget."
  type        = number
  default     = 400
}

variable "backup" {
  description = "Whether AWS Backup keeps copies beside the database's own, and restores one each night."
  type        = bool
  default     = true
}

variable "dr" {
  description = "What waits in a second region (module dr); null: nothing."
  type = object({
    region             = string
    database_copy      = optional(string, "backups")
    subnet_ids         = optional(list(string), [])
    security_group_ids = optional(list(string), [])
  })
  default = null
}

variable "chaos" {
  description = "Whether there are experiments that break things on purpose."
  type        = bool
  default     = false
}
