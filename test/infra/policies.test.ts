import { expect, test } from 'vitest'
import { breaches, type Made, POLICIES } from '../../infra/checks/policies.ts'

const grant = (statement: Record<string, unknown>): Made => ({
  address: 'data.aws_iam_policy_document.role',
  type: 'aws_iam_policy_document',
  values: { statement: [{ effect: null, principals: [], condition: [], ...statement }] }
})
const made = (type: string, values: Record<string, unknown>): Made => ({
  address: `${type}.this`,
  type,
  values
})
const task = (container: Record<string, unknown>) =>
  made('aws_ecs_task_definition', {
    container_definitions: JSON.stringify([
      { name: 'pai', image: 'pai:1', user: '65532:65532', readonlyRootFilesystem: true, ...container }
    ])
  })
const database = {
  storage_encrypted: true,
  publicly_accessible: false,
  backup_retention_period: 7,
  deletion_protection: true,
  skip_final_snapshot: false
}
const listener = { port: 443, protocol: 'HTTPS', ssl_policy: 'ELBSecurityPolicy-TLS13-1-2-2021-06' }
const passRole = { actions: ['iam:PassRole'], resources: ['arn:aws:iam::1:role/pai'] }
const bucketParts = [
  'public_access_block',
  'versioning',
  'server_side_encryption_configuration',
  'policy'
].map((part) =>
  made(`aws_s3_bucket_${part}`, {
    bucket: 'b',
    block_public_acls: true,
    block_public_policy: true,
    ignore_public_acls: true,
    restrict_public_buckets: true
  })
)

