output "oidc" {
  description = "Issuer and client id, for PESEBRE_OIDC_ISSUER and PESEBRE_OIDC_CLIENT_ID."
  value = {
    issuer    = "https://cognito-idp.${data.aws_region.current.region}.amazonaws.com/${aws_cognito_user_pool.this.id}"
    client_id = aws_cognito_user_pool_client.web.id
  }
}

output "user_pool_id" {
  description = "The user pool."
  value       = aws_cognito_user_pool.this.id
}
