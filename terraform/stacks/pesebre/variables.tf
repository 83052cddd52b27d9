variable "name" {
  type        = string
  default     = "pesebre"
  description = "Name of the installation: every name begins with it, so that several live in one account."
  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,11}$", var.name))
    error_message = "name must be 2 to 12 of a-z 0-9 -, beginning with a letter: \"${var.name}\"."
  }
  validation {
    # SSM has parameters of AWS under these, RDS and S3 take no such hyphens.
    condition     = !can(regex("^(aws|ssm|xn--)|--|-$", var.name))
    error_message = "name must not begin with aws or ssm, nor have two hyphens together or one at its end: \"${var.name}\"."
  }
}

variable "region" {
  type        = string
  description = "Region of the installation."
  default     = "eu-west-1"
  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "region must be a region, as in eu-west-1: ${var.region}."
  }
}

variable "probe_region" {
  type        = string
  description = "Region from which the probe looks: another one."
  default     = "eu-central-1"
  validation {
    condition     = var.probe_region != var.region && can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.probe_region))
    error_message = "probe_region must be a region, and another one than region: ${var.probe_region}."
  }
}

variable "zones" {
  type        = map(string)
  description = "Gateways by key, and the availability zone of each. The first one has the web server beside it."
  default     = { a = "eu-west-1a", b = "eu-west-1b" }
  validation {
    condition     = length(var.zones) >= 1 && length(var.zones) <= 4 && alltrue([for key, zone in var.zones : can(regex("^[a-z0-9]{1,3}$", key)) && startswith(zone, var.region)])
    error_message = "zones must be of 1 to 4 gateways, with zones of the region ${var.region}: ${jsonencode(var.zones)}."
  }
}

variable "gateway_list_version" {
  type        = number
  description = "Raise it whenever the addresses of gateways change: devices then take the new list."
  default     = 1
  validation {
    condition     = var.gateway_list_version >= 1 && floor(var.gateway_list_version) == var.gateway_list_version
    error_message = "gateway_list_version must be a whole number from 1: ${var.gateway_list_version}."
  }
}

variable "instance_type" {
  type        = string
  description = "Type of the instance, of an Arm family."
  default     = "t4g.nano"
  validation {
    condition     = can(regex("^[a-z]+[0-9]+g[a-z]*[.][a-z0-9]+$", var.instance_type))
    error_message = "instance_type must be of an Arm family, as t4g.nano is: ${var.instance_type}."
  }
}

variable "volume_gb" {
  type        = number
  description = "Size of the encrypted disk with the journal, in GB."
  default     = 8
  validation {
    condition     = var.volume_gb >= 4 && var.volume_gb <= 1024
    error_message = "volume_gb must be from 4 to 1024: ${var.volume_gb}."
  }
}

variable "web" {
  type        = string
  description = "Where the web server runs: beside the first gateway, on a host of its own, or none."
  default     = "beside"
  validation {
    condition     = contains(["beside", "own", "none"], var.web)
    error_message = "web must be beside, own or none: ${var.web}."
  }
}

variable "web_instance_type" {
  type        = string
  description = "Type of the instance with the web server, of an Arm family."
  default     = "t4g.micro"
  validation {
    condition     = can(regex("^[a-z]+[0-9]+g[a-z]*[.][a-z0-9]+$", var.web_instance_type))
    error_message = "web_instance_type must be of an Arm family, as t4g.nano is: ${var.web_instance_type}."
  }
}

variable "domain" {
  type        = string
  description = "Name of the web app, as in stable.example; empty: that of CloudFront."
  default     = ""
}

variable "certificate_arn" {
  type        = string
  description = "Certificate of that name, of ACM in us-east-1."
  default     = ""
}

variable "route53_zone_id" {
  type        = string
  description = "Hosted zone in which the name is made."
  default     = ""
}

variable "mysql" {
  type        = bool
  description = "Whether the web server keeps its data in MySQL instead of SQLite on its disk."
  default     = false
}

variable "database_zones" {
  type        = list(string)
  description = "More zones with a subnet: MySQL needs two."
  default     = []
  validation {
    condition     = !var.mysql || length(distinct(concat(values(var.zones), var.database_zones))) >= 2
    error_message = "database_zones must name another zone than ${join(", ", values(var.zones))}, since MySQL needs two."
  }
}

variable "cognito_domain_prefix" {
  type        = string
  description = "Name of a Cognito sign-in page to be made; empty: none."
  default     = ""
  validation {
    condition     = var.cognito_domain_prefix == "" || var.web != "none"
    error_message = "cognito_domain_prefix needs a web server."
  }
}

variable "oidc" {
  type        = object({ issuer = string, client_id = string })
  description = "An OpenID provider that is there already."
  default     = null
}

variable "emails" {
  type        = set(string)
  description = "Who is told of alarms."
  default     = []
}

