# Two gateways at home, and one in another region, whose reports are moved home as they are.
name                   = "stables"
region                 = "eu-west-1"
probe_region           = "eu-north-1"
zones                  = { a = "eu-west-1a", b = "eu-west-1b" }
second_region          = "eu-central-1"
second_region_gateways = { "stables-c" = "198.51.100.9" }
emails                 = ["operator@example.org"]
