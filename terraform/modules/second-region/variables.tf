variable "name" {
  type        = string
  description = "Name of the installation: every name begins with it, so that several live in one account."
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,11}$", var.name))
    error_message = "name must be 2 to 12 of a-z 0-9 -, beginning with a letter: \"${var.name}\"."
  }
}

variable "home_region" {
  type        = string
  description = "The first region."
  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.home_region))
    error_message = "home_region must be a region, as in eu-west-1: ${var.home_region}."
  }
}

variable "bundle" {
  type        = string
  description = "Path of the zip with the functions that operate the product."
  validation {
    condition     = endswith(var.bundle, ".zip") && fileexists(var.bundle)
    error_message = "bundle must be a zip that is there: ${var.bundle}. npm run build:ops makes it."
  }
}

variable "home_queue_url" {
  type        = string
  description = "The queue of reports of the first region."
}

variable "home_queue_arn" {
  type        = string
  description = "The queue of reports of the first region."
}

variable "addresses" {
  type        = map(object({ allocation_id = string, public_ip = string }))
  description = "Addresses of the gateways here, by key: of the stack addresses in this region."
  validation {
    condition     = length(var.addresses) >= 1 && length(var.addresses) <= 3
    error_message = "addresses must be of 1 to 3 gateways: devices know four in all."
  }
}

variable "zones" {
  type        = map(string)
  description = "Availability zone of each gateway."
  validation {
    condition     = length(setsubtract(keys(var.addresses), keys(var.zones))) == 0
    error_message = "zones must name one for each of addresses."
  }
}

variable "id_prefix" {
  type        = string
  description = "What stands before the key of a gateway in its id."
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

variable "release" {
  type        = object({ bucket = string, key = string, sha256 = string })
  description = "The host bundle of the gateway in S3."
}

variable "fleet_keys" {
  type        = string
  description = "Where the fleet keys are in this region: ssm:<parameter>."
}

variable "gateway_list" {
  type        = string
  description = "Where devices are told that gateways are."
}

variable "archive_bucket" {
  type        = string
  description = "Where raw reports are archived."
}

variable "mqtt_host" {
  type        = string
  description = "Data endpoint of AWS IoT in the first region."
}

variable "log_retention_days" {
  type        = number
  description = "How long logs are kept."
  default     = 30
  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 180, 365], var.log_retention_days)
    error_message = "log_retention_days must be one of 1, 3, 5, 7, 14, 30, 60, 90, 180, 365: ${var.log_retention_days}."
  }
}
