mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_data "aws_region" {
    defaults = { region = "eu-west-1" }
  }
}

variables {
  name        = "stable"
  gateway_ids = ["stable-a", "stable-b"]
  web_origins = ["https://d1.cloudfront.net"]
}

run "for_its_owner_only" {
  assert {
    condition     = aws_s3_bucket_public_access_block.this.block_public_acls && aws_s3_bucket_public_access_block.this.block_public_policy && aws_s3_bucket_public_access_block.this.restrict_public_buckets
    error_message = "nothing is public"
  }
  assert {
    condition     = aws_s3_bucket.this.bucket == "stable-123456789012" && !aws_s3_bucket.this.force_destroy
    error_message = "its own name, and not lost with the stack"
  }
  assert {
    condition     = aws_glue_catalog_table.reports.parameters["projection.gateway.values"] == "stable-a,stable-b"
    error_message = "both gateways are in the table"
  }
  assert {
    condition     = aws_glue_catalog_table.reports.parameters["storage.location.template"] == "s3://stable-123456789012/raw/gateway=$${gateway}/dt=$${dt}/hour=$${hour}"
    error_message = "where gateways put their objects"
  }
  assert {
    condition     = length(aws_glue_catalog_table.reports.storage_descriptor[0].columns) == length(jsondecode(file("columns.json")))
    error_message = "all columns"
  }
}

run "refuses_a_short_archive" {
  command = plan
  variables {
    raw_days = 7
  }
  expect_failures = [var.raw_days]
}

run "refuses_http" {
  command = plan
  variables {
    web_origins = ["http://stable.example"]
  }
  expect_failures = [var.web_origins]
}
