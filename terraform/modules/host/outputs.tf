output "autoscaling_group" {
  description = "The group of one instance."
  value       = aws_autoscaling_group.host.name
}

output "host" {
  description = "Name of the host, also in the metrics."
  value       = local.host
}

output "role_name" {
  description = "Its role."
  value       = aws_iam_role.host.name
}

output "volume_id" {
  description = "The disk with the journal."
  value       = aws_ebs_volume.data.id
}

output "revision" {
  description = "Changes with what runs on it."
  value       = sha256(jsonencode([var.services, file("${path.module}/pesebre-host")]))
}
