variable "home" {
  type = object({
    name         = string
    region       = string
    queue_url    = string
    queue_arn    = string
    fleet_keys   = string
    gateway_list = string
    bucket       = string
    iot_endpoint = string
    release      = object({ bucket = string, key = string, sha256 = string })
  })
  description = "The first region: output second_region of stacks/pesebre."
}

variable "region" {
  type        = string
  description = "The second region."
  validation {
    condition     = var.region != var.home.region && can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "region must be a region, and another one than the first, ${var.home.region}: ${var.region}."
  }
}

variable "zones" {
  type        = map(string)
  description = "Gateways by key, and the availability zone of each."
  validation {
    condition     = length(var.zones) >= 1 && length(var.zones) <= 3 && alltrue([for key, zone in var.zones : can(regex("^[a-z0-9]{1,3}$", key)) && startswith(zone, var.region)])
    error_message = "zones must be of 1 to 3 gateways, with zones of the region ${var.region}: ${jsonencode(var.zones)}."
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

variable "emails" {
  type        = set(string)
  description = "Who is told of alarms."
  default     = []
}

variable "ops_bundle" {
  type        = string
  description = "Zip of the functions that operate the product."
  default     = "../../../ops-lambda/dist/ops.zip"
  validation {
    condition     = fileexists(var.ops_bundle)
    error_message = "ops_bundle is not there: ${var.ops_bundle}. npm run build:ops makes it; releases have it."
  }
}

variable "tags" {
  type        = map(string)
  description = "Tags of everything, beside pesebre:name."
  default     = {}
}
