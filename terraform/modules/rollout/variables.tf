variable "name" {
  type        = string
  description = "Name of the installation: every name begins with it, so that several live in one account."
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,11}$", var.name))
    error_message = "name must be 2 to 12 of a-z 0-9 -, beginning with a letter: \"${var.name}\"."
  }
}

variable "revisions" {
  type        = list(string)
  description = "Of each host in this region: changes with what runs on it."
  validation {
    condition     = length(var.revisions) > 0
    error_message = "revisions must be of at least one host."
  }
}
