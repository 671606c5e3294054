mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "111122223333" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_data "aws_region" {
    defaults = { id = "eu-north-1" }
  }
  mock_data "aws_iam_policy_document" {
    defaults = { json = "{}" }
  }
  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:eu-north-1:111122223333:key/mrk-1" }
  }
}

mock_provider "aws" {
  alias = "us_east_1"
}

variables {
  name = "pai-test"
}

run "the_key_turns_and_can_go_abroad" {
  command = plan

  assert {
    condition     = aws_kms_key.this.enable_key_rotation && aws_kms_key.this.multi_region && aws_kms_key.this.deletion_window_in_days == 30
    error_message = "Rotated, multi-region, and 30 days to change one's mind."
  }
}

run "the_trail_is_whole_and_private" {
  command = plan

  assert {
    condition     = aws_cloudtrail.this[0].is_multi_region_trail && aws_cloudtrail.this[0].enable_log_file_validation
    error_message = "Every region, and tampering shows."
  }
  assert {
    condition     = aws_s3_bucket_public_access_block.trail[0].restrict_public_buckets && aws_s3_bucket_public_access_block.trail[0].block_public_policy
    error_message = "The bucket is nobody else's."
  }
}

run "the_firewall_counts_addresses" {
  command = plan

  assert {
    condition     = aws_wafv2_web_acl.this[0].scope == "CLOUDFRONT" && length(aws_wafv2_web_acl.this[0].rule) == 4
    error_message = "A rate rule and three managed groups, at CloudFront."
  }
}

run "secrets_have_a_place_and_a_way_back" {
  command = plan

  assert {
    condition     = length(aws_secretsmanager_secret.openai) == 1 && aws_secretsmanager_secret.jwt.recovery_window_in_days == 30
    error_message = "A place for the key, and time to bring a secret back."
  }
}

run "secrets_go_to_a_second_region" {
  command = plan

  variables {
    replica_region      = "eu-west-1"
    replica_kms_key_arn = "arn:aws:kms:eu-west-1:111122223333:key/mrk-1"
  }

  assert {
    condition     = one(aws_secretsmanager_secret.jwt.replica).region == "eu-west-1" && one(aws_secretsmanager_secret.openai[0].replica).kms_key_id == var.replica_kms_key_arn
    error_message = "Both, under the key there."
  }
}

run "nothing_optional_where_not_wanted" {
  command = plan

  variables {
    openai     = false
    cloudtrail = false
    waf        = false
  }

  assert {
    condition     = length(aws_secretsmanager_secret.openai) + length(aws_cloudtrail.this) + length(aws_wafv2_web_acl.this) + length(aws_guardduty_detector.this) == 0
    error_message = "Only the key and the signing secret are left."
  }
}
