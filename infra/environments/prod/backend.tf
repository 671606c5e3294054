terraform {
  # The bucket is given at init: terraform init -backend-config="bucket=<output state_bucket of bootstrap>" -backend-config="region=…"
  backend "s3" {
    key          = "prod/terraform.tfstate"
    encrypt      = true
    use_lockfile = true
  }
}
