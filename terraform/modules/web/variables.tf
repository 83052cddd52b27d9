variable "name" {
  type        = string
  description = "Name of the installation: every name begins with it, so that several live in one account."
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,11}$", var.name))
    error_message = "name must be 2 to 12 of a-z 0-9 -, beginning with a letter: \"${var.name}\"."
  }
}

variable "release" {
  type        = object({ bucket = string, key = string, sha256 = string })
  description = "The host bundle of the web server in S3."
}

variable "origin_ip" {
  type        = string
  description = "Elastic IP of the host that it runs on."
}

variable "role_name" {
  type        = string
  description = "Role of that host."
}

variable "beside_gateway" {
  type        = bool
  description = "Whether a gateway runs on the same host."
  default     = true
}

variable "web_port" {
  type        = number
  description = "TCP port that CloudFront reaches it at."
  default     = 8080
  validation {
    condition     = var.web_port >= 1 && var.web_port <= 65535 && floor(var.web_port) == var.web_port
    error_message = "web_port must be a whole number from 1 to 65535: ${var.web_port}."
  }
}

variable "domain" {
  type        = string
  description = "Name of its own, as in stable.example; empty: that of CloudFront."
  default     = ""
  validation {
    condition     = var.domain == "" || can(regex("^[a-z0-9.-]+[.][a-z]{2,}$", var.domain))
    error_message = "domain must be a host name: ${var.domain}."
  }
}

variable "certificate_arn" {
  type        = string
  description = "Certificate of that name, of ACM in us-east-1."
  default     = ""
  validation {
    condition     = (var.certificate_arn != "") == (var.domain != "")
    error_message = "certificate_arn and domain must be given together."
  }
}

variable "route53_zone_id" {
  type        = string
  description = "Hosted zone in which the name is made; empty: you make it."
  default     = ""
  validation {
    condition     = var.route53_zone_id == "" || var.domain != ""
    error_message = "route53_zone_id needs a domain."
  }
}

variable "bucket" {
  type        = string
  description = "The bucket of pictures, archive and backups."
}

variable "fleet_keys" {
  type        = string
  description = "Where the fleet keys are: ssm:<parameter>."
  validation {
    condition     = startswith(var.fleet_keys, "ssm:/")
    error_message = "fleet_keys must be ssm: and the path of a parameter: ${var.fleet_keys}."
  }
}

variable "gateway_list" {
  type        = string
  description = "Where gateways are: written into what is flashed into devices."
}

variable "policy_prefix" {
  type        = string
  description = "What stands before the names of the IoT policies."
  default     = ""
}

variable "queue_url" {
  type        = string
  description = "The queue of reports."
}

variable "queue_arn" {
  type        = string
  description = "The queue of reports."
}

variable "dead_letters_url" {
  type        = string
  description = "The dead-letter queue."
}

variable "dead_letters_arn" {
  type        = string
  description = "The dead-letter queue."
}

variable "mqtt_host" {
  type        = string
  description = "Data endpoint of AWS IoT."
}

variable "mqtt_parameter" {
  type        = string
  description = "Parameter with its certificate of AWS IoT, and the private key."
  validation {
    condition     = startswith(var.mqtt_parameter, "/")
    error_message = "mqtt_parameter must be the path of a parameter: ${var.mqtt_parameter}."
  }
}

variable "setup_token_parameter" {
  type        = string
  description = "Parameter with the one-time token of the first admin."
}

variable "mysql" {
  type        = bool
  description = "Whether it keeps its data in MySQL instead of SQLite on its disk."
  default     = false
}

variable "database_secret_arn" {
  type        = string
  description = "Secret with user and password of MySQL."
  default     = ""
}

variable "database_endpoint" {
  type        = string
  description = "host:port/name of MySQL."
  default     = ""
}

variable "oidc" {
  type        = object({ issuer = string, client_id = string })
  description = "OpenID provider that people may sign in with."
  default     = null
}

variable "settings" {
  type        = map(string)
  description = "More settings of the web server, as in PESEBRE_SMTP_URL."
  default     = {}
  validation {
    condition     = alltrue([for name in keys(var.settings) : startswith(name, "PESEBRE_")])
    error_message = "settings must begin with PESEBRE_: ${join(", ", keys(var.settings))}."
  }
}

variable "trusted_proxies" {
  type        = list(string)
  description = "Addresses of CloudFront: who asks is what it says in X-Forwarded-For."
  default     = []
}

variable "thing" {
  type        = string
  description = "Thing of the web server, and the name of its MQTT connection."
  validation {
    condition     = can(regex("^[a-zA-Z0-9:_-]{1,128}$", var.thing))
    error_message = "thing must be a thing name: ${var.thing}."
  }
}

variable "shown_things" {
  type        = list(string)
  description = "Names, or beginnings of names with a *, of other things that people may look at; none by default."
  default     = []
  validation {
    condition     = alltrue([for pattern in var.shown_things : can(regex("^[a-zA-Z0-9:_-]+[*]?$", pattern))])
    error_message = "shown_things must be names, or beginnings of names with a * at the end; a * alone is not allowed: ${join(", ", var.shown_things)}."
  }
}
