variable "name" {
  type        = string
  description = "Name of the installation: every name begins with it, so that several live in one account."
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,16}$", var.name))
    error_message = "name must be 2 to 17 of a-z 0-9 -, beginning with a letter: \"${var.name}\"."
  }
}

variable "emails" {
  type        = set(string)
  description = "Who is told; each has to confirm once."
  default     = []
  validation {
    condition     = alltrue([for email in var.emails : can(regex("^[^@ ]+@[^@ ]+$", email))])
    error_message = "emails must be e-mail addresses: ${join(", ", var.emails)}."
  }
}

variable "queue_name" {
  type        = string
  description = "The queue of reports."
}

variable "dead_letters_name" {
  type        = string
  description = "The dead-letter queue."
}

variable "bridge_name" {
  type        = string
  description = "The function of the bridge."
}

variable "bridge_log_group" {
  type        = string
  description = "The logs of the bridge."
}

variable "gateway_hosts" {
  type        = list(string)
  description = "Hosts of gateways."
  validation {
    condition     = length(var.gateway_hosts) > 0
    error_message = "gateway_hosts must name at least one."
  }
}

variable "web_host" {
  type        = string
  description = "Host of the web server; empty: there is none."
  default     = ""
}
