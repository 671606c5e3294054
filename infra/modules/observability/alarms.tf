locals {
  rds                = var.database_engine == "rds"
  service_dimension  = { for part in ["api", "worker"] : part => { service = "${var.name}-${part}" } }
  ecs_dimension      = { for part in ["api", "worker"] : part => { ClusterName = var.name, ServiceName = "${var.name}-${part}" } }
  database_dimension = { (local.rds ? "DBInstanceIdentifier" : "DBClusterIdentifier") = var.database_identifier }
  # ElastiCache counts by node; the first is the primary until a failover.
  cache_dimension = var.cache_id == null ? {} : { CacheClusterId = "${var.cache_id}-001" }
  load_balancer   = { LoadBalancer = var.load_balancer_suffix }
  groups          = [for suffix in var.target_group_suffixes : merge(local.load_balancer, { TargetGroup = suffix })]

  # One figure, compared with one limit. "missing" is what silence means: an idle service sends no figure.
  offered = merge({
    load-balancer-5xx = {
      about = "The load balancer itself answers with errors: no healthy task"
      ns    = "AWS/ApplicationELB", metric = "HTTPCode_ELB_5XX_Count", stat = "Sum", dims = local.load_balancer
      op    = ">", limit = 5, minutes = 5, missing = "notBreaching", rolls_back = true, when = true
    }
    target-5xx = {
      about = "PAI answers with errors"
      ns    = "AWS/ApplicationELB", metric = "HTTPCode_Target_5XX_Count", stat = "Sum", dims = local.load_balancer
      op    = ">", limit = 10, minutes = 5, missing = "notBreaching", rolls_back = true, when = true
    }
    first-token = {
      about = "The first word takes long: 95 of 100 wait less than this"
      ns    = var.metrics_namespace, metric = "TimeToFirstToken", stat = "p95", dims = local.service_dimension.api
      op    = ">", limit = var.first_token_ms, minutes = 5, missing = "notBreaching", rolls_back = true, when = true
    }
    recall = {
      about = "Recall takes long"
      ns    = var.metrics_namespace, metric = "RecallLatency", stat = "p95", dims = local.service_dimension.api
      op    = ">", limit = 250, minutes = 15, missing = "notBreaching", rolls_back = false, when = true
    }
    queue-age = {
      about = "Jobs wait too long: the worker is down, or too small"
      ns    = var.metrics_namespace, metric = "QueueAge", stat = "Maximum", dims = local.service_dimension.worker
      op    = ">", limit = var.queue_age_seconds, minutes = 10, missing = "notBreaching", rolls_back = false, when = true
    }
    model-spend = {
      about = "The models cost more in an hour than they should"
      ns    = var.metrics_namespace, metric = "CostUsd", stat = "Sum", dims = local.service_dimension.api
      op    = ">", limit = var.model_usd_per_hour, minutes = 60, missing = "notBreaching", rolls_back = false, when = true
    }
    database-cpu = {
      about = "The database has no processor left"
      ns    = "AWS/RDS", metric = "CPUUtilization", stat = "Average", dims = local.database_dimension
      op    = ">", limit = 80, minutes = 10, missing = "missing", rolls_back = false, when = true
    }
    database-connections = {
      about = "The database is running out of connections"
      ns    = "AWS/RDS", metric = "DatabaseConnections", stat = "Maximum", dims = local.database_dimension
      op    = ">", limit = floor(0.8 * var.database_max_connections), minutes = 5, missing = "missing", rolls_back = false, when = true
    }
    database-memory = {
      about = "The database has little memory left"
      ns    = "AWS/RDS", metric = "FreeableMemory", stat = "Average", dims = local.database_dimension
      op    = "<", limit = var.database_least_memory_mb * 1048576, minutes = 15, missing = "missing", rolls_back = false, when = true
    }
    }, { for part in ["api", "worker"] : "${part}-cpu" => {
      about = "Tasks of the ${part} have no processor left, though more may be started"
      ns    = "AWS/ECS", metric = "CPUUtilization", stat = "Average", dims = local.ecs_dimension[part]
      op    = ">", limit = 85, minutes = 15, missing = "notBreaching", rolls_back = false, when = true
      } }, { for part in ["api", "worker"] : "${part}-memory" => {
      about = "Tasks of the ${part} are about to run out of memory"
      ns    = "AWS/ECS", metric = "MemoryUtilization", stat = "Maximum", dims = local.ecs_dimension[part]
      op    = ">", limit = 85, minutes = 10, missing = "notBreaching", rolls_back = false, when = true
    } }, {
    database-storage = {
      about = "The database's disk is filling, and may not grow further by itself"
      ns    = "AWS/RDS", metric = "FreeStorageSpace", stat = "Minimum", dims = local.database_dimension
      op    = "<", limit = var.database_least_storage_gb * 1073741824, minutes = 15, missing = "missing", rolls_back = false, when = local.rds
    }
    database-disk-queue = {
      about = "The database waits for its disk"
      ns    = "AWS/RDS", metric = "DiskQueueDepth", stat = "Average", dims = local.database_dimension
      op    = ">", limit = 10, minutes = 10, missing = "missing", rolls_back = false, when = local.rds
    }
    database-credits = {
      about = "A burstable instance has spent its credits: it will be throttled"
      ns    = "AWS/RDS", metric = "CPUCreditBalance", stat = "Minimum", dims = local.database_dimension
      op    = "<", limit = 20, minutes = 15, missing = "notBreaching", rolls_back = false, when = local.rds
    }
    database-disk-credits = {
      about = "The instance has spent its bursts of disk traffic: it will be throttled"
      ns    = "AWS/RDS", metric = "EBSByteBalance%", stat = "Minimum", dims = local.database_dimension
      op    = "<", limit = 20, minutes = 15, missing = "notBreaching", rolls_back = false, when = local.rds
    }
    database-capacity = {
      about = "Aurora is at the most capacity it may have"
      ns    = "AWS/RDS", metric = "ACUUtilization", stat = "Average", dims = local.database_dimension
      op    = ">", limit = 90, minutes = 15, missing = "notBreaching", rolls_back = false, when = !local.rds
    }
    database-replica-lag = {
      about = "The replica is behind"
      ns    = "AWS/RDS", metric = "ReplicaLag", stat = "Maximum", dims = { DBInstanceIdentifier = var.replica_identifier }
      op    = ">", limit = 60, minutes = 10, missing = "missing", rolls_back = false, when = var.replica_identifier != null
    }
    cache-cpu = {
      about = "The cache has no processor left"
      ns    = "AWS/ElastiCache", metric = "EngineCPUUtilization", stat = "Average", dims = local.cache_dimension
      op    = ">", limit = 80, minutes = 10, missing = "missing", rolls_back = false, when = var.cache_id != null
    }
    cache-evictions = {
      about = "The cache throws away what may still be wanted"
      ns    = "AWS/ElastiCache", metric = "Evictions", stat = "Sum", dims = local.cache_dimension
      op    = ">", limit = 1000, minutes = 10, missing = "notBreaching", rolls_back = false, when = var.cache_id != null
    }
    cache-memory = {
      about = "The cache is full and forgets early"
      ns    = "AWS/ElastiCache", metric = "DatabaseMemoryUsagePercentage", stat = "Maximum", dims = local.cache_dimension
      op    = ">", limit = 80, minutes = 10, missing = "missing", rolls_back = false, when = var.cache_id != null
    }
  })

  alarms = { for alarm, figure in local.offered : alarm => figure if figure.when }
}

