# GitHub's workflows sign in by who they are: no key of AWS is kept anywhere.
resource "aws_iam_openid_connect_provider" "github" {
  url            = "https://token.actions.githubusercontent.com"
  client_id_list = ["sts.amazonaws.com"]
}

locals {
  repository = "repo:${var.github_repository}"

  # Which workflow may become which role: a pull request may look, an environment's approved job may change it.
  subjects = merge(
    { plan = ["${local.repository}:pull_request", "${local.repository}:ref:refs/heads/main"] },
    { image = ["${local.repository}:ref:refs/heads/main"] },
    { for environment in var.environments : "apply-${environment}" => ["${local.repository}:environment:${environment}-infra"] },
    { for environment in var.environments : "deploy-${environment}" => ["${local.repository}:environment:${environment}"] }
  )
}

data "aws_iam_policy_document" "trust" {
  for_each = local.subjects

  statement {
    actions = ["sts:AssumeRoleWithWebIdentity"]

    principals {
      type        = "Federated"
      identifiers = [aws_iam_openid_connect_provider.github.arn]
    }

    condition {
      test     = "StringEquals"
      variable = "token.actions.githubusercontent.com:aud"
      values   = ["sts.amazonaws.com"]
    }

    condition {
      test     = "StringEquals"
      variable = "token.actions.githubusercontent.com:sub"
      values   = each.value
    }
  }
}

resource "aws_iam_role" "delivery" {
  for_each = local.subjects

  name               = "${var.name}-${each.key}"
  assume_role_policy = data.aws_iam_policy_document.trust[each.key].json
  # A canary delivery waits for each of its steps.
  max_session_duration = startswith(each.key, "deploy-") ? 7200 : 3600
}

# --- plan: may look at everything but what people keep, and at the state.

resource "aws_iam_role_policy_attachment" "plan" {
  role       = aws_iam_role.delivery["plan"].name
  policy_arn = "arn:${local.partition}:iam::aws:policy/ReadOnlyAccess"
}

data "aws_iam_policy_document" "plan" {
  statement {
    sid       = "ReadState"
    actions   = ["kms:Decrypt"]
    resources = [aws_kms_key.this.arn]
  }

  # A pull request's code decides what a plan reads.
  statement {
    sid    = "NobodysWordsAndNoSecret"
    effect = "Deny"
    actions = [
      "dynamodb:GetItem",
      "ecr:BatchGetImage",
      "logs:FilterLogEvents",
      "logs:GetLogEvents",
      "logs:StartQuery",
      "rds:DownloadDBLogFilePortion",
      "secretsmanager:GetSecretValue",
      "ssm:GetParameter*"
    ]
    resources = ["*"]
  }

  statement {
    sid           = "NoFileButTheState"
    effect        = "Deny"
    actions       = ["s3:GetObject*"]
    not_resources = ["${aws_s3_bucket.state.arn}/*"]
  }
}

resource "aws_iam_role_policy" "plan" {
  name   = "plan"
  role   = aws_iam_role.delivery["plan"].id
  policy = data.aws_iam_policy_document.plan.json
}

# --- image: pushes images, and nothing else.

data "aws_iam_policy_document" "image" {
  # AWS knows no resource for this one.
  statement {
    sid       = "SignInToRegistry"
    actions   = ["ecr:GetAuthorizationToken"]
    resources = ["*"]
  }

  statement {
    sid = "PushImages"
    actions = [
      "ecr:BatchCheckLayerAvailability",
      "ecr:BatchGetImage",
      "ecr:CompleteLayerUpload",
      "ecr:DescribeImages",
      "ecr:GetDownloadUrlForLayer",
      "ecr:InitiateLayerUpload",
      "ecr:PutImage",
      "ecr:UploadLayerPart"
    ]
    resources = [module.registry.repository_arn]
  }
}

resource "aws_iam_role_policy" "image" {
  name   = "push"
  role   = aws_iam_role.delivery["image"].id
  policy = data.aws_iam_policy_document.image.json
}

# --- apply: makes and changes an environment; of rights, only those of roles with its name.

resource "aws_iam_role_policy_attachment" "apply" {
  for_each = var.environments

  role       = aws_iam_role.delivery["apply-${each.key}"].name
  policy_arn = "arn:${local.partition}:iam::aws:policy/PowerUserAccess"
}

data "aws_iam_policy_document" "apply" {
  for_each = var.environments

  statement {
    sid = "RolesOfThisEnvironment"
    actions = [
      "iam:AttachRolePolicy",
      "iam:CreateRole",
      "iam:DeleteRole",
      "iam:DeleteRolePolicy",
      "iam:DetachRolePolicy",
      "iam:GetRole",
      "iam:GetRolePolicy",
      "iam:ListAttachedRolePolicies",
      "iam:ListInstanceProfilesForRole",
      "iam:ListRolePolicies",
      "iam:PutRolePolicy",
      "iam:TagRole",
      "iam:UntagRole",
      "iam:UpdateAssumeRolePolicy",
      "iam:UpdateRole"
    ]
    resources = ["arn:${local.partition}:iam::${local.account}:role/${var.name}-${each.key}-*"]
  }

  statement {
    sid       = "HandOverRoles"
    actions   = ["iam:PassRole"]
    resources = ["arn:${local.partition}:iam::${local.account}:role/${var.name}-${each.key}-*"]

    condition {
      test     = "StringEquals"
      variable = "iam:PassedToService"
      values = [
        "backup.amazonaws.com",
        "ecs-tasks.amazonaws.com",
        "ecs.amazonaws.com",
        "firehose.amazonaws.com",
        "fis.amazonaws.com",
        "logs.amazonaws.com",
        "monitoring.rds.amazonaws.com",
        "vpc-flow-logs.amazonaws.com"
      ]
    }
  }

  statement {
    sid       = "RolesThatAwsMakesForItself"
    actions   = ["iam:CreateServiceLinkedRole"]
    resources = ["arn:${local.partition}:iam::${local.account}:role/aws-service-role/*"]
  }

  # Otherwise it could give itself, or the other environments' roles, more.
  statement {
    sid       = "NotWhoDelivers"
    effect    = "Deny"
    actions   = ["iam:*"]
    resources = concat([for role in aws_iam_role.delivery : role.arn], [aws_iam_openid_connect_provider.github.arn])
  }

  statement {
    sid       = "NotOthersState"
    effect    = "Deny"
    actions   = ["s3:DeleteObject*", "s3:PutObject*"]
    resources = [for other in setsubtract(var.environments, [each.key]) : "${aws_s3_bucket.state.arn}/${other}/*"]
  }
}

