mock_data "aws_region" {
  defaults = { id = "eu-north-1" }
}
mock_data "aws_caller_identity" {
  defaults = { account_id = "111122223333" }
}
mock_data "aws_partition" {
  defaults = { partition = "aws" }
}
mock_data "aws_iam_policy_document" {
  defaults = { json = "{}" }
}
mock_resource "aws_iam_role" {
  defaults = { arn = "arn:aws:iam::111122223333:role/pai" }
}
mock_resource "aws_cloudwatch_log_group" {
  defaults = { arn = "arn:aws:logs:eu-north-1:111122223333:log-group:pai" }
}
mock_resource "aws_ecs_cluster" {
  defaults = { id = "arn:aws:ecs:eu-north-1:111122223333:cluster/pai", arn = "arn:aws:ecs:eu-north-1:111122223333:cluster/pai" }
}
mock_resource "aws_ecs_task_definition" {
  defaults = { arn = "arn:aws:ecs:eu-north-1:111122223333:task-definition/pai:1" }
}
