mock_provider "aws" {}

variables {
  name                     = "pai-test"
  vpc_id                   = "vpc-1"
  subnet_ids               = ["subnet-1", "subnet-2"]
  client_security_group_id = "sg-service"
  kms_key_arn              = "arn:aws:kms:eu-north-1:111122223333:key/mrk-1"
}

run "nodes_are_encrypted_and_fail_over" {
  command = plan

  assert {
    condition     = aws_elasticache_replication_group.this[0].at_rest_encryption_enabled && aws_elasticache_replication_group.this[0].transit_encryption_mode == "required"
    error_message = "Encrypted at rest and on the way."
  }
  assert {
    condition     = aws_elasticache_replication_group.this[0].automatic_failover_enabled && aws_elasticache_replication_group.this[0].multi_az_enabled
    error_message = "Two nodes fail over."
  }
  assert {
    condition     = aws_elasticache_user.service.authentication_mode[0].type == "iam"
    error_message = "No password."
  }
  assert {
    condition     = aws_vpc_security_group_ingress_rule.service.referenced_security_group_id == "sg-service" && aws_vpc_security_group_ingress_rule.service.cidr_ipv4 == null
    error_message = "The service alone."
  }
}

run "serverless_has_a_ceiling" {
  command = plan

  variables {
    mode = "serverless"
  }

  assert {
    condition     = length(aws_elasticache_replication_group.this) == 0 && aws_elasticache_serverless_cache.this[0].cache_usage_limits[0].data_storage[0].maximum == 1
    error_message = "One cache, with a limit."
  }
}

run "an_unknown_mode_is_refused" {
  command = plan

  variables {
    mode = "redis"
  }

  expect_failures = [var.mode]
}
