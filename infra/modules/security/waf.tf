# A web ACL for CloudFront lives in us-east-1, wherever the service is.
resource "aws_wafv2_web_acl" "this" {
  count    = var.waf ? 1 : 0
  provider = aws.us_east_1

  name        = var.name
  description = "What may reach PAI"
  scope       = "CLOUDFRONT"

  default_action {
    allow {}
  }

  rule {
    name     = "rate"
    priority = 0

    action {
      block {}
    }

    statement {
      rate_based_statement {
        limit                 = var.waf_requests_per_5_minutes
        aggregate_key_type    = "IP"
        evaluation_window_sec = 300
      }
    }

    visibility_config {
      cloudwatch_metrics_enabled = true
      metric_name                = "${var.name}-rate"
      sampled_requests_enabled   = true
    }
  }

  dynamic "rule" {
    for_each = local.managed_rules

    content {
      name     = rule.key
      priority = rule.value.priority

      override_action {
        none {}
      }

      statement {
        managed_rule_group_statement {
          vendor_name = "AWS"
          name        = rule.key

          dynamic "rule_action_override" {
            for_each = rule.value.only_counted

            content {
              name = rule_action_override.value

              action_to_use {
                count {}
              }
            }
          }
        }
      }

      visibility_config {
        cloudwatch_metrics_enabled = true
        metric_name                = "${var.name}-${rule.key}"
        sampled_requests_enabled   = true
      }
    }
  }

  visibility_config {
    cloudwatch_metrics_enabled = true
    metric_name                = var.name
    sampled_requests_enabled   = true
  }
}

locals {
  # People talk to PAI about anything, scripts, addresses and file names included, and send it long texts: what looks at the
  # body by its size or its words would refuse honest messages. The service checks bodies itself.
  managed_rules = {
    AWSManagedRulesAmazonIpReputationList = { priority = 10, only_counted = [] }
    AWSManagedRulesKnownBadInputsRuleSet = {
      priority     = 20
      only_counted = ["Log4JRCE_BODY", "JavaDeserializationRCE_BODY", "ReactJSRCE_BODY"]
    }
    AWSManagedRulesCommonRuleSet = {
      priority = 30
      only_counted = [
        "SizeRestrictions_BODY",
        "CrossSiteScripting_BODY",
        "GenericLFI_BODY",
        "GenericRFI_BODY",
        "EC2MetaDataSSRF_BODY",
        # Clients of the API may send no User-Agent.
        "NoUserAgent_HEADER"
      ]
    }
  }
}
