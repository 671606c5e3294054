provider "aws" {
  region = var.region

  default_tags {
    tags = local.tags
  }
}

# Certificates and firewalls of CloudFront live there, whatever the region.
provider "aws" {
  alias  = "us_east_1"
  region = "us-east-1"

  default_tags {
    tags = local.tags
  }
}

# Nothing waits in a third region.
provider "aws" {
  alias  = "dr"
  region = var.region

  default_tags {
    tags = local.tags
  }
}

locals {
  tags = { Project = "pai", Environment = "pai-standby", ManagedBy = "terraform" }
}
