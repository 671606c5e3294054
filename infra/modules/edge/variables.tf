variable "name" {
  description = "Prefix of every name, such as pai-prod."
  type        = string
}

variable "domain_name" {
  description = "Name that people open, such as pai.example.com."
  type        = string

  validation {
    condition     = can(regex("^([a-z0-9-]+\\.)+[a-z]{2,}$", var.domain_name))
    error_message = "A whole domain name, without a scheme or a path."
  }
}

variable "hosted_zone_id" {
  description = "Zone of Route 53 that answers for the name."
  type        = string
}

variable "vpc_id" {
  description = "The VPC."
  type        = string
}

variable "public_subnet_ids" {
  description = "Where the load balancer stands, in two zones or more."
  type        = list(string)
}

variable "service_security_group_id" {
  description = "The tasks' security group."
  type        = string
}

variable "port" {
  description = "Port the service listens on."
  type        = number
  default     = 3000
}

variable "drain_seconds" {
  description = "How long open streams may go on at a task that is being replaced; after that their watchers resume elsewhere."
  type        = number
  default     = 60

  validation {
    condition     = var.drain_seconds >= 0 && var.drain_seconds <= 3600
    error_message = "0 to 3600."
  }
}

variable "kms_key_arn" {
  description = "Key that encrypts the web app's files."
  type        = string
}

variable "front" {
  description = "Whether people come in here: CloudFront, the web app's files, the name. false: the load balancer of a second region alone, to which DNS turns when the first has no healthy task."
  type        = bool
  default     = true
}

variable "web_acl_arn" {
  description = "Firewall before CloudFront; null: none."
  type        = string
  default     = null
}

variable "price_class" {
  description = "Which of CloudFront's places serve: PriceClass_100, PriceClass_200 or PriceClass_All."
  type        = string
  default     = "PriceClass_100"
}

variable "log_retention_days" {
  description = "How long the load balancer's log is kept."
  type        = number
  default     = 90
}

variable "deletion_protection" {
  description = "Whether a destroy is refused."
  type        = bool
  default     = true
}
