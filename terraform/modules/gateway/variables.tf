variable "name" {
  type        = string
  description = "Name of the installation: every name begins with it, so that several live in one account."
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,11}$", var.name))
    error_message = "name must be 2 to 12 of a-z 0-9 -, beginning with a letter: \"${var.name}\"."
  }
}

variable "key" {
  type        = string
  description = "Short key of this gateway, as in a."
  validation {
    condition     = can(regex("^[a-z0-9]{1,3}$", var.key))
    error_message = "key must be 1 to 3 of a-z 0-9: ${var.key}."
  }
}

variable "gateway_id" {
  type        = string
  description = "PESEBRE_GATEWAY_ID: no other gateway of the account may have it, and devices know it for ever."
  validation {
    condition     = can(regex("^[a-z0-9-]{1,16}$", var.gateway_id))
    error_message = "gateway_id must be 1 to 16 of a-z 0-9 -: ${var.gateway_id}."
  }
}

variable "zone" {
  type        = string
  description = "Availability zone."
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
  description = "Its Elastic IP, of the stack addresses."
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

variable "release" {
  type        = object({ bucket = string, key = string, sha256 = string })
  description = "The host bundle of the gateway in S3."
}

variable "queue_url" {
  type        = string
  description = "The queue of reports."
}

variable "queue_arn" {
  type        = string
  description = "The queue of reports."
}

variable "fleet_keys" {
  type        = string
  description = "Where the fleet keys are: ssm:<parameter>."
  validation {
    condition     = startswith(var.fleet_keys, "ssm:/")
    error_message = "fleet_keys must be ssm: and the path of a parameter: ${var.fleet_keys}."
  }
}

variable "gateway_list" {
  type        = string
  description = "PESEBRE_GATEWAY_LIST: where devices are told that gateways are."
  validation {
    condition     = can(regex("^[0-9]{1,9}:[a-z0-9-]{1,16}=", var.gateway_list))
    error_message = "gateway_list must be a version, and ids with addresses, as in 3:a=198.51.100.7:5683: ${var.gateway_list}."
  }
}

variable "archive_bucket" {
  type        = string
  description = "Where raw reports are archived."
}

variable "mqtt_host" {
  type        = string
  description = "Data endpoint of AWS IoT."
}

variable "iot_region" {
  type        = string
  description = "Region of AWS IoT, where it is another one than the gateway's; empty: the same."
  default     = ""
}

variable "commands" {
  type        = bool
  description = "Whether it hands out commands: false in a second region."
  default     = true
}

variable "mqtt_parameter" {
  type        = string
  description = "Parameter with its certificate of AWS IoT, and the private key."
  validation {
    condition     = startswith(var.mqtt_parameter, "/")
    error_message = "mqtt_parameter must be the path of a parameter: ${var.mqtt_parameter}."
  }
}

variable "open_things" {
  type        = list(string)
  description = "Things that may report without security; none by default."
  default     = []
}

variable "settings" {
  type        = map(string)
  description = "More settings of the gateway, as in PESEBRE_LINGER_MS."
  default     = {}
  validation {
    condition     = alltrue([for name in keys(var.settings) : startswith(name, "PESEBRE_")])
    error_message = "settings must begin with PESEBRE_: ${join(", ", keys(var.settings))}."
  }
}

variable "more_services" {
  type = map(object({
    release     = object({ bucket = string, key = string, sha256 = string })
    environment = map(string)
    secrets     = optional(map(string), {})
  }))
  description = "What else runs on its host: the web server of a small stable."
  default     = {}
}

variable "more_statements" {
  type = map(list(object({
    sid       = string
    actions   = list(string)
    resources = list(string)
  })))
  description = "What that may do."
  default     = {}
}
