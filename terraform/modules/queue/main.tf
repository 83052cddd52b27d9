resource "aws_sqs_queue" "reports" {
  name                       = "${var.name}-reports"
  visibility_timeout_seconds = var.visibility_seconds
  message_retention_seconds  = var.retention_days * 86400
  max_message_size           = 262144
  receive_wait_time_seconds  = 20
  sqs_managed_sse_enabled    = true
  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead_letters.arn
    # Poison is told apart by the bridge itself. This is for what nobody foresaw: low, an outage of AWS IoT would fill it.
    maxReceiveCount = var.max_receive_count
  })
}

resource "aws_sqs_queue" "dead_letters" {
  name = "${var.name}-reports-dlq"
  # The age counts from the first queue on: it must keep longer than that one.
  message_retention_seconds = 1209600
  sqs_managed_sse_enabled   = true
}

resource "aws_sqs_queue_redrive_allow_policy" "dead_letters" {
  queue_url = aws_sqs_queue.dead_letters.id
  redrive_allow_policy = jsonencode({
    redrivePermission = "byQueue"
    sourceQueueArns   = [aws_sqs_queue.reports.arn]
  })
}

resource "aws_sqs_queue_policy" "tls" {
  for_each  = { reports = aws_sqs_queue.reports, dead_letters = aws_sqs_queue.dead_letters }
  queue_url = each.value.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "OnlyTls"
      Effect    = "Deny"
      Principal = "*"
      Action    = "sqs:*"
      Resource  = each.value.arn
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
  })
}
