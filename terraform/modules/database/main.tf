resource "aws_db_subnet_group" "this" {
  name       = "${var.name}-web"
  subnet_ids = var.subnet_ids
}

resource "aws_security_group" "this" {
  name        = "${var.name}-database"
  description = "MySQL, from the web server only"
  vpc_id      = var.vpc_id
}

resource "aws_vpc_security_group_ingress_rule" "mysql" {
  security_group_id            = aws_security_group.this.id
  description                  = "The web server"
  ip_protocol                  = "tcp"
  from_port                    = 3306
  to_port                      = 3306
  referenced_security_group_id = var.client_security_group_id
}

resource "aws_db_parameter_group" "this" {
  name   = "${var.name}-web"
  family = "mysql8.4"
  parameter {
    name  = "require_secure_transport"
    value = "1"
  }
}

resource "aws_db_instance" "this" {
  identifier                  = "${var.name}-web"
  engine                      = "mysql"
  engine_version              = "8.4"
  instance_class              = var.instance_class
  allocated_storage           = 20
  max_allocated_storage       = 100
  storage_type                = "gp3"
  storage_encrypted           = true
  db_name                     = "pesebre"
  username                    = "pesebre"
  manage_master_user_password = true
  multi_az                    = var.multi_az
  publicly_accessible         = false
  db_subnet_group_name        = aws_db_subnet_group.this.name
  vpc_security_group_ids      = [aws_security_group.this.id]
  parameter_group_name        = aws_db_parameter_group.this.name
  backup_retention_period     = var.backup_days
  copy_tags_to_snapshot       = true
  auto_minor_version_upgrade  = true
  deletion_protection         = true
  skip_final_snapshot         = false
  final_snapshot_identifier   = "${var.name}-web-final"
}

# AWS would change the password each week, and the server learns it only at its start (docs/operations.md, "The password of MySQL").
resource "aws_secretsmanager_secret_rotation" "yearly" {
  secret_id          = aws_db_instance.this.master_user_secret[0].secret_arn
  rotate_immediately = false
  rotation_rules {
    automatically_after_days = 365
  }
}
