variable "name" {
  description = "Prefix of every name, such as pai-prod."
  type        = string
}

variable "kms_key_arn" {
  description = "Key that encrypts the backups."
  type        = string
}

variable "resource_arns" {
  description = "What is backed up: the database."
  type        = list(string)
}

variable "database_engine" {
  description = "rds or aurora."
  type        = string
  default     = "rds"
}

variable "subnet_group_name" {
  description = "Where the test of a restore puts its database."
  type        = string
}

variable "daily_retention_days" {
  description = "How long a day's backup is kept."
  type        = number
  default     = 14

  validation {
    condition     = var.daily_retention_days >= var.least_retention_days
    error_message = "No shorter than what the vault's lock allows."
  }
}

variable "weekly_retention_days" {
  description = "How long a week's backup is kept."
  type        = number
  default     = 60
}

variable "monthly_retention_days" {
  description = "How long a month's backup is kept."
  type        = number
  default     = 365

  validation {
    condition     = var.monthly_retention_days <= 400
    error_message = "At most 400: what an owner had forgotten must leave the backups too."
  }
}

variable "least_retention_days" {
  description = "Nobody deletes a younger backup."
  type        = number
  default     = 7
}

variable "lock" {
  description = "Whether the vault is locked."
  type        = bool
  default     = true
}

variable "copy_vault_arn" {
  description = "Vault in a second region that gets a copy of each; null: none."
  type        = string
  default     = null
}

variable "restore_testing" {
  description = "Whether a backup is restored each night to see that it can be."
  type        = bool
  default     = true
}
