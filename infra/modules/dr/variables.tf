variable "name" {
  description = "Prefix of every name, such as pai-prod."
  type        = string
}

variable "kms_key_arn" {
  description = "The first region's key; a multi-region one."
  type        = string
}

variable "database_arn" {
  description = "The first region's database."
  type        = string
}

variable "database_copy" {
  description = "What follows the database: none (the copies of AWS Backup are all there is), backups (pilot light: minutes lost, an hour to restore) or replica (warm: seconds lost, minutes to promote). RDS only; with Aurora: none."
  type        = string
  default     = "backups"

  validation {
    condition     = contains(["none", "backups", "replica"], var.database_copy)
    error_message = "none, backups or replica."
  }
}

variable "backup_retention_days" {
  description = "To which day back the copy can be restored."
  type        = number
  default     = 7
}

variable "replica_instance_class" {
  description = "Size of the replica."
  type        = string
  default     = "db.t4g.medium"
}

variable "replica_subnet_ids" {
  description = "Subnets of the replica, in the second region."
  type        = list(string)
  default     = []

  validation {
    condition     = var.database_copy != "replica" || length(var.replica_subnet_ids) >= 2
    error_message = "A replica needs two subnets there."
  }
}

variable "replica_security_group_ids" {
  description = "The replica's security groups, in the second region."
  type        = list(string)
  default     = []
}
