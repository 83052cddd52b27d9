variable "name" {
  type        = string
  description = "Name of the installation: every name begins with it, so that several live in one account."
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,11}$", var.name))
    error_message = "name must be 2 to 12 of a-z 0-9 -, beginning with a letter: \"${var.name}\"."
  }
}

variable "bucket" {
  type        = string
  description = "Name of the bucket; empty: the name of the installation and the number of the account."
  default     = ""
  validation {
    condition     = var.bucket == "" || can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", var.bucket))
    error_message = "bucket must be a name that S3 allows: ${var.bucket}."
  }
}

variable "gateway_ids" {
  type        = set(string)
  description = "Ids of the gateways, also of those in other regions: the partitions of the table."
  validation {
    condition     = length(var.gateway_ids) >= 1
    error_message = "gateway_ids must name at least one gateway."
  }
}

variable "web_origins" {
  type        = list(string)
  description = "Where the web app is, as in https://stable.example: may send pictures."
  default     = []
  validation {
    condition     = alltrue([for origin in var.web_origins : can(regex("^https://[^/]+$", origin))])
    error_message = "web_origins must be origins that begin with https://: ${join(", ", var.web_origins)}."
  }
}

variable "raw_days" {
  type        = number
  description = "How long raw reports are kept."
  default     = 400
  validation {
    condition     = var.raw_days >= 31
    error_message = "raw_days must be at least 31, since they move to another storage class after 30: ${var.raw_days}."
  }
}

variable "backup_days" {
  type        = number
  description = "How long backups of the database are kept."
  default     = 35
  validation {
    condition     = var.backup_days >= 1
    error_message = "backup_days must be at least 1: ${var.backup_days}."
  }
}

variable "query_max_bytes" {
  type        = number
  description = "Most that one query of Athena may read."
  default     = 10737418240
  validation {
    condition     = var.query_max_bytes >= 10485760
    error_message = "query_max_bytes must be at least 10485760, as Athena asks: ${var.query_max_bytes}."
  }
}
