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
  name           = "pai-test"
  domain_name    = "pai.example.com"
  hosted_zone_id = "Z0123456789ABCDEFGHIJ"
  image          = "111122223333.dkr.ecr.eu-north-1.amazonaws.com/pai:0123456789abcdef"
  repository_arn = "arn:aws:ecr:eu-north-1:111122223333:repository/pai"
}

run "aurora_a_cache_and_bedrock" {
  command = apply

  variables {
    database           = { engine = "aurora", read_replica_count = 1 }
    cache              = "serverless"
    openai             = false
    bedrock_model_arns = ["arn:aws:bedrock:eu-north-1::foundation-model/amazon.nova-pro-v1:0"]
  }

  assert {
    condition     = length(module.cache) == 1 && module.database.engine == "aurora" && module.security.openai_secret_arn == null
    error_message = "The other half of every choice."
  }
  assert {
    condition     = aws_ssm_parameter.this["url"].name == "/pai/test/url"
    error_message = "A delivery finds what it needs by project and environment."
  }
}

run "a_warm_second_region" {
  command = apply

  variables {
    database = { read_replica_count = 1 }
    dr = {
      region        = "eu-west-1"
      database_copy = "replica"
      subnet_ids    = ["subnet-1", "subnet-2"]
    }
  }

  assert {
    condition     = module.dr[0].replica_identifier == "pai-test-dr"
    error_message = "A replica follows there."
  }
}

run "a_standby_begins_from_backups" {
  command = apply

  variables {
    front = false
    waf   = false
    database = {
      restore = {
        backups_arn = "arn:aws:rds:eu-west-1:111122223333:auto-backup:ab-1"
        kms_key_arn = "arn:aws:kms:eu-west-1:111122223333:key/mrk-1"
      }
    }
  }

  assert {
    condition     = !contains(keys(aws_ssm_parameter.this), "web-bucket") && contains(keys(aws_ssm_parameter.this), "cluster")
    error_message = "A delivery finds tasks, and no place for a web app."
  }
}

run "a_name_has_two_parts" {
  command = plan

  variables {
    name = "pai"
  }

  expect_failures = [var.name]
}
