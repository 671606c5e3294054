output "vpc_id" {
  description = "The VPC."
  value       = aws_vpc.this.id
}

output "cidr" {
  description = "Addresses of the VPC."
  value       = aws_vpc.this.cidr_block
}

output "public_subnet_ids" {
  description = "Where the load balancer stands."
  value       = [for zone in local.zones : aws_subnet.public[zone].id]
}

output "task_subnet_ids" {
  description = "Where tasks run: private subnets, or public ones where there is no NAT gateway."
  value       = [for zone in local.zones : var.nat == "none" ? aws_subnet.public[zone].id : aws_subnet.private[zone].id]
}

output "tasks_need_public_ip" {
  description = "Whether tasks reach the internet by an address of their own."
  value       = var.nat == "none"
}

output "database_subnet_ids" {
  description = "Subnets no route leads out of."
  value       = [for zone in local.zones : aws_subnet.database[zone].id]
}

output "task_subnet_arns" {
  description = "The same as task_subnet_ids, for experiments that cut one off."
  value       = [for zone in local.zones : var.nat == "none" ? aws_subnet.public[zone].arn : aws_subnet.private[zone].arn]
}
