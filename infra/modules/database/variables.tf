variable "name" {
  description = "Prefix of every name, such as pai-prod."
  type        = string
}

variable "engine" {
  description = "rds (fixed price) or aurora (Serverless v2, by use; may pause when idle)."
  type        = string
  default     = "rds"

  validation {
    condition     = contains(["rds", "aurora"], var.engine)
    error_message = "rds or aurora."
  }
}

variable "major_version" {
  description = "Major version of PostgreSQL; pgvector 0.8 comes with 16 and 17."
  type        = number
  default     = 17

  validation {
    condition     = contains([16, 17, 18], var.major_version)
    error_message = "16, 17 or 18."
  }
}

variable "vpc_id" {
  description = "The VPC."
  type        = string
}

variable "subnet_ids" {
  description = "Subnets of the database, in two zones or more."
  type        = list(string)

  validation {
    condition     = length(var.subnet_ids) >= 2
    error_message = "RDS needs two zones."
  }
}

variable "client_security_group_id" {
  description = "Who may reach the database."
  type        = string
}

variable "kms_key_arn" {
  description = "Key that encrypts storage, backups, insights and secrets."
  type        = string
}

variable "instance_class" {
  description = "Size of an RDS instance."
  type        = string
  default     = "db.t4g.medium"
}

variable "storage_gb" {
  description = "Storage at the start."
  type        = number
  default     = 20

  validation {
    condition     = var.storage_gb >= 20
    error_message = "At least 20."
  }
}

variable "storage_max_gb" {
  description = "Most that storage may grow to by itself."
  type        = number
  default     = 200
}

variable "multi_az" {
  description = "Whether a second instance stands by in another zone."
  type        = bool
  default     = true
}

variable "read_replica_count" {
  description = "Instances that only read."
  type        = number
  default     = 0

  validation {
    condition     = var.read_replica_count >= 0 && var.read_replica_count <= 5
    error_message = "0 to 5."
  }
}

variable "aurora_min_acu" {
  description = "Least capacity of Aurora, in units of 2 GB; 0 pauses after five idle minutes."
  type        = number
  default     = 0.5
}

variable "aurora_max_acu" {
  description = "Most capacity of Aurora, in units of 2 GB."
  type        = number
  default     = 8
}

variable "backup_retention_days" {
  description = "To which day back the database can be restored to the second."
  type        = number
  default     = 14

  validation {
    condition     = var.backup_retention_days >= 1 && var.backup_retention_days <= 35
    error_message = "1 to 35: a database without backups is not offered."
  }
}

variable "deletion_protection" {
  description = "Whether a destroy is refused, and a last snapshot kept."
  type        = bool
  default     = true
}

variable "apply_immediately" {
  description = "Whether changes interrupt at once instead of in the maintenance window."
  type        = bool
  default     = false
}

variable "auto_minor_version_upgrade" {
  description = "Whether RDS chooses the day of minor upgrades."
  type        = bool
  default     = false
}

variable "slow_statement_ms" {
  description = "Statements slower than this are logged, without their values."
  type        = number
  default     = 1000
}

variable "log_retention_days" {
  description = "How long the server's log is kept."
  type        = number
  default     = 30
}

variable "secret_recovery_days" {
  description = "For how long a deleted secret can be brought back."
  type        = number
  default     = 30
}

variable "restore" {
  description = "Backups from another region that the database begins from, and the key they are under; null: it begins empty. RDS only."
  type        = object({ backups_arn = string, kms_key_arn = string })
  default     = null

  validation {
    condition     = var.restore == null || var.engine == "rds"
    error_message = "Aurora is restored from copies of AWS Backup instead."
  }
}

variable "replica_region" {
  description = "Region that gets a copy of each secret; null: none."
  type        = string
  default     = null
}

variable "replica_kms_key_arn" {
  description = "The copy of the key in that region."
  type        = string
  default     = null
}
