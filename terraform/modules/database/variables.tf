variable "name" {
  type        = string
  description = "Name of the installation: every name begins with it, so that several live in one account."
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,11}$", var.name))
    error_message = "name must be 2 to 12 of a-z 0-9 -, beginning with a letter: \"${var.name}\"."
  }
}

variable "vpc_id" {
  type        = string
  description = "The VPC."
}

variable "subnet_ids" {
  type        = list(string)
  description = "Subnets in at least two zones."
  validation {
    condition     = length(var.subnet_ids) >= 2
    error_message = "subnet_ids must name at least two, in different zones, as RDS asks."
  }
}

variable "client_security_group_id" {
  type        = string
  description = "Security group of the web server."
}

variable "instance_class" {
  type        = string
  description = "Class of the instance, of an Arm family."
  default     = "db.t4g.micro"
  validation {
    condition     = can(regex("^db[.][a-z]+[0-9]+g[a-z]*[.][a-z0-9]+$", var.instance_class))
    error_message = "instance_class must be of an Arm family, as db.t4g.micro is: ${var.instance_class}."
  }
}

variable "multi_az" {
  type        = bool
  description = "Whether a second one stands by in another zone, at twice the price."
  default     = false
}

variable "backup_days" {
  type        = number
  description = "How long it can be put back to any second."
  default     = 14
  validation {
    condition     = var.backup_days >= 1 && var.backup_days <= 35
    error_message = "backup_days must be from 1 to 35: ${var.backup_days}."
  }
}
