variable "name" {
  type        = string
  description = "Name of the installation: every name begins with it, so that several live in one account."
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,11}$", var.name))
    error_message = "name must be 2 to 12 of a-z 0-9 -, beginning with a letter: \"${var.name}\"."
  }
}

variable "consumer_timeout_seconds" {
  type        = number
  description = "Timeout of the Lambda function that reads the queue."
  default     = 30
  validation {
    condition     = var.consumer_timeout_seconds >= 5 && var.consumer_timeout_seconds <= 900
    error_message = "consumer_timeout_seconds must be from 5 to 900: ${var.consumer_timeout_seconds}."
  }
}

variable "visibility_seconds" {
  type        = number
  description = "How long a batch that was taken stays hidden."
  default     = 180
  validation {
    condition     = var.visibility_seconds >= 6 * var.consumer_timeout_seconds && var.visibility_seconds <= 43200
    error_message = "visibility_seconds must be at least six times consumer_timeout_seconds (AWS Lambda, \"Using Lambda with Amazon SQS\"), so at least ${6 * var.consumer_timeout_seconds}: ${var.visibility_seconds}."
  }
}

variable "retention_days" {
  type        = number
  description = "How long reports wait for the bridge; dead letters are kept for 14 days."
  default     = 10
  validation {
    condition     = var.retention_days >= 1 && var.retention_days <= 13
    error_message = "retention_days must be from 1 to 13, shorter than the 14 of the dead-letter queue: ${var.retention_days}."
  }
}

variable "max_receive_count" {
  type        = number
  description = "Failed deliveries before SQS gives a message up."
  default     = 50
  validation {
    condition     = var.max_receive_count >= 10 && var.max_receive_count <= 1000
    error_message = "max_receive_count must be from 10 to 1000; with few, an outage of AWS IoT fills the dead-letter queue: ${var.max_receive_count}."
  }
}
