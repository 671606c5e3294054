variable "region" {
  description = "Where the environment is."
  type        = string
}

variable "dr_region" {
  description = "The second region: copies of backups and secrets, where there are any."
  type        = string
}

variable "domain_name" {
  description = "Name that people open, such as pai.example.com."
  type        = string
}

variable "hosted_zone_id" {
  description = "Zone of Route 53 that answers for the name."
  type        = string
}

variable "image" {
  description = "The image of the first deployment, from the output repository_url of bootstrap; deliveries replace it."
  type        = string
}

variable "repository_arn" {
  description = "Output repository_arn of bootstrap."
  type        = string
}

variable "alert_emails" {
  description = "Who is told when something is wrong."
  type        = set(string)
  default     = []
}

variable "openai" {
  description = "Whether OpenAI, or a server that speaks its API, answers. Else name models of Bedrock."
  type        = bool
  default     = true
}

variable "bedrock_model_arns" {
  description = "Models of Bedrock that PAI may ask."
  type        = list(string)
  default     = []
}

variable "settings" {
  description = "Further settings of the service, by name (README, Settings). No secret belongs here."
  type        = map(string)
  default     = {}
}
