// What an environment must keep to, whatever its modules say: read from everything Terraform would make.

/** One resource or data source, as Terraform's JSON shows it. */
export interface Made {
  address: string
  type: string
  values: Record<string, unknown>
}

interface Policy {
  name: string
  /** Answers what is wrong, by address. */
  find: (made: Made[], protectedEnvironment: boolean) => string[]
}

const of = (made: Made[], ...types: string[]) => made.filter(({ type }) => types.includes(type))
const wrong = (made: Made[], isRight: (values: Record<string, unknown>) => unknown) =>
  made.filter(({ values }) => !isRight(values)).map(({ address }) => address)
const list = (value: unknown): unknown[] =>
  Array.isArray(value) ? value : value === null || value === undefined ? [] : [value]
const first = (value: unknown) => (list(value)[0] ?? {}) as Record<string, unknown>

interface Statement {
  sid?: string
  effect?: string
  actions: string[]
  resources: string[]
  not_resources?: string[]
  principals: { type: string; identifiers: string[] }[]
  condition: { variable: string; values: string[] }[]
}

/** Actions for which AWS knows no resource, so that "*" is all there is to say. */
const WITHOUT_RESOURCE =
  /^(ecr:GetAuthorizationToken|xray:(Get|Put)\w+|ecs:(RegisterTaskDefinition|DescribeTaskDefinition|ListTasks)|(cloudwatch|ec2|rds):Describe\w+|tag:GetResources|backup:ListRestoreJobs)$/

function statements(made: Made[]): { address: string; statement: Statement }[] {
  return of(made, 'aws_iam_policy_document').flatMap(({ address, values }) =>
    list(values.statement).map((value) => {
      const { actions, resources, principals, condition, ...rest } = value as Partial<Statement>
      const statement = {
        ...rest,
        actions: actions ?? [],
        resources: resources ?? [],
        principals: principals ?? [],
        condition: condition ?? []
      }
      return { address, statement }
    })
  )
}

/** Statements of roles: what says who may use a thing (a key, a bucket) names principals. */
const granted = (made: Made[]) =>
  statements(made).filter(({ statement }) => statement.effect !== 'Deny' && statement.principals.length === 0)

interface Container {
  name: string
  image: string
  readonlyRootFilesystem?: boolean
  user?: string
  privileged?: boolean
  environment?: { name: string; value: string }[]
}

function containers(made: Made[]): { address: string; container: Container }[] {
  return of(made, 'aws_ecs_task_definition').flatMap(({ address, values }) =>
    (JSON.parse(String(values.container_definitions)) as Container[]).map((container) => ({
      address: `${address} ${container.name}`,
      container
    }))
  )
}

const SECRET_NAME = /SECRET|PASSWORD|PASSWD|TOKEN|API_?KEY|PRIVATE|DATABASE_URL/i

