output "vpc_id" {
  description = "The VPC."
  value       = aws_vpc.this.id
}

output "subnet_ids" {
  description = "Public subnets by availability zone."
  value       = { for zone, subnet in aws_subnet.public : zone => subnet.id }
}

output "gateway_security_group_id" {
  description = "Lets in CoAP from anywhere."
  value       = aws_security_group.gateway.id
}

output "web_security_group_id" {
  description = "Lets in CloudFront."
  value       = aws_security_group.web.id
}

output "cloudfront_cidrs" {
  description = "Where CloudFront reaches the web server from."
  value       = sort([for entry in data.aws_ec2_managed_prefix_list.cloudfront.entries : entry.cidr])
}
