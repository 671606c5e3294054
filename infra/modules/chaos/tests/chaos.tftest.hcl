mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "111122223333" }
  }
  mock_data "aws_region" {
    defaults = { id = "eu-north-1" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::111122223333:role/chaos" }
  }
}

variables {
  name           = "pai-test"
  cluster_name   = "pai-test"
  service_names  = { api = "pai-test-api", worker = "pai-test-worker" }
  database_arn   = "arn:aws:rds:eu-north-1:111122223333:db:pai-test"
  vpc_id         = "vpc-1"
  subnet_arns    = ["arn:aws:ec2:eu-north-1:111122223333:subnet/subnet-1"]
  stop_alarm_arn = "arn:aws:cloudwatch:eu-north-1:111122223333:alarm:pai-test-error-rate"
}

run "every_experiment_can_be_stopped" {
  command = plan

  assert {
    condition     = length(aws_fis_experiment_template.this) == 4 && alltrue([for template in aws_fis_experiment_template.this : one(template.stop_condition).value == var.stop_alarm_arn])
    error_message = "By the alarm of failed requests."
  }
  assert {
    condition     = one(aws_fis_experiment_template.this["stop-api-tasks"].target).selection_mode == "PERCENT(50)"
    error_message = "Half of them, never all."
  }
}

run "aurora_fails_over_as_a_cluster" {
  command = plan

  variables {
    database_engine = "aurora"
  }

  assert {
    condition     = one(aws_fis_experiment_template.this["database-failover"].action).action_id == "aws:rds:failover-db-cluster"
    error_message = "The cluster."
  }
}
