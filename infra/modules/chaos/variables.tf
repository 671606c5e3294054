variable "name" {
  description = "Prefix of every name, such as pai-staging."
  type        = string
}

variable "cluster_name" {
  description = "The cluster whose tasks die."
  type        = string
}

variable "service_names" {
  description = "The two services."
  type        = object({ api = string, worker = string })
}

variable "database_arn" {
  description = "The database that moves."
  type        = string
}

variable "database_engine" {
  description = "rds or aurora."
  type        = string
  default     = "rds"
}

variable "vpc_id" {
  description = "The VPC."
  type        = string
}

variable "subnet_arns" {
  description = "The tasks' subnets, the first of which is cut off."
  type        = list(string)
}

variable "stop_alarm_arn" {
  description = "The alarm that stops every experiment."
  type        = string
}
