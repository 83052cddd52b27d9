variable "name" {
  type        = string
  description = "Name of the installation: every name begins with it, so that several live in one account."
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,11}$", var.name))
    error_message = "name must be 2 to 12 of a-z 0-9 -, beginning with a letter: \"${var.name}\"."
  }
}

variable "domain_prefix" {
  type        = string
  description = "First part of the name of the sign-in page, unique in the region."
  validation {
    condition     = can(regex("^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$", var.domain_prefix)) && !can(regex("aws|amazon|cognito", var.domain_prefix))
    error_message = "domain_prefix must be of a-z 0-9 - and hold none of aws, amazon, cognito: ${var.domain_prefix}."
  }
}

variable "web_url" {
  type        = string
  description = "Where the web app is."
  validation {
    condition     = can(regex("^https://[^/]+$", var.web_url))
    error_message = "web_url must be an origin that begins with https://: ${var.web_url}."
  }
}

variable "invited_only" {
  type        = bool
  description = "Whether only an operator may make accounts."
  default     = true
}
