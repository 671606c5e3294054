variable "name" {
  description = "Name of the repository, such as pai."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9/-]{1,62}[a-z0-9]$", var.name))
    error_message = "Small letters, digits, hyphens and slashes."
  }
}

variable "kms_key_arn" {
  description = "Key that encrypts the images."
  type        = string
}

variable "untagged_days" {
  description = "How long an image without a tag is kept."
  type        = number
  default     = 7
}

variable "kept_images" {
  description = "How many images are kept; the oldest go first."
  type        = number
  default     = 50

  validation {
    condition     = var.kept_images >= 10
    error_message = "At least 10: a rollback needs its image."
  }
}

variable "replica_regions" {
  description = "Regions that get a copy of each image."
  type        = set(string)
  default     = []
}