variable "probe_minutes" {
  type        = number
  description = "How often the probe asks each gateway; 0: never."
  default     = 1
  validation {
    condition     = var.probe_minutes >= 0 && var.probe_minutes <= 15
    error_message = "probe_minutes must be from 0 to 15: ${var.probe_minutes}."
  }
}

variable "open_things" {
  type        = list(string)
  description = "Names, or beginnings of names with a *, of things that may report without security; none by default."
  default     = []
  validation {
    condition     = alltrue([for pattern in var.open_things : can(regex("^[a-zA-Z0-9:_-]+[*]?$", pattern))])
    error_message = "open_things must be names, or beginnings of names with a * at the end; a * alone is not allowed: ${join(", ", var.open_things)}."
  }
}

variable "open_thing_types" {
  type        = list(string)
  description = "Their thing types."
  default     = []
  validation {
    condition     = alltrue([for pattern in var.open_thing_types : can(regex("^[a-zA-Z0-9:_-]+[*]?$", pattern))])
    error_message = "open_thing_types must be names, or beginnings of names with a * at the end; a * alone is not allowed: ${join(", ", var.open_thing_types)}."
  }
}

variable "shown_things" {
  type        = list(string)
  description = "Names, or beginnings of names with a *, of things that speak MQTT to AWS IoT themselves, which people may look at; none by default."
  default     = []
  validation {
    condition     = alltrue([for pattern in var.shown_things : can(regex("^[a-zA-Z0-9:_-]+[*]?$", pattern))])
    error_message = "shown_things must be names, or beginnings of names with a * at the end; a * alone is not allowed: ${join(", ", var.shown_things)}."
  }
}

variable "make_thing_types" {
  type        = bool
  description = "Whether this installation makes the thing types: true for the first one in an account and region."
  default     = true
}

variable "bridge_concurrency" {
  type        = number
  description = "Most invocations of the bridge at once."
  default     = 4
}

variable "bucket" {
  type        = string
  description = "Name of the bucket; empty: the name of the installation and the number of the account."
  default     = ""
}

variable "raw_days" {
  type        = number
  description = "How long raw reports are kept."
  default     = 400
}

variable "gateway_settings" {
  type        = map(string)
  description = "More settings of the gateways."
  default     = {}
}

variable "web_settings" {
  type        = map(string)
  description = "More settings of the web server."
  default     = {}
}

variable "second_region" {
  type        = string
  description = "Region of the stack second-region, which gets copies of the fleet keys and its certificates; empty: none."
  default     = ""
  validation {
    condition     = var.second_region != var.region
    error_message = "second_region must be another one than region: ${var.second_region}."
  }
}

variable "second_region_gateways" {
  type        = map(string)
  description = "Ids and addresses of its gateways."
  default     = {}
  validation {
    condition     = length(var.second_region_gateways) == 0 || var.second_region != ""
    error_message = "second_region_gateways needs second_region."
  }
  validation {
    condition     = alltrue([for id in keys(var.second_region_gateways) : startswith(id, "${var.name}-") && !contains(keys(var.zones), trimprefix(id, "${var.name}-"))])
    error_message = "second_region_gateways must be called ${var.name}- and a key that zones has not: ${join(", ", keys(var.second_region_gateways))}."
  }
}

variable "bridge_bundle" {
  type        = string
  description = "Zip of the bridge."
  default     = "../../../bridge-lambda/dist/bridge.zip"
  validation {
    condition     = fileexists(var.bridge_bundle)
    error_message = "bridge_bundle is not there: ${var.bridge_bundle}. npm run build:lambda makes it; releases have it."
  }
}

variable "ops_bundle" {
  type        = string
  description = "Zip of the functions that operate the product."
  default     = "../../../ops-lambda/dist/ops.zip"
  validation {
    condition     = fileexists(var.ops_bundle)
    error_message = "ops_bundle is not there: ${var.ops_bundle}. npm run build:ops makes it; releases have it."
  }
}

variable "gateway_bundle" {
  type        = string
  description = "Host bundle of the gateway, for arm64."
  default     = "../../../docker/dist/gateway-arm64.tar.gz"
  validation {
    condition     = fileexists(var.gateway_bundle)
    error_message = "gateway_bundle is not there: ${var.gateway_bundle}. npm run build:host makes it; releases have it."
  }
}

variable "web_bundle" {
  type        = string
  description = "Host bundle of the web server, for arm64."
  default     = "../../../docker/dist/web-arm64.tar.gz"
  validation {
    condition     = var.web == "none" || fileexists(var.web_bundle)
    error_message = "web_bundle is not there: ${var.web_bundle}. npm run build:host makes it; releases have it."
  }
}

variable "tags" {
  type        = map(string)
  description = "Tags of everything, beside pesebre:name."
  default     = {}
}
