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
  description = "Path of the bridge's zip."
  validation {
    condition     = endswith(var.bundle, ".zip") && fileexists(var.bundle)
    error_message = "bundle must be a zip that is there: ${var.bundle}. npm run build:lambda makes it."
  }
}

variable "queue_arn" {
  type        = string
  description = "The queue of reports."
}

variable "dead_letters_arn" {
  type        = string
  description = "The dead-letter queue."
}

variable "dead_letters_url" {
  type        = string
  description = "The dead-letter queue."
}

variable "thing_patterns" {
  type        = list(string)
  description = "Things whose shadows it writes, and which it may make."
  default     = ["feeder-*", "waterer-*", "sensor-*", "test-*"]
  validation {
    condition     = length(var.thing_patterns) > 0 && alltrue([for pattern in var.thing_patterns : can(regex("^[a-zA-Z0-9:_-]+[*]?$", pattern))])
    error_message = "thing_patterns must be names, or beginnings of names with a * at the end; a * alone is not allowed: ${join(", ", var.thing_patterns)}."
  }
}

variable "thing_type_patterns" {
  type        = list(string)
  description = "Thing types that it may make."
  default     = ["feeder", "waterer", "sensor", "test"]
  validation {
    condition     = length(var.thing_type_patterns) > 0 && alltrue([for pattern in var.thing_type_patterns : can(regex("^[a-zA-Z0-9:_-]+[*]?$", pattern))])
    error_message = "thing_type_patterns must be names, or beginnings of names with a * at the end; a * alone is not allowed: ${join(", ", var.thing_type_patterns)}."
  }
}

variable "timeout_seconds" {
  type        = number
  description = "How long one invocation may take; the visibility timeout of the queue is at least six times that."
  default     = 30
  validation {
    condition     = var.timeout_seconds >= 5 && var.timeout_seconds <= 150
    error_message = "timeout_seconds must be from 5 to 150: ${var.timeout_seconds}."
  }
}

variable "memory_mb" {
  type        = number
  description = "Memory of the function."
  default     = 256
  validation {
    condition     = var.memory_mb >= 128 && var.memory_mb <= 3008
    error_message = "memory_mb must be from 128 to 3008: ${var.memory_mb}."
  }
}

variable "max_concurrency" {
  type        = number
  description = "Most invocations at once."
  default     = 4
  validation {
    condition     = var.max_concurrency >= 2 && var.max_concurrency <= 1000
    error_message = "max_concurrency must be from 2 to 1000, as AWS Lambda allows: ${var.max_concurrency}."
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
