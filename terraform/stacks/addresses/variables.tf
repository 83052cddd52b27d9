variable "name" {
  type        = string
  default     = "pesebre"
  description = "Name of the installation: every name begins with it, so that several live in one account."
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,11}$", var.name))
    error_message = "name must be 2 to 12 of a-z 0-9 -, beginning with a letter: \"${var.name}\"."
  }
  validation {
    # SSM has parameters of AWS under these, RDS and S3 take no such hyphens.
    condition     = !can(regex("^(aws|ssm|xn--)|--|-$", var.name))
    error_message = "name must not begin with aws or ssm, nor have two hyphens together or one at its end: \"${var.name}\"."
  }
}

variable "region" {
  type        = string
  description = "Region of the installation."
  default     = "eu-west-1"
  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "region must be a region, as in eu-west-1: ${var.region}."
  }
}

variable "gateways" {
  type        = set(string)
  description = "Keys of the gateways: one address each."
  default     = ["a", "b"]
  validation {
    condition     = length(var.gateways) >= 1 && length(var.gateways) <= 4 && alltrue([for key in var.gateways : can(regex("^[a-z0-9]{1,3}$", key))])
    error_message = "gateways must be 1 to 4 keys, each of 1 to 3 of a-z 0-9: ${join(", ", var.gateways)}."
  }
}

variable "tags" {
  type        = map(string)
  description = "Tags of everything, beside pesebre:name."
  default     = {}
}
