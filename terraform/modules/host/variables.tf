variable "name" {
  type        = string
  description = "Name of the installation: every name begins with it, so that several live in one account."
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,11}$", var.name))
    error_message = "name must be 2 to 12 of a-z 0-9 -, beginning with a letter: \"${var.name}\"."
  }
}

variable "host" {
  type        = string
  description = "Name of the host within the installation, as in gateway-a."
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,15}$", var.host))
    error_message = "host must be 1 to 16 of a-z 0-9 -: ${var.host}."
  }
}

variable "zone" {
  type        = string
  description = "Availability zone: of the subnet, and of the disk."
}

variable "subnet_id" {
  type        = string
  description = "A public subnet in that zone."
}

variable "security_group_ids" {
  type        = list(string)
  description = "What may reach it."
  validation {
    condition     = length(var.security_group_ids) > 0
    error_message = "security_group_ids must name at least one."
  }
}

variable "allocation_id" {
  type        = string
  description = "Elastic IP that it holds: CloudFront and devices find it there."
  validation {
    condition     = startswith(var.allocation_id, "eipalloc-")
    error_message = "allocation_id must begin with eipalloc-: ${var.allocation_id}."
  }
}

variable "instance_type" {
  type        = string
  description = "Type of the instance, of an Arm family."
  default     = "t4g.nano"
  validation {
    condition     = can(regex("^[a-z]+[0-9]+g[a-z]*[.][a-z0-9]+$", var.instance_type))
    error_message = "instance_type must be of an Arm family, as t4g.nano is: ${var.instance_type}."
  }
}

variable "volume_gb" {
  type        = number
  description = "Size of the encrypted disk with the journal, in GB."
  default     = 8
  validation {
    condition     = var.volume_gb >= 4 && var.volume_gb <= 1024
    error_message = "volume_gb must be from 4 to 1024: ${var.volume_gb}."
  }
}

variable "services" {
  type = map(object({
    release     = object({ bucket = string, key = string, sha256 = string })
    environment = map(string)
    secrets     = optional(map(string), {})
  }))
  description = "What runs on it: the release in S3 under releases/, settings, and secrets by file name (parameters of the Parameter Store)."
  validation {
    condition     = length(var.services) > 0 && alltrue([for service in var.services : can(regex("^[0-9a-f]{64}$", service.release.sha256)) && startswith(service.release.key, "releases/")])
    error_message = "services must name at least one, each with a release under releases/ and its SHA-256."
  }
}

variable "statements" {
  type = map(list(object({
    sid       = string
    actions   = list(string)
    resources = list(string)
  })))
  description = "What the services may do, by name of the policy."
  default     = {}
  validation {
    condition     = alltrue(flatten([for statements in var.statements : [for statement in statements : [!contains(statement.resources, "*"), !contains(statement.actions, "*")]]]))
    error_message = "statements must name resources and actions: a * alone is not allowed."
  }
}
