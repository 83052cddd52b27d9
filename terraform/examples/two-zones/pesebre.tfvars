# Two gateways, each in a zone of its own, the web server on a host of its own, and MySQL.
name              = "stables"
region            = "eu-west-1"
probe_region      = "eu-central-1"
zones             = { a = "eu-west-1a", b = "eu-west-1b" }
instance_type     = "t4g.small"
web               = "own"
web_instance_type = "t4g.small"
mysql             = true
emails            = ["operator@example.org"]
