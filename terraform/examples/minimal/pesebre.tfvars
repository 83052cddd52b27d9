# One small host: gateway and web app beside one another. 50 feeders: see docs/cost.md.
name         = "stable"
region       = "us-east-1"
probe_region = "us-west-2"
zones        = { a = "us-east-1a" }
emails       = ["operator@example.org"]
