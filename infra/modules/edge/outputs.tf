output "url" {
  description = "What people open."
  value       = "https://${var.domain_name}"
}

output "distribution_id" {
  description = "The distribution, for invalidations; null without a front."
  value       = one(aws_cloudfront_distribution.this[*].id)
}

output "distribution_arn" {
  description = "The distribution; null without a front."
  value       = one(aws_cloudfront_distribution.this[*].arn)
}

output "web_bucket" {
  description = "Bucket of the web app's files; null without a front."
  value       = one(aws_s3_bucket.web[*].bucket)
}

output "security_group_id" {
  description = "The load balancer's security group."
  value       = aws_security_group.this.id
}

output "load_balancer_suffix" {
  description = "The load balancer, as metrics name it."
  value       = aws_lb.this.arn_suffix
}

output "target_groups" {
  description = "The two target groups, blue and green, each with its arn and what metrics name it."
  value       = { for colour, group in aws_lb_target_group.api : colour => { arn = group.arn, suffix = group.arn_suffix } }
}

output "production_rule_arn" {
  description = "The rule whose weights a deployment shifts."
  value       = aws_lb_listener_rule.production.arn
}

output "test_rule_arn" {
  description = "The rule that leads tests to the new version."
  value       = aws_lb_listener_rule.test.arn
}

output "trusted_proxies" {
  description = "Whose word for a caller's address the service takes: CloudFront's."
  value       = [for entry in data.aws_ec2_managed_prefix_list.cloudfront.entries : entry.cidr]
}
