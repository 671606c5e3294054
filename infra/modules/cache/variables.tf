variable "name" {
  description = "Prefix of every name, such as pai-prod."
  type        = string
}

variable "mode" {
  description = "node (fixed price) or serverless (by use)."
  type        = string
  default     = "node"

  validation {
    condition     = contains(["node", "serverless"], var.mode)
    error_message = "node or serverless."
  }
}

variable "vpc_id" {
  description = "The VPC."
  type        = string
}

variable "subnet_ids" {
  description = "Subnets of the cache, without a route to the internet."
  type        = list(string)
}

variable "client_security_group_id" {
  description = "Who may reach the cache."
  type        = string
}

variable "kms_key_arn" {
  description = "Key that encrypts what is kept."
  type        = string
}

variable "node_type" {
  description = "Size of a node."
  type        = string
  default     = "cache.t4g.micro"
}

variable "node_count" {
  description = "Nodes; two or more fail over by themselves."
  type        = number
  default     = 2

  validation {
    condition     = var.node_count >= 1 && var.node_count <= 6
    error_message = "1 to 6."
  }
}

variable "serverless_max_gb" {
  description = "Most that a serverless cache may hold."
  type        = number
  default     = 1
}

variable "serverless_max_ecpu" {
  description = "Most that a serverless cache may work in a second."
  type        = number
  default     = 1000

  validation {
    condition     = var.serverless_max_ecpu >= 1000
    error_message = "1000 is the least AWS takes."
  }
}
