mock_provider "aws" {}

variables {
  name      = "stable"
  revisions = ["1", "2"]
}

run "one_host_at_a_time" {
  command = plan
  assert {
    condition     = aws_ssm_association.rollout.max_concurrency == "1" && aws_ssm_association.rollout.max_errors == "0"
    error_message = "the next one begins when the one before is ready, and the first failure ends it"
  }
  assert {
    condition     = one(aws_ssm_association.rollout.targets).key == "tag:pesebre:name" && one(one(aws_ssm_association.rollout.targets).values) == "stable"
    error_message = "the hosts of this installation"
  }
  assert {
    condition     = startswith(aws_ssm_document.rollout.name, "stable-")
    error_message = "hosts may read documents that begin with the name (modules/host, AgentAssociations)"
  }
}

run "refuses_no_host" {
  command = plan
  variables {
    revisions = []
  }
  expect_failures = [var.revisions]
}
