data "aws_caller_identity" "current" {}

locals {
  columns = jsondecode(file("${path.module}/columns.json"))
}

resource "aws_s3_bucket" "this" {
  bucket        = coalesce(var.bucket, "${var.name}-${data.aws_caller_identity.current.account_id}")
  force_destroy = false
}

resource "aws_s3_bucket_public_access_block" "this" {
  bucket                  = aws_s3_bucket.this.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_server_side_encryption_configuration" "this" {
  bucket = aws_s3_bucket.this.id
  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

resource "aws_s3_bucket_versioning" "this" {
  bucket = aws_s3_bucket.this.id
  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_policy" "tls" {
  bucket = aws_s3_bucket.this.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "OnlyTls"
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:*"
      Resource  = [aws_s3_bucket.this.arn, "${aws_s3_bucket.this.arn}/*"]
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
  })
}

resource "aws_s3_bucket_lifecycle_configuration" "this" {
  bucket = aws_s3_bucket.this.id
  rule {
    id     = "raw"
    status = "Enabled"
    filter {
      prefix = "raw/"
    }
    transition {
      days          = 30
      storage_class = "STANDARD_IA"
    }
    expiration {
      days = var.raw_days
    }
  }
  rule {
    id     = "backup"
    status = "Enabled"
    filter {
      prefix = "backup/"
    }
    expiration {
      days = var.backup_days
    }
  }
  rule {
    id     = "athena"
    status = "Enabled"
    filter {
      prefix = "athena/"
    }
    expiration {
      days = 7
    }
  }
  rule {
    id     = "leftovers"
    status = "Enabled"
    filter {
    }
    noncurrent_version_expiration {
      noncurrent_days = 14
    }
    abort_incomplete_multipart_upload {
      days_after_initiation = 1
    }
  }
}

# Only the app's own pages may send a picture (a presigned POST) from a browser.
resource "aws_s3_bucket_cors_configuration" "this" {
  count  = length(var.web_origins) > 0 ? 1 : 0
  bucket = aws_s3_bucket.this.id
  cors_rule {
    allowed_methods = ["POST"]
    allowed_origins = var.web_origins
    allowed_headers = ["*"]
    max_age_seconds = 3600
  }
}

resource "aws_glue_catalog_database" "this" {
  name        = replace(var.name, "-", "_")
  description = "What devices have reported"
}

# No crawler and no ALTER TABLE: the partitions follow from the names of the objects (Athena, partition projection).
resource "aws_glue_catalog_table" "reports" {
  name          = "reports"
  database_name = aws_glue_catalog_database.this.name
  description   = "One row for each report; a report may be there more than once: thing and seq tell"
  table_type    = "EXTERNAL_TABLE"
  parameters = {
    EXTERNAL                    = "TRUE"
    "parquet.compression"       = "ZSTD"
    "projection.enabled"        = "true"
    "projection.gateway.type"   = "enum"
    "projection.gateway.values" = join(",", var.gateway_ids)
    "projection.dt.type"        = "date"
    "projection.dt.format"      = "yyyy-MM-dd"
    "projection.dt.range"       = "2026-01-01,NOW"
    "projection.hour.type"      = "integer"
    "projection.hour.range"     = "0,23"
    "projection.hour.digits"    = "2"
    "storage.location.template" = "s3://${aws_s3_bucket.this.bucket}/raw/gateway=$${gateway}/dt=$${dt}/hour=$${hour}"
  }
  partition_keys {
    name = "gateway"
    type = "string"
  }
  partition_keys {
    name = "dt"
    type = "string"
  }
  partition_keys {
    name = "hour"
    type = "string"
  }
  storage_descriptor {
    location      = "s3://${aws_s3_bucket.this.bucket}/raw/"
    input_format  = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat"
    output_format = "org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat"
    ser_de_info {
      serialization_library = "org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe"
    }
    dynamic "columns" {
      for_each = local.columns
      content {
        name = columns.value.name
        type = columns.value.type
      }
    }
  }
}

resource "aws_athena_workgroup" "this" {
  name        = var.name
  description = "Questions about what devices have reported"
  configuration {
    enforce_workgroup_configuration    = true
    publish_cloudwatch_metrics_enabled = false
    # Athena costs 5 dollars a terabyte: a question that forgot its dates stops here.
    bytes_scanned_cutoff_per_query = var.query_max_bytes
    result_configuration {
      output_location = "s3://${aws_s3_bucket.this.bucket}/athena/"
      encryption_configuration {
        encryption_option = "SSE_S3"
      }
    }
  }
}
