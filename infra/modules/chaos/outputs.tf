output "template_ids" {
  description = "Experiments by name."
  value       = { for name, template in aws_fis_experiment_template.this : name => template.id }
}
