locals {
  region = data.aws_region.this.id
  row    = { for index, title in ["front", "model", "work", "database"] : title => index * 6 }

  widgets = [
    { row = "front", title = "Requests and errors", stat = "Sum", metrics = [
      ["AWS/ApplicationELB", "RequestCount", "LoadBalancer", var.load_balancer_suffix],
      ["AWS/ApplicationELB", "HTTPCode_Target_5XX_Count", "LoadBalancer", var.load_balancer_suffix],
      ["AWS/ApplicationELB", "HTTPCode_ELB_5XX_Count", "LoadBalancer", var.load_balancer_suffix]
    ] },
    { row = "front", title = "Open streams", stat = "Sum", metrics = [
      [var.metrics_namespace, "ActiveStreams", "service", "${var.name}-api"]
    ] },
    { row = "front", title = "Tasks", stat = "Average", metrics = [
      ["AWS/ECS", "CPUUtilization", "ClusterName", var.name, "ServiceName", "${var.name}-api"],
      ["AWS/ECS", "CPUUtilization", "ClusterName", var.name, "ServiceName", "${var.name}-worker"],
      ["AWS/ECS", "MemoryUtilization", "ClusterName", var.name, "ServiceName", "${var.name}-api"],
      ["AWS/ECS", "MemoryUtilization", "ClusterName", var.name, "ServiceName", "${var.name}-worker"]
    ] },
    { row = "model", title = "Time to the first word (ms)", stat = "p95", metrics = [
      [var.metrics_namespace, "TimeToFirstToken", "service", "${var.name}-api"]
    ] },
    { row = "model", title = "Tokens", stat = "Sum", metrics = [
      [var.metrics_namespace, "InputTokens", "service", "${var.name}-api"],
      [var.metrics_namespace, "OutputTokens", "service", "${var.name}-api"]
    ] },
    { row = "model", title = "Cost of models (USD)", stat = "Sum", metrics = [
      [var.metrics_namespace, "CostUsd", "service", "${var.name}-api"],
      [var.metrics_namespace, "CostUsd", "service", "${var.name}-worker"]
    ] },
    { row = "work", title = "Age of the oldest job (s)", stat = "Maximum", metrics = [
      [var.metrics_namespace, "QueueAge", "service", "${var.name}-worker"]
    ] },
    { row = "work", title = "Recall (ms)", stat = "p95", metrics = [
      [var.metrics_namespace, "RecallLatency", "service", "${var.name}-api"]
    ] },
    { row = "database", title = "Database: load", stat = "Average", metrics = [
      concat(["AWS/RDS", "CPUUtilization"], flatten([for name, value in local.database_dimension : [name, value]])),
      concat(["AWS/RDS", "DatabaseConnections"], flatten([for name, value in local.database_dimension : [name, value]]))
    ] },
    { row = "database", title = "Database: delays (s)", stat = "Average", metrics = [
      concat(["AWS/RDS", "ReadLatency"], flatten([for name, value in local.database_dimension : [name, value]])),
      concat(["AWS/RDS", "WriteLatency"], flatten([for name, value in local.database_dimension : [name, value]]))
    ] }
  ]
}

resource "aws_cloudwatch_dashboard" "this" {
  dashboard_name = var.name
  dashboard_body = jsonencode({
    widgets = [for index, widget in local.widgets : {
      type   = "metric"
      x      = 8 * length([for earlier in slice(local.widgets, 0, index) : earlier if earlier.row == widget.row])
      y      = local.row[widget.row]
      width  = 8
      height = 6
      properties = {
        title   = widget.title
        region  = local.region
        stat    = widget.stat
        period  = 60
        view    = "timeSeries"
        metrics = widget.metrics
      }
    }]
  })
}

locals {
  queries = {
    errors       = "fields @timestamp, err.message, err.code, reqId | filter level >= 50 | sort @timestamp desc | limit 100"
    slow         = "fields @timestamp, method, route, status, ms | filter msg = 'answered' and ms > 1000 | sort ms desc | limit 100"
    routes       = "filter msg = 'answered' | stats count(*) as requests, pct(ms, 95) as p95, max(ms) as longest by route | sort requests desc"
    one-request  = "fields @timestamp, @message | filter reqId = 'put the requestId here' | sort @timestamp"
    refused-work = "filter msg like /working the queue|job/ and level >= 40 | stats count(*) by msg, err.code"
  }
}

resource "aws_cloudwatch_query_definition" "this" {
  for_each = local.queries

  name            = "${var.name}/${each.key}"
  query_string    = each.value
  log_group_names = values(var.log_groups)
}

resource "aws_xray_group" "slow" {
  count = var.tracing ? 1 : 0

  group_name        = "${var.name}-slow-or-failed"
  filter_expression = "service(\"${var.name}-api\") AND (responsetime > 5 OR fault)"

  insights_configuration {
    insights_enabled      = true
    notifications_enabled = false
  }
}

resource "aws_xray_sampling_rule" "this" {
  count = var.tracing ? 1 : 0

  rule_name      = var.name
  priority       = 1000
  version        = 1
  reservoir_size = 1
  fixed_rate     = var.trace_ratio
  host           = "*"
  http_method    = "*"
  url_path       = "*"
  service_name   = "${var.name}-api"
  service_type   = "*"
  resource_arn   = "*"
}
