output "addresses" {
  description = "Allocation and address of each gateway."
  value       = { for key, eip in aws_eip.gateway : key => { allocation_id = eip.allocation_id, public_ip = eip.public_ip } }
}
