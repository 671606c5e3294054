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
