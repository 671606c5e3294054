mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "111122223333" }
  }
}

variables {
  name        = "pai"
  kms_key_arn = "arn:aws:kms:eu-north-1:111122223333:key/mrk-1"
}

run "images_never_change_and_are_scanned" {
  command = plan

  assert {
    condition     = aws_ecr_repository.this.image_tag_mutability == "IMMUTABLE" && aws_ecr_repository.this.image_scanning_configuration[0].scan_on_push
    error_message = "Tags are immutable, images scanned."
  }
  assert {
    condition     = aws_ecr_repository.this.encryption_configuration[0].kms_key == var.kms_key_arn
    error_message = "Encrypted with our own key."
  }
  assert {
    condition     = length(aws_ecr_replication_configuration.this) == 0
    error_message = "No second region unless asked for."
  }
}

run "a_second_region_gets_each_image" {
  command = plan

  variables {
    replica_regions = ["eu-west-1"]
  }

  assert {
    condition     = one(aws_ecr_replication_configuration.this[0].replication_configuration[0].rule[0].destination).region == "eu-west-1"
    error_message = "Replicated to the region named."
  }
}
