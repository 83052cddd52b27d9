# Public subnets only: a gateway is reached at its own address, and a NAT gateway would cost more than both gateways.
resource "aws_vpc" "this" {
  cidr_block           = var.cidr
  enable_dns_hostnames = true
  tags                 = { Name = var.name }
}

resource "aws_internet_gateway" "this" {
  vpc_id = aws_vpc.this.id
  tags   = { Name = var.name }
}

resource "aws_subnet" "public" {
  # By the letter of the zone, not by its place in the list: a zone that comes or goes moves no other subnet.
  for_each                = { for zone in var.zones : zone => index(split("", "abcdefghijklmnopqrstuvwxyz"), substr(zone, -1, 1)) }
  vpc_id                  = aws_vpc.this.id
  availability_zone       = each.key
  cidr_block              = cidrsubnet(var.cidr, 8, each.value)
  map_public_ip_on_launch = true
  tags                    = { Name = "${var.name}-${each.key}" }
}

resource "aws_route_table" "public" {
  vpc_id = aws_vpc.this.id
  route {
    cidr_block = "0.0.0.0/0"
    gateway_id = aws_internet_gateway.this.id
  }
  tags = { Name = var.name }
}

resource "aws_route_table_association" "public" {
  for_each       = aws_subnet.public
  subnet_id      = each.value.id
  route_table_id = aws_route_table.public.id
}

# Free, and the archive does not leave AWS's network.
resource "aws_vpc_endpoint" "s3" {
  vpc_id            = aws_vpc.this.id
  service_name      = "com.amazonaws.${data.aws_region.current.region}.s3"
  vpc_endpoint_type = "Gateway"
  route_table_ids   = [aws_route_table.public.id]
  tags              = { Name = "${var.name}-s3" }
}

data "aws_region" "current" {}

# Open to the world in, and to the world out: then AWS tracks no connections, and no tracking table can be filled up
# (EC2 User Guide, "Untracked connections").
resource "aws_security_group" "gateway" {
  name        = "${var.name}-gateway"
  description = "CoAP from anywhere"
  vpc_id      = aws_vpc.this.id
  tags        = { Name = "${var.name}-gateway" }
}

resource "aws_vpc_security_group_ingress_rule" "coap" {
  security_group_id = aws_security_group.gateway.id
  description       = "CoAP"
  ip_protocol       = "udp"
  from_port         = var.coap_port
  to_port           = var.coap_port
  cidr_ipv4         = "0.0.0.0/0"
}

resource "aws_vpc_security_group_egress_rule" "gateway" {
  security_group_id = aws_security_group.gateway.id
  description       = "Answers, and AWS"
  ip_protocol       = "-1"
  cidr_ipv4         = "0.0.0.0/0"
}

# A group of its own: the prefix list counts as 55 of the 60 rules that a group may have.
resource "aws_security_group" "web" {
  name        = "${var.name}-web"
  description = "The web app, from CloudFront only"
  vpc_id      = aws_vpc.this.id
  tags        = { Name = "${var.name}-web" }
}

data "aws_ec2_managed_prefix_list" "cloudfront" {
  name = "com.amazonaws.global.cloudfront.origin-facing"
}

resource "aws_vpc_security_group_ingress_rule" "web" {
  security_group_id = aws_security_group.web.id
  description       = "CloudFront"
  ip_protocol       = "tcp"
  from_port         = var.web_port
  to_port           = var.web_port
  prefix_list_id    = data.aws_ec2_managed_prefix_list.cloudfront.id
}

resource "aws_vpc_security_group_egress_rule" "web" {
  security_group_id = aws_security_group.web.id
  description       = "AWS, mail and push services"
  ip_protocol       = "-1"
  cidr_ipv4         = "0.0.0.0/0"
}
