output "bucket" {
  description = "The bucket: PESEBRE_BUCKET, PESEBRE_ARCHIVE_BUCKET."
  value       = aws_s3_bucket.this.bucket
}

output "bucket_arn" {
  description = "ARN of the bucket."
  value       = aws_s3_bucket.this.arn
}

output "database" {
  description = "Glue database with the table reports."
  value       = aws_glue_catalog_database.this.name
}

output "workgroup" {
  description = "Athena workgroup."
  value       = aws_athena_workgroup.this.name
}
