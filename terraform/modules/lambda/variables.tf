variable "name" {
  type        = string
  description = "Name of the installation: every name begins with it, so that several live in one account."
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,11}$", var.name))
    error_message = "name must be 2 to 12 of a-z 0-9 -, beginning with a letter: \"${var.name}\"."
  }
}

variable "function" {
  type        = string
  description = "What it is called after the name of the installation."
  validation {
    condition     = can(regex("^[a-z][a-z-]{1,30}$", var.function))
    error_message = "function must be 2 to 31 of a-z -, beginning with a letter: ${var.function}."
  }
}

variable "description" {
  type        = string
  description = "What it does."
}

variable "bundle" {
  type        = string
  description = "Path of the zip with its code."
  validation {
    condition     = endswith(var.bundle, ".zip") && fileexists(var.bundle)
    error_message = "bundle must be a zip that is there: ${var.bundle}. npm run build:lambda and npm run build:ops make them."
  }
}

variable "handler" {
  type        = string
  description = "File and export in the bundle, as in probe.handler."
  validation {
    condition     = can(regex("^[a-z]+[.]handler$", var.handler))
    error_message = "handler must be a file and its export, as in probe.handler: ${var.handler}."
  }
}

variable "environment" {
  type        = map(string)
  description = "Its settings; nothing secret."
}

variable "memory_mb" {
  type        = number
  description = "Memory of the function."
  validation {
    condition     = var.memory_mb >= 128 && var.memory_mb <= 3008
    error_message = "memory_mb must be from 128 to 3008: ${var.memory_mb}."
  }
}

variable "timeout_seconds" {
  type        = number
  description = "How long one invocation may take."
  validation {
    condition     = var.timeout_seconds >= 1 && var.timeout_seconds <= 900
    error_message = "timeout_seconds must be from 1 to 900: ${var.timeout_seconds}."
  }
}

variable "statements" {
  type = list(object({
    sid       = string
    actions   = list(string)
    resources = list(string)
  }))
  description = "What it may do, apart from its logs."
  default     = []
  validation {
    condition     = alltrue([for statement in var.statements : !contains(statement.resources, "*")])
    error_message = "statements must name their resources; actions for which AWS has none belong into unnameable_actions."
  }
}

variable "unnameable_actions" {
  type        = list(string)
  description = "What it may do where AWS lets no resource be named (Service Authorization Reference)."
  default     = []
  validation {
    condition     = !anytrue([for action in var.unnameable_actions : strcontains(action, "*")])
    error_message = "unnameable_actions must be named one by one: ${join(", ", var.unnameable_actions)}."
  }
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
