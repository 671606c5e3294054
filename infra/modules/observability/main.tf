data "aws_caller_identity" "this" {}
data "aws_region" "this" {}

# Alarms, events and costs all speak here; people subscribe.
resource "aws_sns_topic" "this" {
  name              = "${var.name}-alerts"
  kms_master_key_id = var.kms_key_arn
}

data "aws_iam_policy_document" "topic" {
  statement {
    sid       = "AwsSpeaks"
    actions   = ["sns:Publish"]
    resources = [aws_sns_topic.this.arn]

    principals {
      type = "Service"
      identifiers = [
        "budgets.amazonaws.com",
        "cloudwatch.amazonaws.com",
        "costalerts.amazonaws.com",
        "events.amazonaws.com"
      ]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [data.aws_caller_identity.this.account_id]
    }
  }
}

resource "aws_sns_topic_policy" "this" {
  arn    = aws_sns_topic.this.arn
  policy = data.aws_iam_policy_document.topic.json
}

resource "aws_sns_topic_subscription" "email" {
  for_each = var.alert_emails

  topic_arn = aws_sns_topic.this.arn
  protocol  = "email"
  endpoint  = each.value
}

# What no figure shows: a delivery that was taken back, a backup that failed, the root user signing in.
locals {
  events = { for event, rule in {
    deployment = {
      description = "A deployment of ${var.name} failed or was taken back"
      pattern = {
        source      = ["aws.ecs"]
        detail-type = ["ECS Deployment State Change"]
        resources   = [{ prefix = "arn:aws:ecs:${data.aws_region.this.id}:${data.aws_caller_identity.this.account_id}:service/${var.name}/" }]
        detail      = { eventName = ["SERVICE_DEPLOYMENT_FAILED"] }
      }
    }
    backup = {
      description = "A backup, a copy or the test of a restore failed"
      pattern = {
        source      = ["aws.backup"]
        detail-type = ["Backup Job State Change", "Copy Job State Change", "Restore Job State Change"]
        detail      = { state = ["FAILED", "ABORTED", "EXPIRED"] }
      }
    }
    database = {
      description = "The database failed over, ran full or was restored"
      pattern = {
        source      = ["aws.rds"]
        detail-type = ["RDS DB Instance Event", "RDS DB Cluster Event"]
        detail      = { EventCategories = ["failover", "failure", "low storage", "recovery"] }
      }
    }
    root = {
      description = "The account's root user signed in"
      pattern = {
        detail-type = ["AWS Console Sign In via CloudTrail"]
        detail      = { userIdentity = { type = ["Root"] } }
      }
    }
    policies = {
      description = "Somebody switched the trail off or changed who may do what"
      pattern = {
        source      = ["aws.iam", "aws.cloudtrail"]
        detail-type = ["AWS API Call via CloudTrail"]
        detail = { eventName = [
          "StopLogging", "DeleteTrail", "UpdateTrail", "CreateUser", "CreateAccessKey",
          "AttachRolePolicy", "AttachUserPolicy", "PutRolePolicy", "PutUserPolicy", "UpdateAssumeRolePolicy"
        ] }
      }
    }
  } : event => rule if var.watch_account || !contains(["root", "policies"], event) }
}

resource "aws_cloudwatch_event_rule" "this" {
  for_each = local.events

  name          = "${var.name}-${each.key}"
  description   = each.value.description
  event_pattern = jsonencode(each.value.pattern)
}

resource "aws_cloudwatch_event_target" "this" {
  for_each = local.events

  rule = aws_cloudwatch_event_rule.this[each.key].name
  arn  = aws_sns_topic.this.arn
}
