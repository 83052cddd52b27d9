variable "name" {
  type        = string
  description = "Name of the installation: every name begins with it, so that several live in one account."
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,11}$", var.name))
    error_message = "name must be 2 to 12 of a-z 0-9 -, beginning with a letter: \"${var.name}\"."
  }
}

variable "gateway_ids" {
  type        = set(string)
  description = "Ids of the gateways (PESEBRE_GATEWAY_ID)."
  validation {
    condition     = alltrue([for id in var.gateway_ids : can(regex("^[a-z0-9-]{1,16}$", id))])
    error_message = "gateway_ids must be 1 to 16 of a-z 0-9 -: ${join(", ", var.gateway_ids)}."
  }
}

variable "make_thing_types" {
  type        = bool
  description = "Whether this installation makes the thing types: true for the first one in an account and region."
  default     = true
}

variable "make_web_thing" {
  type        = bool
  description = "Whether there is a web server."
  default     = true
}
