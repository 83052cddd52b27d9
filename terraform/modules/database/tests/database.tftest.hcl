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
  mock_resource "aws_db_instance" {
    defaults = {
      endpoint           = "stable-web.x.eu-west-1.rds.amazonaws.com:3306"
      master_user_secret = [{ secret_arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:rds-1" }]
    }
  }
}

variables {
  name                     = "stable"
  vpc_id                   = "vpc-1"
  subnet_ids               = ["subnet-1", "subnet-2"]
  client_security_group_id = "sg-1"
}

run "is_not_lost" {
  assert {
    condition     = aws_db_instance.this.storage_encrypted && aws_db_instance.this.deletion_protection && !aws_db_instance.this.skip_final_snapshot
    error_message = "encrypted, and not deleted by mistake"
  }
  assert {
    condition     = !aws_db_instance.this.publicly_accessible
    error_message = "nobody but the web server"
  }
  assert {
    condition     = aws_db_instance.this.manage_master_user_password
    error_message = "its password is in no state"
  }
  assert {
    condition     = aws_db_instance.this.backup_retention_period == 14
    error_message = "can be put back"
  }
  assert {
    condition     = output.endpoint == "stable-web.x.eu-west-1.rds.amazonaws.com:3306/pesebre"
    error_message = "where it is"
  }
}

run "refuses_one_subnet" {
  command = plan
  variables {
    subnet_ids = ["subnet-1"]
  }
  expect_failures = [var.subnet_ids]
}
