# Every line of the log, kept for long and cheap, where other tools can read it.
resource "aws_s3_bucket" "logs" {
  count = var.log_archive ? 1 : 0

  bucket        = "${var.name}-logs-${data.aws_caller_identity.this.account_id}"
  force_destroy = false
}

resource "aws_s3_bucket_public_access_block" "logs" {
  count = var.log_archive ? 1 : 0

  bucket                  = aws_s3_bucket.logs[0].id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_versioning" "logs" {
  count = var.log_archive ? 1 : 0

  bucket = aws_s3_bucket.logs[0].id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "logs" {
  count = var.log_archive ? 1 : 0

  bucket = aws_s3_bucket.logs[0].id

  rule {
    bucket_key_enabled = true

    apply_server_side_encryption_by_default {
      sse_algorithm     = "aws:kms"
      kms_master_key_id = var.kms_key_arn
    }
  }
}

resource "aws_s3_bucket_lifecycle_configuration" "logs" {
  count = var.log_archive ? 1 : 0

  bucket = aws_s3_bucket.logs[0].id

  rule {
    id     = "end"
    status = "Enabled"

    filter {}

    expiration {
      days = var.log_archive_days
    }

    noncurrent_version_expiration {
      noncurrent_days = 7
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
  }
}

data "aws_iam_policy_document" "logs_bucket" {
  count = var.log_archive ? 1 : 0

  statement {
    sid       = "OnlyOverTls"
    effect    = "Deny"
    actions   = ["s3:*"]
    resources = [aws_s3_bucket.logs[0].arn, "${aws_s3_bucket.logs[0].arn}/*"]

    principals {
      type        = "*"
      identifiers = ["*"]
    }

    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["false"]
    }
  }
}

resource "aws_s3_bucket_policy" "logs" {
  count = var.log_archive ? 1 : 0

  bucket = aws_s3_bucket.logs[0].id
  policy = data.aws_iam_policy_document.logs_bucket[0].json

  depends_on = [aws_s3_bucket_public_access_block.logs]
}

data "aws_iam_policy_document" "stream_trust" {
  for_each = toset(["firehose", "logs"])

  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["${each.key}.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "aws:SourceAccount"
      values   = [data.aws_caller_identity.this.account_id]
    }
  }
}

resource "aws_iam_role" "stream" {
  for_each = var.log_archive ? toset(["firehose", "logs"]) : toset([])

  name               = "${var.name}-log-archive-${each.key}"
  assume_role_policy = data.aws_iam_policy_document.stream_trust[each.key].json
}

data "aws_iam_policy_document" "stream" {
  count = var.log_archive ? 1 : 0

  statement {
    actions = [
      "s3:AbortMultipartUpload",
      "s3:GetBucketLocation",
      "s3:ListBucket",
      "s3:ListBucketMultipartUploads",
      "s3:PutObject"
    ]
    resources = [aws_s3_bucket.logs[0].arn, "${aws_s3_bucket.logs[0].arn}/*"]
  }

  statement {
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = [var.kms_key_arn]
  }
}

resource "aws_iam_role_policy" "firehose" {
  count = var.log_archive ? 1 : 0

  name   = "write"
  role   = aws_iam_role.stream["firehose"].id
  policy = data.aws_iam_policy_document.stream[0].json
}

resource "aws_kinesis_firehose_delivery_stream" "logs" {
  count = var.log_archive ? 1 : 0

  name        = "${var.name}-logs"
  destination = "extended_s3"

  server_side_encryption {
    enabled  = true
    key_type = "CUSTOMER_MANAGED_CMK"
    key_arn  = var.kms_key_arn
  }

  extended_s3_configuration {
    role_arn            = aws_iam_role.stream["firehose"].arn
    bucket_arn          = aws_s3_bucket.logs[0].arn
    kms_key_arn         = var.kms_key_arn
    compression_format  = "UNCOMPRESSED"
    buffering_size      = 64
    buffering_interval  = 300
    prefix              = "!{timestamp:yyyy/MM/dd}/"
    error_output_prefix = "failed/!{firehose:error-output-type}/!{timestamp:yyyy/MM/dd}/"
  }
}

data "aws_iam_policy_document" "subscription" {
  count = var.log_archive ? 1 : 0

  statement {
    actions   = ["firehose:PutRecord", "firehose:PutRecordBatch"]
    resources = [aws_kinesis_firehose_delivery_stream.logs[0].arn]
  }
}

resource "aws_iam_role_policy" "subscription" {
  count = var.log_archive ? 1 : 0

  name   = "write"
  role   = aws_iam_role.stream["logs"].id
  policy = data.aws_iam_policy_document.subscription[0].json
}

# CloudWatch hands lines over compressed already.
resource "aws_cloudwatch_log_subscription_filter" "this" {
  for_each = var.log_archive ? var.log_groups : {}

  name            = "${var.name}-archive"
  log_group_name  = each.value
  filter_pattern  = ""
  destination_arn = aws_kinesis_firehose_delivery_stream.logs[0].arn
  role_arn        = aws_iam_role.stream["logs"].arn

  depends_on = [aws_iam_role_policy.subscription]
}
