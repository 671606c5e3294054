mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "111122223333" }
  }
  mock_data "aws_region" {
    defaults = { id = "eu-north-1" }
  }
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }
  mock_resource "aws_sns_topic" {
    defaults = { arn = "arn:aws:sns:eu-north-1:111122223333:alerts" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::111122223333:role/archive" }
  }
  mock_resource "aws_s3_bucket" {
    defaults = { arn = "arn:aws:s3:::archive" }
  }
  mock_resource "aws_kinesis_firehose_delivery_stream" {
    defaults = { arn = "arn:aws:firehose:eu-north-1:111122223333:deliverystream/logs" }
  }
}

variables {
  name                  = "pai-test"
  kms_key_arn           = "arn:aws:kms:eu-north-1:111122223333:key/mrk-1"
  log_groups            = { api = "/pai/pai-test/api", worker = "/pai/pai-test/worker" }
  load_balancer_suffix  = "app/pai/1"
  target_group_suffixes = ["targetgroup/blue/1", "targetgroup/green/1"]
  database_identifier   = "pai-test"
  alert_emails          = ["ada@example.com"]
}

run "every_alarm_speaks" {
  command = apply

  assert {
    condition     = alltrue([for alarm in aws_cloudwatch_metric_alarm.this : length(alarm.alarm_actions) == 1]) && length(aws_cloudwatch_metric_alarm.error_rate.alarm_actions) == 1 && length(aws_cloudwatch_metric_alarm.unhealthy.alarm_actions) == 1
    error_message = "An alarm nobody hears is none."
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.error_rate.threshold == 5
    error_message = "More than 5 of 100."
  }
  assert {
    condition     = aws_sns_topic.this.kms_master_key_id == var.kms_key_arn
    error_message = "Alerts are encrypted."
  }
}

run "what_the_issue_names_is_watched" {
  command = plan

  assert {
    condition     = alltrue([for alarm in ["load-balancer-5xx", "target-5xx", "first-token", "queue-age", "database-cpu", "database-connections", "database-storage", "database-disk-queue", "database-credits", "database-disk-credits", "api-memory", "worker-cpu"] : contains(keys(aws_cloudwatch_metric_alarm.this), alarm)])
    error_message = "One is missing."
  }
  assert {
    condition     = keys(aws_cloudwatch_metric_alarm.tasks) == ["api", "worker"] && alltrue([for alarm in aws_cloudwatch_metric_alarm.tasks : alarm.threshold == 0])
    error_message = "A task that should run and does not."
  }
  assert {
    condition     = !contains(keys(aws_cloudwatch_metric_alarm.this), "cache-cpu") && !contains(keys(aws_cloudwatch_metric_alarm.this), "database-capacity")
    error_message = "Nothing is watched that is not there."
  }
  assert {
    condition     = aws_budgets_budget.this[0].limit_amount == "100" && length(aws_budgets_budget.this[0].notification) == 3
    error_message = "A budget that speaks at 50, 80 and 100 of 100."
  }
}

run "a_deployment_is_taken_back_by_these" {
  command = plan

  assert {
    condition     = toset(output.rollback_alarm_names) == toset(["pai-test-error-rate", "pai-test-unhealthy", "pai-test-load-balancer-5xx", "pai-test-target-5xx", "pai-test-first-token"])
    error_message = "Errors, health, and the first word."
  }
}

run "aurora_has_other_figures" {
  command = plan

  variables {
    database_engine = "aurora"
    cache_id        = "pai-test-cache"
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["database-cpu"].dimensions["DBClusterIdentifier"] == "pai-test" && contains(keys(aws_cloudwatch_metric_alarm.this), "database-capacity") && !contains(keys(aws_cloudwatch_metric_alarm.this), "database-storage") && contains(keys(aws_cloudwatch_metric_alarm.this), "cache-memory")
    error_message = "Capacity instead of storage; the cache too."
  }
}

run "one_environment_watches_the_account" {
  command = plan

  variables {
    watch_account = true
  }

  assert {
    condition     = contains(keys(aws_cloudwatch_event_rule.this), "root") && length(aws_ce_anomaly_subscription.this) == 1
    error_message = "The root user and anomalies in costs."
  }
}

run "the_archive_is_private_and_ends" {
  command = plan

  variables {
    log_archive = true
  }

  assert {
    condition     = aws_s3_bucket_public_access_block.logs[0].block_public_policy && one(aws_s3_bucket_server_side_encryption_configuration.logs[0].rule).apply_server_side_encryption_by_default[0].kms_master_key_id == var.kms_key_arn
    error_message = "Private, encrypted."
  }
  assert {
    condition     = length(aws_cloudwatch_log_subscription_filter.this) == 2 && one(aws_s3_bucket_lifecycle_configuration.logs[0].rule).expiration[0].days == 365
    error_message = "Both logs, for a year."
  }
}
