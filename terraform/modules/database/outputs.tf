output "endpoint" {
  description = "host:port/name."
  value       = "${aws_db_instance.this.endpoint}/${aws_db_instance.this.db_name}"
}

output "secret_arn" {
  description = "Secret with user and password."
  value       = aws_db_instance.this.master_user_secret[0].secret_arn
}

output "identifier" {
  description = "Name of the instance."
  value       = aws_db_instance.this.identifier
}
