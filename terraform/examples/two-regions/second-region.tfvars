# `home` comes from the first region: see README.md.
region = "eu-central-1"
zones  = { c = "eu-central-1a" }
