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
  description = "Path of the zip with the functions that operate the product."
  validation {
    condition     = endswith(var.bundle, ".zip") && fileexists(var.bundle)
    error_message = "bundle must be a zip that is there: ${var.bundle}. npm run build:ops makes it."
  }
}

variable "clients" {
  type        = map(string)
  description = "MQTT clients that need a certificate: thing name to policy name."
  validation {
    condition     = alltrue([for thing, policy in var.clients : can(regex("^[a-zA-Z0-9:_-]{1,128}$", thing)) && can(regex("^[a-zA-Z0-9+=,.@-]{1,128}$", policy))])
    error_message = "clients must map thing names to policy names: ${jsonencode(var.clients)}."
  }
}

variable "probes" {
  type        = map(number)
  description = "Probes: id of the gateway to device number, of kind test."
  default     = {}
  validation {
    condition     = alltrue([for number in values(var.probes) : number >= 0 && number <= 4294967295 && floor(number) == number]) && length(distinct(values(var.probes))) == length(var.probes)
    error_message = "probes must have whole numbers of 32 bits, each another one: ${jsonencode(var.probes)}."
  }
}

variable "make_admin_token" {
  type        = bool
  description = "Whether there is a web server whose first admin needs a link."
  default     = true
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

variable "replica_regions" {
  type        = list(string)
  description = "Regions that get copies of the fleet keys and certificates: those of stacks second-region."
  default     = []
  validation {
    condition     = alltrue([for region in var.replica_regions : can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", region))])
    error_message = "replica_regions must be regions: ${join(", ", var.replica_regions)}."
  }
}
