variable "name" {
  description = "Prefix of every name, such as pai-prod."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,18}[a-z0-9]$", var.name))
    error_message = "3 to 20 characters: small letters, digits and hyphens."
  }
}

variable "cidr" {
  description = "Addresses of the VPC; each tier takes sixteenths of it."
  type        = string
  default     = "10.40.0.0/16"

  validation {
    condition     = can(cidrhost(var.cidr, 0)) && try(tonumber(split("/", var.cidr)[1]) <= 22, false)
    error_message = "An IPv4 network of /22 or larger."
  }
}

variable "zone_count" {
  description = "Availability zones in use; the database needs two."
  type        = number
  default     = 2

  validation {
    condition     = var.zone_count >= 2 && var.zone_count <= 4
    error_message = "2 to 4."
  }
}

variable "nat" {
  description = "How tasks reach the internet: none (they run in public subnets behind a closed security group), single (one gateway, one zone's failure cuts all), per_az."
  type        = string
  default     = "single"

  validation {
    condition     = contains(["none", "single", "per_az"], var.nat)
    error_message = "none, single or per_az."
  }
}

variable "interface_endpoints" {
  description = "AWS services reached without the internet, by the last part of their name, such as bedrock-runtime or secretsmanager. Each costs about 7 USD a month and zone."
  type        = set(string)
  default     = []
}

variable "kms_key_arn" {
  description = "Key that encrypts the flow log."
  type        = string
}

variable "flow_log_retention_days" {
  description = "How long the flow log is kept."
  type        = number
  default     = 30
}

variable "flow_log_traffic" {
  description = "What the flow log notes: ALL, ACCEPT or REJECT."
  type        = string
  default     = "REJECT"

  validation {
    condition     = contains(["ALL", "ACCEPT", "REJECT"], var.flow_log_traffic)
    error_message = "ALL, ACCEPT or REJECT."
  }
}