resource "aws_iam_role_policy" "apply" {
  for_each = var.environments

  name   = "apply"
  role   = aws_iam_role.delivery["apply-${each.key}"].id
  policy = data.aws_iam_policy_document.apply[each.key].json
}

# --- deploy: a new version into one environment.

data "aws_iam_policy_document" "deploy" {
  for_each = var.environments

  # AWS knows no resource for these.
  statement {
    sid       = "TaskDefinitions"
    actions   = ["ecs:DescribeTaskDefinition", "ecs:RegisterTaskDefinition"]
    resources = ["*"]
  }

  statement {
    sid = "Services"
    actions = [
      "ecs:DescribeServiceDeployments",
      "ecs:DescribeServiceRevisions",
      "ecs:DescribeServices",
      "ecs:DescribeTasks",
      "ecs:ListServiceDeployments",
      "ecs:StopServiceDeployment",
      "ecs:TagResource",
      "ecs:UpdateService"
    ]
    resources = [for kind in ["service", "service-deployment", "service-revision", "task", "task-definition"] : "arn:${local.partition}:ecs:*:${local.account}:${kind}/${var.name}-${each.key}${kind == "task-definition" ? "-*" : "/*"}"]
  }

  statement {
    sid       = "MigrationTask"
    actions   = ["ecs:RunTask"]
    resources = ["arn:${local.partition}:ecs:*:${local.account}:task-definition/${var.name}-${each.key}-*"]
  }

  statement {
    sid       = "HandOverRoles"
    actions   = ["iam:PassRole"]
    resources = ["arn:${local.partition}:iam::${local.account}:role/${var.name}-${each.key}-*"]

    condition {
      test     = "StringEquals"
      variable = "iam:PassedToService"
      values   = ["ecs-tasks.amazonaws.com"]
    }
  }

  statement {
    sid       = "ReadWhereThingsAre"
    actions   = ["ssm:GetParameter"]
    resources = ["arn:${local.partition}:ssm:*:${local.account}:parameter/${var.name}/${each.key}/*"]
  }

  statement {
    sid       = "WebAppFiles"
    actions   = ["s3:DeleteObject", "s3:GetObject", "s3:ListBucket", "s3:PutObject"]
    resources = ["arn:${local.partition}:s3:::${var.name}-${each.key}-web-${local.account}", "arn:${local.partition}:s3:::${var.name}-${each.key}-web-${local.account}/*"]
  }

  statement {
    sid       = "EncryptWebAppFiles"
    actions   = ["kms:Decrypt", "kms:GenerateDataKey"]
    resources = ["arn:${local.partition}:kms:*:${local.account}:key/*"]

    condition {
      test     = "StringLike"
      variable = "kms:ResourceAliases"
      values   = ["alias/${var.name}-${each.key}"]
    }
  }

  statement {
    sid       = "RefreshCloudFront"
    actions   = ["cloudfront:CreateInvalidation", "cloudfront:GetInvalidation"]
    resources = ["arn:${local.partition}:cloudfront::${local.account}:distribution/*"]

    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/Environment"
      values   = ["${var.name}-${each.key}"]
    }
  }

  statement {
    sid       = "StartExperiments"
    actions   = ["fis:StartExperiment"]
    resources = ["arn:${local.partition}:fis:*:${local.account}:experiment-template/*"]

    condition {
      test     = "StringEquals"
      variable = "aws:ResourceTag/Environment"
      values   = ["${var.name}-${each.key}"]
    }
  }

  statement {
    sid       = "WatchExperiments"
    actions   = ["fis:GetExperiment", "fis:StartExperiment", "fis:StopExperiment", "fis:TagResource"]
    resources = ["arn:${local.partition}:fis:*:${local.account}:experiment/*"]
  }

  statement {
    sid       = "FindImage"
    actions   = ["ecr:DescribeImages"]
    resources = [module.registry.repository_arn]
  }

  # AWS knows no resource for looking at backups' tests and alarms.
  statement {
    sid       = "Look"
    actions   = ["backup:ListRestoreJobs", "cloudwatch:DescribeAlarms"]
    resources = ["*"]
  }
}

resource "aws_iam_role_policy" "deploy" {
  for_each = var.environments

  name   = "deploy"
  role   = aws_iam_role.delivery["deploy-${each.key}"].id
  policy = data.aws_iam_policy_document.deploy[each.key].json
}
