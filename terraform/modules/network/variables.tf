variable "name" {
  type        = string
  description = "Name of the installation: every name begins with it, so that several live in one account."
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,11}$", var.name))
    error_message = "name must be 2 to 12 of a-z 0-9 -, beginning with a letter: \"${var.name}\"."
  }
}

variable "cidr" {
  type        = string
  description = "Addresses of the VPC, a /16 to /20."
  default     = "10.83.0.0/16"
  validation {
    condition     = can(cidrhost(var.cidr, 0)) && tonumber(split("/", var.cidr)[1]) >= 16 && tonumber(split("/", var.cidr)[1]) <= 20
    error_message = "cidr must be a network of 16 to 20 bits, as in 10.83.0.0/16: ${var.cidr}."
  }
}

variable "zones" {
  type        = list(string)
  description = "Availability zones, one public subnet in each."
  validation {
    condition     = length(var.zones) >= 1 && length(var.zones) <= 6 && length(distinct(var.zones)) == length(var.zones)
    error_message = "zones must name 1 to 6 availability zones, each once: ${join(", ", var.zones)}."
  }
}

variable "coap_port" {
  type        = number
  description = "UDP port of CoAP."
  default     = 5683
  validation {
    condition     = var.coap_port >= 1 && var.coap_port <= 65535 && floor(var.coap_port) == var.coap_port
    error_message = "coap_port must be a whole number from 1 to 65535: ${var.coap_port}."
  }
}

variable "web_port" {
  type        = number
  description = "TCP port that CloudFront reaches the web server at."
  default     = 8080
  validation {
    condition     = var.web_port >= 1 && var.web_port <= 65535 && floor(var.web_port) == var.web_port
    error_message = "web_port must be a whole number from 1 to 65535: ${var.web_port}."
  }
}