resource "aws_cloudwatch_metric_alarm" "this" {
  for_each = local.alarms

  alarm_name          = "${var.name}-${each.key}"
  alarm_description   = each.value.about
  namespace           = each.value.ns
  metric_name         = each.value.metric
  statistic           = startswith(each.value.stat, "p") ? null : each.value.stat
  extended_statistic  = startswith(each.value.stat, "p") ? each.value.stat : null
  dimensions          = each.value.dims
  comparison_operator = each.value.op == ">" ? "GreaterThanThreshold" : "LessThanThreshold"
  threshold           = each.value.limit
  period              = each.value.minutes >= 60 ? each.value.minutes * 60 : each.value.minutes == 5 ? 60 : 300
  evaluation_periods  = each.value.minutes >= 60 ? 1 : each.value.minutes == 5 ? 5 : each.value.minutes / 5
  datapoints_to_alarm = each.value.minutes == 5 ? 3 : null
  treat_missing_data  = each.value.missing
  alarm_actions       = [aws_sns_topic.this.arn]
  ok_actions          = [aws_sns_topic.this.arn]
}

# A share of requests, so that it means the same by day and at night; below 20 requests a minute it says nothing.
resource "aws_cloudwatch_metric_alarm" "error_rate" {
  alarm_name          = "${var.name}-error-rate"
  alarm_description   = "More than ${var.error_rate_percent} of 100 requests fail"
  comparison_operator = "GreaterThanThreshold"
  threshold           = var.error_rate_percent
  evaluation_periods  = 5
  datapoints_to_alarm = 3
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.this.arn]
  ok_actions          = [aws_sns_topic.this.arn]

  metric_query {
    id          = "rate"
    label       = "Failed, of 100"
    expression  = "IF(requests > 20, 100 * (FILL(target, 0) + FILL(elb, 0)) / requests, 0)"
    return_data = true
  }

  dynamic "metric_query" {
    for_each = {
      requests = "RequestCount"
      target   = "HTTPCode_Target_5XX_Count"
      elb      = "HTTPCode_ELB_5XX_Count"
    }

    content {
      id = metric_query.key

      metric {
        namespace   = "AWS/ApplicationELB"
        metric_name = metric_query.value
        stat        = "Sum"
        period      = 60
        dimensions  = local.load_balancer
      }
    }
  }
}

