mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "111122223333" }
  }
  mock_data "aws_elb_service_account" {
    defaults = { arn = "arn:aws:iam::897822967062:root" }
  }
  mock_data "aws_ec2_managed_prefix_list" {
    defaults = { id = "pl-cloudfront", entries = [{ cidr = "120.52.22.96/27", description = "" }] }
  }
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }
  mock_resource "aws_lb" {
    defaults = { arn = "arn:aws:elasticloadbalancing:eu-north-1:111122223333:loadbalancer/app/pai/1" }
  }
  mock_resource "aws_lb_target_group" {
    defaults = { arn = "arn:aws:elasticloadbalancing:eu-north-1:111122223333:targetgroup/pai/1" }
  }
  mock_resource "aws_lb_listener" {
    defaults = { arn = "arn:aws:elasticloadbalancing:eu-north-1:111122223333:listener/app/pai/1/2" }
  }
}

mock_provider "aws" {
  alias = "us_east_1"
}

variables {
  name                      = "pai-test"
  domain_name               = "pai.example.com"
  hosted_zone_id            = "Z1"
  vpc_id                    = "vpc-1"
  public_subnet_ids         = ["subnet-1", "subnet-2"]
  service_security_group_id = "sg-service"
  kms_key_arn               = "arn:aws:kms:eu-north-1:111122223333:key/mrk-1"
}

run "only_cloudfront_and_only_https" {
  command = plan

  assert {
    condition     = aws_vpc_security_group_ingress_rule.cloudfront.prefix_list_id == "pl-cloudfront" && aws_vpc_security_group_ingress_rule.cloudfront.from_port == 443 && aws_vpc_security_group_ingress_rule.cloudfront.to_port == 443
    error_message = "443, from CloudFront."
  }
  assert {
    condition     = aws_lb_listener.https.port == 443 && aws_lb_listener.https.ssl_policy == "ELBSecurityPolicy-TLS13-1-2-2021-06" && aws_lb_listener.https.default_action[0].type == "fixed-response"
    error_message = "TLS 1.2 or newer, and nothing but our own name."
  }
  assert {
    condition     = aws_cloudfront_distribution.this[0].viewer_certificate[0].minimum_protocol_version == "TLSv1.2_2021" && alltrue([for behavior in aws_cloudfront_distribution.this[0].ordered_cache_behavior : behavior.viewer_protocol_policy == "https-only"])
    error_message = "HTTPS for viewers."
  }
}

run "streams_are_given_time" {
  command = plan

  assert {
    condition     = aws_lb.this.idle_timeout == 300 && aws_lb.this.drop_invalid_header_fields && aws_lb.this.enable_deletion_protection
    error_message = "300 seconds of silence, malformed headers dropped, protected."
  }
  assert {
    condition     = alltrue([for group in aws_lb_target_group.api : group.load_balancing_algorithm_type == "least_outstanding_requests" && group.health_check[0].path == "/readyz"])
    error_message = "Long streams are spread by how many are open."
  }
  assert {
    condition     = alltrue([for behavior in aws_cloudfront_distribution.this[0].ordered_cache_behavior : !behavior.compress && behavior.cache_policy_id == "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"])
    error_message = "The API is never cached or compressed."
  }
}

run "buckets_are_private_and_encrypted" {
  command = plan

  assert {
    condition     = length(aws_s3_bucket_public_access_block.this) == 2 && alltrue([for block in aws_s3_bucket_public_access_block.this : block.block_public_policy && block.restrict_public_buckets])
    error_message = "Both are private."
  }
  assert {
    condition     = one(aws_s3_bucket_server_side_encryption_configuration.web[0].rule).apply_server_side_encryption_by_default[0].kms_master_key_id == var.kms_key_arn
    error_message = "Encrypted with our key."
  }
}

run "dns_asks_the_first_region_first" {
  command = plan

  assert {
    condition     = aws_route53_record.origin.failover_routing_policy[0].type == "PRIMARY" && aws_route53_record.origin.set_identifier == "primary" && aws_route53_record.origin.alias[0].evaluate_target_health
    error_message = "The first of two, as long as it is healthy."
  }
}

run "two_groups_to_shift_between" {
  command = plan

  assert {
    condition     = sort(keys(aws_lb_target_group.api)) == tolist(["blue", "green"])
    error_message = "Blue and green."
  }
}

run "a_standby_is_a_load_balancer_alone" {
  command = plan

  variables {
    front = false
  }

  assert {
    condition     = length(aws_cloudfront_distribution.this) == 0 && length(aws_s3_bucket.web) == 0 && length(aws_route53_record.viewer) == 0 && length(aws_route53_record.proof) == 0
    error_message = "The name stays with the first region."
  }
  assert {
    condition     = aws_acm_certificate.origin.domain_name == var.domain_name && one(aws_lb_listener_rule.production.condition[*].host_header[0].values) == toset([var.domain_name])
    error_message = "It answers to the same name."
  }
  assert {
    condition     = aws_route53_record.origin.name == "origin.pai.example.com" && aws_route53_record.origin.failover_routing_policy[0].type == "SECONDARY" && aws_route53_record.origin.alias[0].evaluate_target_health
    error_message = "DNS turns to it when the first region has no healthy task."
  }
  assert {
    condition     = keys(aws_s3_bucket_public_access_block.this) == ["logs"]
    error_message = "Its log is private."
  }
}

run "an_address_is_no_domain" {
  command = plan

  variables {
    domain_name = "https://pai.example.com/"
  }

  expect_failures = [var.domain_name]
}
