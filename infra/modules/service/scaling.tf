locals {
  services = {
    api    = { name = aws_ecs_service.api.name, min = var.api.min_tasks, max = var.api.max_tasks }
    worker = { name = aws_ecs_service.worker.name, min = var.worker.min_tasks, max = var.worker.max_tasks }
  }
  targets = {
    api_streams = { service = "api", metric = "ActiveStreams", statistic = "Average", unit = "Count", value = var.streams_per_task }
    worker_age  = { service = "worker", metric = "QueueAge", statistic = "Maximum", unit = "Seconds", value = var.queue_age_seconds }
  }
}

resource "aws_appautoscaling_target" "this" {
  for_each = local.services

  service_namespace  = "ecs"
  scalable_dimension = "ecs:service:DesiredCount"
  resource_id        = "service/${aws_ecs_cluster.this.name}/${each.value.name}"
  min_capacity       = each.value.min
  max_capacity       = each.value.max
}

# One long stream is one request: load is how many are open, which the service itself counts.
resource "aws_appautoscaling_policy" "own" {
  for_each = local.targets

  name               = "${var.name}-${replace(each.key, "_", "-")}"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.this[each.value.service].service_namespace
  scalable_dimension = aws_appautoscaling_target.this[each.value.service].scalable_dimension
  resource_id        = aws_appautoscaling_target.this[each.value.service].resource_id

  target_tracking_scaling_policy_configuration {
    target_value       = each.value.value
    scale_out_cooldown = 60
    scale_in_cooldown  = 300

    customized_metric_specification {
      namespace   = var.metrics_namespace
      metric_name = each.value.metric
      statistic   = each.value.statistic
      unit        = each.value.unit

      dimensions {
        name  = "service"
        value = "${var.name}-${each.value.service}"
      }
    }
  }
}

resource "aws_appautoscaling_policy" "cpu" {
  for_each = local.services

  name               = "${var.name}-${each.key}-cpu"
  policy_type        = "TargetTrackingScaling"
  service_namespace  = aws_appautoscaling_target.this[each.key].service_namespace
  scalable_dimension = aws_appautoscaling_target.this[each.key].scalable_dimension
  resource_id        = aws_appautoscaling_target.this[each.key].resource_id

  target_tracking_scaling_policy_configuration {
    target_value       = 60
    scale_out_cooldown = 60
    scale_in_cooldown  = 300

    predefined_metric_specification {
      predefined_metric_type = "ECSServiceAverageCPUUtilization"
    }
  }
}

resource "aws_appautoscaling_scheduled_action" "night" {
  for_each = var.sleep == null ? {} : {
    for pair in setproduct(keys(local.services), ["sleep", "wake"]) : "${pair[0]}_${pair[1]}" => { service = pair[0], at = pair[1] }
  }

  name               = "${var.name}-${replace(each.key, "_", "-")}"
  service_namespace  = aws_appautoscaling_target.this[each.value.service].service_namespace
  scalable_dimension = aws_appautoscaling_target.this[each.value.service].scalable_dimension
  resource_id        = aws_appautoscaling_target.this[each.value.service].resource_id
  schedule           = "cron(${each.value.at == "sleep" ? var.sleep.from : var.sleep.until})"
  timezone           = var.sleep.timezone

  scalable_target_action {
    min_capacity = each.value.at == "sleep" ? 0 : local.services[each.value.service].min
    max_capacity = each.value.at == "sleep" ? 0 : local.services[each.value.service].max
  }
}
