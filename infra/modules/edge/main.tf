locals {
  # CloudFront finds the load balancer by this name, and DNS decides which region it means.
  origin_name = "origin.${var.domain_name}"
}

resource "aws_acm_certificate" "viewer" {
  count    = var.front ? 1 : 0
  provider = aws.us_east_1

  domain_name       = var.domain_name
  validation_method = "DNS"

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_acm_certificate" "origin" {
  domain_name               = var.domain_name
  subject_alternative_names = [local.origin_name]
  validation_method         = "DNS"

  lifecycle {
    create_before_destroy = true
  }
}

# All certificates of an account ask for the same proof of the same name, whatever the region: one record serves them.
resource "aws_route53_record" "proof" {
  for_each = toset(var.front ? [var.domain_name, local.origin_name] : [])

  zone_id         = var.hosted_zone_id
  name            = one([for proof in aws_acm_certificate.origin.domain_validation_options : proof.resource_record_name if proof.domain_name == each.key])
  type            = one([for proof in aws_acm_certificate.origin.domain_validation_options : proof.resource_record_type if proof.domain_name == each.key])
  records         = [one([for proof in aws_acm_certificate.origin.domain_validation_options : proof.resource_record_value if proof.domain_name == each.key])]
  ttl             = 300
  allow_overwrite = true
}

resource "aws_acm_certificate_validation" "viewer" {
  count    = var.front ? 1 : 0
  provider = aws.us_east_1

  certificate_arn         = aws_acm_certificate.viewer[0].arn
  validation_record_fqdns = [aws_route53_record.proof[var.domain_name].fqdn]
}

resource "aws_acm_certificate_validation" "origin" {
  certificate_arn         = aws_acm_certificate.origin.arn
  validation_record_fqdns = var.front ? [for record in aws_route53_record.proof : record.fqdn] : null
}

resource "aws_route53_record" "viewer" {
  for_each = toset(var.front ? ["A", "AAAA"] : [])

  zone_id = var.hosted_zone_id
  name    = var.domain_name
  type    = each.key

  alias {
    name                   = aws_cloudfront_distribution.this[0].domain_name
    zone_id                = aws_cloudfront_distribution.this[0].hosted_zone_id
    evaluate_target_health = false
  }
}

# Where no target is healthy in the first region, DNS gives CloudFront the second region's load balancer instead, if there is
# one: each region makes its own half, since the other's state may be out of reach.
resource "aws_route53_record" "origin" {
  zone_id        = var.hosted_zone_id
  name           = local.origin_name
  type           = "A"
  set_identifier = var.front ? "primary" : "secondary"

  failover_routing_policy {
    type = var.front ? "PRIMARY" : "SECONDARY"
  }

  alias {
    name                   = aws_lb.this.dns_name
    zone_id                = aws_lb.this.zone_id
    evaluate_target_health = true
  }
}
