mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "111122223333" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }
}

variables {
  region            = "eu-north-1"
  github_repository = "ada/pai"
}

run "state_is_kept_safe" {
  command = plan

  assert {
    condition     = aws_s3_bucket_versioning.state.versioning_configuration[0].status == "Enabled" && aws_s3_bucket_public_access_block.state.restrict_public_buckets && !aws_s3_bucket.state.force_destroy
    error_message = "Versioned, private, not to be emptied by a destroy."
  }
  assert {
    condition     = one(aws_s3_bucket_server_side_encryption_configuration.state.rule).apply_server_side_encryption_by_default[0].sse_algorithm == "aws:kms"
    error_message = "Encrypted."
  }
}

run "only_named_workflows_sign_in" {
  command = plan

  assert {
    condition     = alltrue(flatten([for role, trust in data.aws_iam_policy_document.trust : [for condition in trust.statement[0].condition : condition.test == "StringEquals" && alltrue([for value in condition.values : !strcontains(value, "*")])]]))
    error_message = "Every subject is spelled out."
  }
  assert {
    condition     = alltrue([for condition in data.aws_iam_policy_document.trust["deploy-prod"].statement[0].condition : condition.values == tolist(["repo:ada/pai:environment:prod"]) if endswith(condition.variable, ":sub")])
    error_message = "Only the environment's own job deploys."
  }
}

run "a_plan_reads_no_secret" {
  command = plan

  assert {
    condition     = anytrue([for statement in data.aws_iam_policy_document.plan.statement : statement.effect == "Deny" && contains(statement.actions, "secretsmanager:GetSecretValue")])
    error_message = "Denied."
  }
}

run "roles_are_handed_to_tasks_alone" {
  command = plan

  assert {
    condition     = alltrue([for statement in data.aws_iam_policy_document.deploy["prod"].statement : one(statement.condition).variable == "iam:PassedToService" if contains(statement.actions, "iam:PassRole")])
    error_message = "iam:PassRole has a condition."
  }
}
