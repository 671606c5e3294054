variable "region" {
  description = "The second region: prod's dr_region."
  type        = string
}

variable "restore" {
  description = "Prod's replicated backups there, and the replica of prod's key they are under; null where its replica has been promoted and imported."
  type        = object({ backups_arn = string, kms_key_arn = string })
  default     = null
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
  description = "The image that prod ran, from the registry's copy there."
  type        = string
}

variable "repository_arn" {
  description = "The registry's repository there."
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
