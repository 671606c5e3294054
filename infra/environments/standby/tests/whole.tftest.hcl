mock_provider "aws" {
  source = "../../checks/mocks"
}

mock_provider "aws" {
  alias  = "us_east_1"
  source = "../../checks/mocks"
}

mock_provider "aws" {
  alias  = "dr"
  source = "../../checks/mocks"
}

variables {
  region         = "eu-west-1"
  domain_name    = "pai.example.com"
  hosted_zone_id = "Z0123456789ABCDEFGHIJ"
  image          = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/pai:0123456789abcdef"
  repository_arn = "arn:aws:ecr:eu-west-1:111122223333:repository/pai"
  alert_emails   = ["you@example.com"]
  restore = {
    backups_arn = "arn:aws:rds:eu-west-1:111122223333:auto-backup:ab-1"
    kms_key_arn = "arn:aws:kms:eu-west-1:111122223333:key/mrk-1"
  }
}

# On mocks everything is known, down to the containers: checks/policies.ts reads what this makes.
run "whole" {
  command = apply

  assert {
    condition     = output.url == "https://pai.example.com"
    error_message = "Served under its name."
  }
}