# During a deployment either group may be the one that serves.
resource "aws_cloudwatch_metric_alarm" "unhealthy" {
  alarm_name          = "${var.name}-unhealthy"
  alarm_description   = "A task answers /readyz with errors"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  evaluation_periods  = 5
  datapoints_to_alarm = 3
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.this.arn]
  ok_actions          = [aws_sns_topic.this.arn]

  metric_query {
    id          = "unhealthy"
    label       = "Unhealthy tasks"
    expression  = join(" + ", [for index, group in local.groups : "FILL(group${index}, 0)"])
    return_data = true
  }

  dynamic "metric_query" {
    for_each = local.groups

    content {
      id = "group${metric_query.key}"

      metric {
        namespace   = "AWS/ApplicationELB"
        metric_name = "UnHealthyHostCount"
        stat        = "Maximum"
        period      = 60
        dimensions  = metric_query.value
      }
    }
  }
}

# Fewer tasks run than should: they die at their start, or there is no capacity. At night both figures are 0.
resource "aws_cloudwatch_metric_alarm" "tasks" {
  for_each = var.container_insights ? local.ecs_dimension : {}

  alarm_name          = "${var.name}-${each.key}-tasks"
  alarm_description   = "Fewer tasks of the ${each.key} run than should"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  evaluation_periods  = 15
  datapoints_to_alarm = 15
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.this.arn]
  ok_actions          = [aws_sns_topic.this.arn]

  metric_query {
    id          = "missing"
    label       = "Tasks that are missing"
    expression  = "desired - running"
    return_data = true
  }

  dynamic "metric_query" {
    for_each = { desired = "DesiredTaskCount", running = "RunningTaskCount" }

    content {
      id = metric_query.key

      metric {
        namespace   = "ECS/ContainerInsights"
        metric_name = metric_query.value
        stat        = "Average"
        period      = 60
        dimensions  = each.value
      }
    }
  }
}
