variable "name" {
  description = "Prefix of every name."
  type        = string
  default     = "pai"
}

variable "region" {
  description = "Where state and images are kept."
  type        = string
}

variable "github_repository" {
  description = "Whose workflows may deliver, as owner/name."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9-]+/[A-Za-z0-9._-]+$", var.github_repository))
    error_message = "owner/name."
  }
}

variable "environments" {
  description = "Environments, each with a role that applies and one that deploys."
  type        = set(string)
  default     = ["dev", "staging", "prod"]

  validation {
    condition     = length(var.environments) > 1
    error_message = "Two at least: one to try, one to serve."
  }
}

variable "replica_regions" {
  description = "Regions that get a copy of each image."
  type        = set(string)
  default     = []
}
