variable "name" {
  type        = string
  description = "Name of the installation: every name begins with it, so that several live in one account."
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,11}$", var.name))
    error_message = "name must be 2 to 12 of a-z 0-9 -, beginning with a letter: \"${var.name}\"."
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

variable "home_region" {
  type        = string
  description = "Region of the installation; the probe runs in another one, that of its provider."
  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.home_region))
    error_message = "home_region must be a region, as in eu-west-1: ${var.home_region}."
  }
}

variable "secret_parameter" {
  type        = string
  description = "Parameters with the probes' identities, in the home region: what they all begin with."
  validation {
    condition     = startswith(var.secret_parameter, "/")
    error_message = "secret_parameter must be the path of a parameter: ${var.secret_parameter}."
  }
}

variable "iot_endpoint" {
  type        = string
  description = "Data endpoint of AWS IoT in the home region."
}

variable "gateways" {
  type        = map(object({ host = string, port = number, thing = string }))
  description = "Gateways by id, and the thing of the probe of each."
  validation {
    condition     = length(var.gateways) > 0 && alltrue([for gateway in var.gateways : can(regex("^test-[0-9a-f]{8}$", gateway.thing))])
    error_message = "gateways must name at least one, each with a thing of kind test: ${jsonencode(var.gateways)}."
  }
}

variable "minutes" {
  type        = number
  description = "How often each is asked."
  default     = 1
  validation {
    condition     = var.minutes >= 1 && var.minutes <= 15
    error_message = "minutes must be from 1 to 15: ${var.minutes}."
  }
}

variable "emails" {
  type        = set(string)
  description = "Who is told."
  default     = []
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