export const POLICIES: Policy[] = [
  {
    name: 'what keeps data is encrypted',
    find: (made) => [
      ...wrong(of(made, 'aws_db_instance', 'aws_rds_cluster'), (values) => values.storage_encrypted),
      ...wrong(
        of(made, 'aws_elasticache_replication_group'),
        (values) => values.at_rest_encryption_enabled && values.transit_encryption_enabled
      ),
      ...wrong(
        of(made, 'aws_cloudwatch_log_group', 'aws_cloudtrail', 'aws_secretsmanager_secret'),
        (values) => values.kms_key_id
      ),
      ...wrong(of(made, 'aws_backup_vault'), (values) => values.kms_key_arn),
      ...wrong(of(made, 'aws_sns_topic'), (values) => values.kms_master_key_id),
      ...wrong(
        of(made, 'aws_kinesis_firehose_delivery_stream'),
        (values) => first(values.server_side_encryption).enabled
      ),
      ...wrong(
        of(made, 'aws_ecr_repository'),
        (values) => first(values.encryption_configuration).encryption_type === 'KMS'
      )
    ]
  },
  {
    name: 'every bucket is private, versioned, encrypted, and spoken to over TLS',
    find: (made) =>
      of(made, 'aws_s3_bucket').flatMap(({ address, values }) => {
        const module = address.slice(0, address.lastIndexOf('aws_s3_bucket'))
        return [
          'public_access_block',
          'versioning',
          'server_side_encryption_configuration',
          'policy'
        ].flatMap((part) => {
          const near = of(made, `aws_s3_bucket_${part}`).filter((other) =>
            other.address.startsWith(`${module}aws_s3_bucket_${part}`)
          )
          const own = near.filter(
            (other) => other.values.bucket === values.id || other.values.bucket === values.bucket
          )
          return own.length > 0 ? [] : [`${address}: no aws_s3_bucket_${part}`]
        })
      })
  },
  {
    name: 'no bucket lets the public in',
    find: (made) =>
      wrong(of(made, 'aws_s3_bucket_public_access_block'), (values) =>
        ['block_public_acls', 'block_public_policy', 'ignore_public_acls', 'restrict_public_buckets'].every(
          (name) => values[name]
        )
      )
  },
  {
    name: 'nothing is open to the internet, and the load balancer takes 443 alone',
    find: (made) => [
      ...wrong(
        of(made, 'aws_vpc_security_group_ingress_rule'),
        (values) => values.cidr_ipv4 !== '0.0.0.0/0' && values.cidr_ipv6 !== '::/0'
      ),
      ...wrong(
        of(made, 'aws_vpc_security_group_ingress_rule').filter(({ values }) => values.prefix_list_id),
        (values) => values.from_port === 443 && values.to_port === 443
      ),
      ...wrong(of(made, 'aws_lb_listener'), (values) => values.port === 443 && values.protocol === 'HTTPS'),
      ...wrong(
        of(made, 'aws_db_instance', 'aws_rds_cluster_instance'),
        (values) => !values.publicly_accessible
      )
    ]
  },
  {
    name: 'TLS is 1.2 or newer',
    find: (made) => [
      ...wrong(of(made, 'aws_lb_listener'), (values) => /TLS13-1-[23]/.test(String(values.ssl_policy))),
      ...wrong(of(made, 'aws_cloudfront_distribution'), (values) =>
        /^TLSv1\.2_/.test(String(first(values.viewer_certificate).minimum_protocol_version))
      )
    ]
  },
  {
    name: 'keys turn',
    find: (made) => wrong(of(made, 'aws_kms_key'), (values) => values.enable_key_rotation)
  },
  {
    name: 'what is protected cannot be destroyed by mistake, and is backed up for a week at least',
    find: (made, isProtected) => {
      const databases = of(made, 'aws_db_instance', 'aws_rds_cluster').filter(
        ({ values }) => !values.replicate_source_db
      )
      const backedUp = wrong(
        databases,
        (values) => Number(values.backup_retention_period) >= (isProtected ? 7 : 1)
      )
      if (!isProtected) return backedUp
      return [
        ...backedUp,
        ...wrong(of(made, 'aws_db_instance', 'aws_rds_cluster'), (values) => values.deletion_protection),
        ...wrong(databases, (values) => !values.skip_final_snapshot),
        ...wrong(of(made, 'aws_lb'), (values) => values.enable_deletion_protection),
        ...wrong(
          of(made, 'aws_secretsmanager_secret'),
          (values) => Number(values.recovery_window_in_days) >= 7
        ),
        ...wrong(of(made, 'aws_s3_bucket'), (values) => !values.force_destroy)
      ]
    }
  },
  {
    name: 'logs end',
    find: (made) =>
      wrong(of(made, 'aws_cloudwatch_log_group'), (values) => Number(values.retention_in_days) > 0)
  },
  {
    name: 'no role may do everything, or something to everything',
    find: (made) =>
      granted(made).flatMap(({ address, statement: { sid, actions, resources, condition } }) => {
        const problems = actions.filter((action) => action.includes('*')).map((action) => `may ${action}`)
        const conditioned = condition.some(({ variable }) => /cluster|Alias|SourceArn/i.test(variable))
        if (resources.includes('*') && !conditioned)
          problems.push(
            ...actions
              .filter((action) => !WITHOUT_RESOURCE.test(action))
              .map((action) => `may ${action} on "*"`)
          )
        return problems.map((problem) => `${address} ${sid ?? ''}: ${problem}`)
      })
  },
  {
    name: 'a role is handed on only to a service that is named',
    find: (made) =>
      granted(made)
        .filter(({ statement }) => statement.actions.includes('iam:PassRole'))
        .filter(
          ({ statement }) => !statement.condition.some(({ variable }) => variable === 'iam:PassedToService')
        )
        .map(({ address, statement }) => `${address} ${statement.sid ?? ''}`)
  },
  {
    name: 'only one account’s services may become a role',
    find: (made) =>
      statements(made)
        .filter(({ statement }) => statement.actions.includes('sts:AssumeRole'))
        .filter(({ statement }) => statement.principals.some(({ identifiers }) => identifiers.includes('*')))
        .map(({ address }) => address)
  },
  {
    name: 'containers cannot write to their root, are nobody, and hold no secret in plain sight',
    find: (made) =>
      containers(made).flatMap(({ address, container }) => [
        ...(container.readonlyRootFilesystem ? [] : [`${address}: its root can be written to`]),
        ...(/^[1-9]\d*(:\d+)?$/.test(container.user ?? '') ? [] : [`${address}: it may be root`]),
        ...(container.privileged ? [`${address}: it is privileged`] : []),
        ...(/:latest$/.test(container.image) ? [`${address}: its image may change`] : []),
        ...(container.environment ?? [])
          .filter(({ name }) => SECRET_NAME.test(name))
          .map(({ name }) => `${address}: ${name} is in plain sight`)
      ])
  },
  {
    name: 'nobody opens a shell in a task',
    find: (made) => wrong(of(made, 'aws_ecs_service'), (values) => !values.enable_execute_command)
  },
  {
    name: 'a failing deployment is taken back',
    find: (made) =>
      wrong(
        of(made, 'aws_ecs_service'),
        (values) => first(values.deployment_circuit_breaker).rollback || first(values.alarms).rollback
      )
  },
  {
    name: 'every alarm is heard',
    find: (made) =>
      wrong(of(made, 'aws_cloudwatch_metric_alarm'), (values) => list(values.alarm_actions).length > 0)
  },
  {
    name: 'streams may be silent for 300 seconds, and malformed headers are dropped',
    find: (made) =>
      wrong(of(made, 'aws_lb'), (values) => values.idle_timeout === 300 && values.drop_invalid_header_fields)
  },
  {
    name: 'images do not change and are scanned',
    find: (made) =>
      wrong(
        of(made, 'aws_ecr_repository'),
        (values) =>
          values.image_tag_mutability === 'IMMUTABLE' &&
          first(values.image_scanning_configuration).scan_on_push
      )
  },
  {
    name: 'no secret has a value here',
    find: (made) => [
      ...of(made, 'aws_secretsmanager_secret_version').map(({ address }) => address),
      ...wrong(
        of(made, 'aws_db_instance', 'aws_rds_cluster'),
        (values) => !values.password && !values.master_password
      )
    ]
  }
]

/** What breaks a policy, as "policy: address". */
export function breaches(made: Made[], protectedEnvironment: boolean): string[] {
  return POLICIES.flatMap(({ name, find }) =>
    find(made, protectedEnvironment).map((where) => `${name}: ${where}`)
  )
}
