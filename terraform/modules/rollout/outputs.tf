output "association_name" {
  description = "The association of State Manager."
  value       = aws_ssm_association.rollout.association_name
}