// Each policy, with what breaks it and what keeps to it.
const CASES: [string, Made[], Made[]][] = [
  [
    'what keeps data is encrypted',
    [made('aws_db_instance', { ...database, storage_encrypted: false })],
    [made('aws_db_instance', database)]
  ],
  [
    'what keeps data is encrypted',
    [made('aws_sns_topic', { kms_master_key_id: null })],
    [made('aws_sns_topic', { kms_master_key_id: 'key' })]
  ],
  [
    'every bucket is private, versioned, encrypted, and spoken to over TLS',
    [made('aws_s3_bucket', { id: 'b' }), ...bucketParts.slice(1)],
    [made('aws_s3_bucket', { id: 'b' }), ...bucketParts]
  ],
  [
    'no bucket lets the public in',
    [made('aws_s3_bucket_public_access_block', { ...bucketParts[0]?.values, block_public_policy: false })],
    bucketParts.slice(0, 1)
  ],
  [
    'nothing is open to the internet, and the load balancer takes 443 alone',
    [made('aws_vpc_security_group_ingress_rule', { cidr_ipv4: '0.0.0.0/0', from_port: 22, to_port: 22 })],
    [made('aws_vpc_security_group_ingress_rule', { prefix_list_id: 'pl', from_port: 443, to_port: 443 })]
  ],
  [
    'nothing is open to the internet, and the load balancer takes 443 alone',
    [made('aws_lb_listener', { ...listener, port: 80, protocol: 'HTTP' })],
    [made('aws_lb_listener', listener)]
  ],
  [
    'TLS is 1.2 or newer',
    [made('aws_lb_listener', { ...listener, ssl_policy: 'ELBSecurityPolicy-2016-08' })],
    [made('aws_lb_listener', listener)]
  ],
  [
    'keys turn',
    [made('aws_kms_key', { enable_key_rotation: false })],
    [made('aws_kms_key', { enable_key_rotation: true })]
  ],
  [
    'what is protected cannot be destroyed by mistake, and is backed up for a week at least',
    [made('aws_db_instance', { ...database, deletion_protection: false })],
    [made('aws_db_instance', database)]
  ],
  [
    'what is protected cannot be destroyed by mistake, and is backed up for a week at least',
    [made('aws_db_instance', { ...database, backup_retention_period: 3 })],
    [made('aws_db_instance', database)]
  ],
  [
    'logs end',
    [made('aws_cloudwatch_log_group', { kms_key_id: 'key', retention_in_days: 0 })],
    [made('aws_cloudwatch_log_group', { kms_key_id: 'key', retention_in_days: 30 })]
  ],
  [
    'no role may do everything, or something to everything',
    [grant({ actions: ['s3:*'], resources: ['arn:aws:s3:::b'] })],
    [grant({ actions: ['s3:GetObject'], resources: ['arn:aws:s3:::b/*'] })]
  ],
  [
    'no role may do everything, or something to everything',
    [grant({ actions: ['secretsmanager:GetSecretValue'], resources: ['*'] })],
    [grant({ actions: ['ecr:GetAuthorizationToken'], resources: ['*'] })]
  ],
  [
    'a role is handed on only to a service that is named',
    [grant(passRole)],
    [
      grant({
        ...passRole,
        condition: [{ variable: 'iam:PassedToService', values: ['ecs-tasks.amazonaws.com'] }]
      })
    ]
  ],
  [
    'only one account’s services may become a role',
    [grant({ actions: ['sts:AssumeRole'], principals: [{ type: 'AWS', identifiers: ['*'] }] })],
    [
      grant({
        actions: ['sts:AssumeRole'],
        principals: [{ type: 'Service', identifiers: ['fis.amazonaws.com'] }]
      })
    ]
  ],
  [
    'containers cannot write to their root, are nobody, and hold no secret in plain sight',
    [task({ readonlyRootFilesystem: false })],
    [task({})]
  ],
  [
    'containers cannot write to their root, are nobody, and hold no secret in plain sight',
    [task({ user: '0:0' })],
    [task({ user: '1000' })]
  ],
  [
    'containers cannot write to their root, are nobody, and hold no secret in plain sight',
    [task({ environment: [{ name: 'OPENAI_API_KEY', value: 'sk' }] })],
    [task({ environment: [{ name: 'PORT', value: '3000' }] })]
  ],
  [
    'nobody opens a shell in a task',
    [made('aws_ecs_service', { enable_execute_command: true, alarms: [{ rollback: true }] })],
    [made('aws_ecs_service', { enable_execute_command: false, alarms: [{ rollback: true }] })]
  ],
  [
    'a failing deployment is taken back',
    [made('aws_ecs_service', { alarms: [{ rollback: false }] })],
    [made('aws_ecs_service', { deployment_circuit_breaker: [{ rollback: true }] })]
  ],
  [
    'every alarm is heard',
    [made('aws_cloudwatch_metric_alarm', { alarm_actions: [] })],
    [made('aws_cloudwatch_metric_alarm', { alarm_actions: ['topic'] })]
  ],
  [
    'streams may be silent for 300 seconds, and malformed headers are dropped',
    [
      made('aws_lb', { idle_timeout: 60, drop_invalid_header_fields: true, enable_deletion_protection: true })
    ],
    [
      made('aws_lb', {
        idle_timeout: 300,
        drop_invalid_header_fields: true,
        enable_deletion_protection: true
      })
    ]
  ],
  [
    'images do not change and are scanned',
    [
      made('aws_ecr_repository', {
        image_tag_mutability: 'MUTABLE',
        encryption_configuration: [{ encryption_type: 'KMS' }]
      })
    ],
    [
      made('aws_ecr_repository', {
        image_tag_mutability: 'IMMUTABLE',
        image_scanning_configuration: [{ scan_on_push: true }],
        encryption_configuration: [{ encryption_type: 'KMS' }]
      })
    ]
  ],
  [
    'no secret has a value here',
    [made('aws_secretsmanager_secret_version', {})],
    [made('aws_db_instance', database)]
  ]
]

test.each(CASES)('%s', (policy, bad, good) => {
  const broken = (all: Made[]) => breaches(all, true).filter((breach) => breach.startsWith(policy))
  expect(broken(bad)).not.toEqual([])
  expect(broken(good)).toEqual([])
})

test('every policy has a case that breaks it', () => {
  expect([...new Set(CASES.map(([policy]) => policy))].sort()).toEqual(
    POLICIES.map(({ name }) => name).sort()
  )
})
