variable "name" {
  description = "Prefix of every name, such as pai-prod."
  type        = string
}

variable "openai" {
  description = "Whether there is a key of OpenAI (or a server that speaks its API) to keep."
  type        = bool
  default     = true
}

variable "secret_recovery_days" {
  description = "For how long a deleted secret can be brought back."
  type        = number
  default     = 30

  validation {
    condition     = var.secret_recovery_days == 0 || (var.secret_recovery_days >= 7 && var.secret_recovery_days <= 30)
    error_message = "0 (gone at once) or 7 to 30."
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

variable "cloudtrail" {
  description = "Whether every change of the account is written down. One account needs one trail."
  type        = bool
  default     = true
}

variable "trail_retention_days" {
  description = "How long the trail is kept."
  type        = number
  default     = 365
}

variable "guardduty" {
  description = "Whether GuardDuty looks for intruders; an account may have it already."
  type        = bool
  default     = false
}

variable "waf" {
  description = "Whether a web application firewall stands before CloudFront."
  type        = bool
  default     = true
}

variable "waf_requests_per_5_minutes" {
  description = "Requests of one address within five minutes before it is blocked."
  type        = number
  default     = 3000

  validation {
    condition     = var.waf_requests_per_5_minutes >= 100
    error_message = "At least 100."
  }
}
