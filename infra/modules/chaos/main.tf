data "aws_caller_identity" "this" {}
data "aws_region" "this" {}
data "aws_partition" "this" {}

locals {
  account   = data.aws_caller_identity.this.account_id
  region    = data.aws_region.this.id
  partition = data.aws_partition.this.partition

  # What each experiment does, to whom, and what PAI promises meanwhile. All of them stop when the alarm of failed requests
  # goes off.
  experiments = {
    stop-api-tasks = {
      about  = "Half of the API's tasks die. Streams resume elsewhere, no acknowledged message is lost."
      action = "aws:ecs:stop-task", target_key = "Tasks", type = "aws:ecs:task", mode = "PERCENT(50)"
      params = {}, query = { cluster = var.cluster_name, service = var.service_names.api }, arns = []
    }
    stop-worker-tasks = {
      about  = "Every worker dies. Jobs run again within half a minute of the next one's start."
      action = "aws:ecs:stop-task", target_key = "Tasks", type = "aws:ecs:task", mode = "ALL"
      params = {}, query = { cluster = var.cluster_name, service = var.service_names.worker }, arns = []
    }
    database-failover = {
      about      = "The database moves to its other zone. Requests answer 503 for a minute or two, then go on."
      action     = var.database_engine == "rds" ? "aws:rds:reboot-db-instances" : "aws:rds:failover-db-cluster"
      target_key = var.database_engine == "rds" ? "DBInstances" : "Clusters"
      type       = var.database_engine == "rds" ? "aws:rds:db" : "aws:rds:cluster", mode = "ALL"
      params     = { for key, value in { forceFailover = "true" } : key => value if var.database_engine == "rds" }, query = {}, arns = [var.database_arn]
    }
    zone-cut-off = {
      about  = "One zone's tasks lose the network for two minutes. The other zone serves."
      action = "aws:network:disrupt-connectivity", target_key = "Subnets", type = "aws:ec2:subnet", mode = "ALL"
      params = { scope = "all", duration = "PT2M" }, query = {}, arns = slice(var.subnet_arns, 0, 1)
    }
  }
}

data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["fis.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [local.account]
    }
  }
}

resource "aws_iam_role" "this" {
  name               = "${var.name}-chaos"
  assume_role_policy = data.aws_iam_policy_document.trust.json
}

data "aws_iam_policy_document" "this" {
  statement {
    sid       = "StopTasks"
    actions   = ["ecs:StopTask"]
    resources = ["arn:${local.partition}:ecs:${local.region}:${local.account}:task/${var.cluster_name}/*"]
  }

  statement {
    sid       = "FindTasks"
    actions   = ["ecs:DescribeTasks"]
    resources = ["arn:${local.partition}:ecs:${local.region}:${local.account}:task/${var.cluster_name}/*"]
  }

  # ListTasks knows no task: the condition says whose.
  statement {
    sid       = "ListTasks"
    actions   = ["ecs:ListTasks"]
    resources = ["*"]

    condition {
      test     = "ArnEquals"
      variable = "ecs:cluster"
      values   = ["arn:${local.partition}:ecs:${local.region}:${local.account}:cluster/${var.cluster_name}"]
    }
  }

  statement {
    sid       = "MoveDatabase"
    actions   = ["rds:RebootDBInstance", "rds:FailoverDBCluster"]
    resources = [var.database_arn]
  }

  # What cuts a subnet off makes a network ACL of its own, and removes it again.
  statement {
    sid       = "CutSubnetOff"
    actions   = ["ec2:CreateNetworkAcl", "ec2:CreateNetworkAclEntry", "ec2:CreateTags", "ec2:DeleteNetworkAcl", "ec2:ReplaceNetworkAclAssociation"]
    resources = concat(["arn:${local.partition}:ec2:${local.region}:${local.account}:network-acl/*", "arn:${local.partition}:ec2:${local.region}:${local.account}:vpc/${var.vpc_id}"], var.subnet_arns)
  }

  # AWS knows no resource for looking.
  statement {
    sid = "Look"
    actions = [
      "cloudwatch:DescribeAlarms",
      "ec2:DescribeNetworkAcls",
      "ec2:DescribeSubnets",
      "ec2:DescribeVpcs",
      "rds:DescribeDBClusters",
      "rds:DescribeDBInstances",
      "tag:GetResources"
    ]
    resources = ["*"]
  }
}

resource "aws_iam_role_policy" "this" {
  name   = "experiment"
  role   = aws_iam_role.this.id
  policy = data.aws_iam_policy_document.this.json
}

resource "aws_fis_experiment_template" "this" {
  for_each = local.experiments

  description = each.value.about
  role_arn    = aws_iam_role.this.arn

  stop_condition {
    source = "aws:cloudwatch:alarm"
    value  = var.stop_alarm_arn
  }

  action {
    name      = each.key
    action_id = each.value.action

    dynamic "parameter" {
      for_each = each.value.params

      content {
        key   = parameter.key
        value = parameter.value
      }
    }

    target {
      key   = each.value.target_key
      value = "victims"
    }
  }

  target {
    name           = "victims"
    resource_type  = each.value.type
    selection_mode = each.value.mode
    resource_arns  = length(each.value.arns) > 0 ? each.value.arns : null
    parameters     = length(each.value.query) > 0 ? each.value.query : null
  }

  tags = { Name = "${var.name}-${each.key}" }
}
