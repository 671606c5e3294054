mock_provider "aws" {
  mock_data "aws_availability_zones" {
    defaults = { names = ["eu-north-1a", "eu-north-1b", "eu-north-1c"] }
  }
  mock_data "aws_region" {
    defaults = { id = "eu-north-1" }
  }
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }
  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:eu-north-1:111122223333:log-group:flow" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::111122223333:role/flow" }
  }
}

variables {
  name        = "pai-test"
  kms_key_arn = "arn:aws:kms:eu-north-1:111122223333:key/mrk-1"
}

run "one_gateway_by_default" {
  command = plan

  assert {
    condition     = length(aws_nat_gateway.this) == 1 && length(aws_route.nat) == 2
    error_message = "Both private subnets go out by one gateway."
  }
  assert {
    condition     = alltrue([for subnet in aws_subnet.public : !subnet.map_public_ip_on_launch])
    error_message = "Nothing gets a public address by standing in a public subnet."
  }
  assert {
    condition     = length(aws_vpc.this.tags) == 1 && aws_vpc.this.enable_dns_support
    error_message = "Named, and names are found inside."
  }
  assert {
    condition     = aws_cloudwatch_log_group.flow.kms_key_id == var.kms_key_arn && aws_cloudwatch_log_group.flow.retention_in_days == 30
    error_message = "The flow log is encrypted and ends."
  }
}

run "a_gateway_in_each_zone" {
  command = plan

  variables {
    nat        = "per_az"
    zone_count = 3
  }

  assert {
    condition     = length(aws_nat_gateway.this) == 3 && length(aws_subnet.database) == 3
    error_message = "Three zones, three gateways."
  }
}

run "no_gateway_at_all" {
  command = plan

  variables {
    nat = "none"
  }

  assert {
    condition     = length(aws_nat_gateway.this) == 0 && length(aws_route.nat) == 0 && output.tasks_need_public_ip
    error_message = "Nothing to pay for, and tasks need an address."
  }
}

run "endpoints_take_https_from_the_vpc_alone" {
  command = plan

  variables {
    interface_endpoints = ["bedrock-runtime"]
  }

  assert {
    condition     = aws_vpc_security_group_ingress_rule.endpoints[0].cidr_ipv4 == var.cidr && aws_vpc_security_group_ingress_rule.endpoints[0].from_port == 443
    error_message = "Only the VPC, only HTTPS."
  }
}

run "one_zone_is_refused" {
  command = plan

  variables {
    zone_count = 1
  }

  expect_failures = [var.zone_count]
}
