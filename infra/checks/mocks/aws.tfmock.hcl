# What AWS would answer, where the provider looks at its form.
mock_data "aws_caller_identity" {
  defaults = { account_id = "111122223333" }
}
mock_data "aws_partition" {
  defaults = { partition = "aws" }
}
mock_data "aws_region" {
  defaults = { id = "eu-north-1" }
}
mock_data "aws_availability_zones" {
  defaults = { names = ["eu-north-1a", "eu-north-1b", "eu-north-1c"] }
}
mock_data "aws_elb_service_account" {
  defaults = { arn = "arn:aws:iam::897822967062:root" }
}
mock_data "aws_ec2_managed_prefix_list" {
  defaults = { id = "pl-cloudfront", entries = [{ cidr = "120.52.22.96/27", description = "" }] }
}
mock_data "aws_iam_policy_document" {
  defaults = { json = "{}" }
}

mock_resource "aws_kms_key" {
  defaults = { arn = "arn:aws:kms:eu-north-1:111122223333:key/mrk-1" }
}
mock_resource "aws_kms_replica_key" {
  defaults = { arn = "arn:aws:kms:eu-west-1:111122223333:key/mrk-1" }
}
mock_resource "aws_iam_role" {
  defaults = { arn = "arn:aws:iam::111122223333:role/mock" }
}
mock_resource "aws_iam_openid_connect_provider" {
  defaults = { arn = "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com" }
}
mock_resource "aws_s3_bucket" {
  defaults = { arn = "arn:aws:s3:::mock" }
}
mock_resource "aws_cloudwatch_log_group" {
  defaults = { arn = "arn:aws:logs:eu-north-1:111122223333:log-group:mock" }
}
mock_resource "aws_sns_topic" {
  defaults = { arn = "arn:aws:sns:eu-north-1:111122223333:mock" }
}
mock_resource "aws_secretsmanager_secret" {
  defaults = { arn = "arn:aws:secretsmanager:eu-north-1:111122223333:secret:mock-AbCdEf" }
}
mock_resource "aws_ecs_cluster" {
  defaults = { arn = "arn:aws:ecs:eu-north-1:111122223333:cluster/mock", id = "arn:aws:ecs:eu-north-1:111122223333:cluster/mock" }
}
mock_resource "aws_ecs_task_definition" {
  defaults = { arn = "arn:aws:ecs:eu-north-1:111122223333:task-definition/mock:1" }
}
mock_resource "aws_ecr_repository" {
  defaults = { arn = "arn:aws:ecr:eu-north-1:111122223333:repository/mock" }
}
mock_resource "aws_lb" {
  defaults = { arn = "arn:aws:elasticloadbalancing:eu-north-1:111122223333:loadbalancer/app/mock/1" }
}
mock_resource "aws_lb_listener" {
  defaults = { arn = "arn:aws:elasticloadbalancing:eu-north-1:111122223333:listener/app/mock/1/2" }
}
mock_resource "aws_lb_listener_rule" {
  defaults = { arn = "arn:aws:elasticloadbalancing:eu-north-1:111122223333:listener-rule/app/mock/1/2/3" }
}
mock_resource "aws_lb_target_group" {
  defaults = { arn = "arn:aws:elasticloadbalancing:eu-north-1:111122223333:targetgroup/mock/1" }
}
mock_resource "aws_acm_certificate" {
  defaults = {
    arn = "arn:aws:acm:us-east-1:111122223333:certificate/mock"
    domain_validation_options = [
      { domain_name = "pai.example.com", resource_record_name = "_1.pai.example.com", resource_record_type = "CNAME", resource_record_value = "_1.acm-validations.aws" },
      { domain_name = "origin.pai.example.com", resource_record_name = "_2.pai.example.com", resource_record_type = "CNAME", resource_record_value = "_2.acm-validations.aws" }
    ]
  }
}
mock_resource "aws_acm_certificate_validation" {
  defaults = { certificate_arn = "arn:aws:acm:eu-north-1:111122223333:certificate/mock" }
}
mock_resource "aws_cloudfront_distribution" {
  defaults = { arn = "arn:aws:cloudfront::111122223333:distribution/MOCK" }
}
mock_resource "aws_cloudfront_function" {
  defaults = { arn = "arn:aws:cloudfront::111122223333:function/mock" }
}
mock_resource "aws_wafv2_web_acl" {
  defaults = { arn = "arn:aws:wafv2:us-east-1:111122223333:global/webacl/mock/1" }
}
mock_resource "aws_backup_vault" {
  defaults = { arn = "arn:aws:backup:eu-north-1:111122223333:backup-vault:mock" }
}
mock_resource "aws_cloudwatch_metric_alarm" {
  defaults = { arn = "arn:aws:cloudwatch:eu-north-1:111122223333:alarm:mock" }
}
mock_resource "aws_kinesis_firehose_delivery_stream" {
  defaults = { arn = "arn:aws:firehose:eu-north-1:111122223333:deliverystream/mock" }
}
mock_resource "aws_subnet" {
  defaults = { arn = "arn:aws:ec2:eu-north-1:111122223333:subnet/subnet-mock" }
}
mock_resource "aws_ce_anomaly_monitor" {
  defaults = { arn = "arn:aws:ce::111122223333:anomalymonitor/mock" }
}
mock_resource "aws_elasticache_user" {
  defaults = { arn = "arn:aws:elasticache:eu-north-1:111122223333:user:mock" }
}
mock_resource "aws_db_instance" {
  defaults = {
    arn                = "arn:aws:rds:eu-north-1:111122223333:db:mock"
    address            = "mock.eu-north-1.rds.amazonaws.com"
    master_user_secret = [{ secret_arn = "arn:aws:secretsmanager:eu-north-1:111122223333:secret:rds-AbCdEf", kms_key_id = "", secret_status = "active" }]
  }
}
mock_resource "aws_rds_cluster" {
  defaults = {
    arn                = "arn:aws:rds:eu-north-1:111122223333:cluster:mock"
    endpoint           = "mock.cluster.eu-north-1.rds.amazonaws.com"
    master_user_secret = [{ secret_arn = "arn:aws:secretsmanager:eu-north-1:111122223333:secret:rds-AbCdEf", kms_key_id = "", secret_status = "active" }]
  }
}
mock_resource "aws_elasticache_serverless_cache" {
  defaults = { endpoint = [{ address = "mock.serverless.cache.amazonaws.com", port = 6379 }] }
}
