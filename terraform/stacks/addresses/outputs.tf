output "addresses" {
  description = "Allocation and address of each gateway."
  value       = module.addresses.addresses
}
