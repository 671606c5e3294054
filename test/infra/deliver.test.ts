import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'

const ROOT = join(import.meta.dirname, '..', '..')
const REPOSITORY = '111122223333.dkr.ecr.eu-north-1.amazonaws.com/pai'

type Answers = Record<string, object>

/** What AWS answers when all goes well. */
const WELL: Answers = {
  'ssm get-parameter': { Parameter: { Value: 'subnet-1,subnet-2' } },
  'ecr describe-images': { imageDetails: [{ imageDigest: 'sha256:new' }] },
  'ecs describe-task-definition': {
    taskDefinition: {
      family: 'pai-prod-api',
      revision: 3,
      status: 'ACTIVE',
      cpu: '1024',
      containerDefinitions: [
        { name: 'pai', image: 'old', user: '65532:65532' },
        { name: 'collector', image: 'collector:1' }
      ]
    }
  },
  'ecs register-task-definition': { taskDefinition: { taskDefinitionArn: 'task-definition/pai-prod-api:4' } },
  'ecs run-task': { tasks: [{ taskArn: 'task/1' }] },
  'ecs describe-tasks': { tasks: [{ lastStatus: 'STOPPED', containers: [{ name: 'pai', exitCode: 0 }] }] },
  'ecs update-service': {},
  'ecs list-service-deployments': {
    serviceDeployments: [{ serviceDeploymentArn: 'deployment/1', createdAt: '2' }]
  },
  'ecs describe-service-deployments': { serviceDeployments: [{ status: 'SUCCESSFUL' }] }
}

/** Runs a step beside an `aws` that answers as told, and answers what it was asked. */
function deliver(step: string[], answers: Answers = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'pai-deliver-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  const asked = join(folder, 'asked')
  writeFileSync(asked, '')
  const aws = `#!${process.execPath}
const { appendFileSync } = require('node:fs')
const [service, command, ...rest] = process.argv.slice(2)
const input = JSON.parse(rest[rest.indexOf('--cli-input-json') + 1])
appendFileSync(${JSON.stringify(asked)}, JSON.stringify({ call: service + ' ' + command, input }) + '\\n')
console.log(JSON.stringify(${JSON.stringify({ ...WELL, ...answers })}[service + ' ' + command]))
`
  writeFileSync(join(folder, 'aws'), aws, { mode: 0o755 })
  const { status, stdout, stderr } = spawnSync(process.execPath, ['infra/scripts/deliver.mjs', ...step], {
    cwd: ROOT,
    encoding: 'utf8',
    env: { PATH: `${folder}${delimiter}${process.env.PATH}`, NAME: 'pai-prod', COMMIT: 'abc', REPOSITORY }
  })
  const calls = readFileSync(asked, 'utf8').trim().split('\n').filter(Boolean)
  return { status, stdout, stderr, calls: calls.map((line) => JSON.parse(line)) }
}

// Windows runs no script as a program.
const onUnix = test.skipIf(process.platform === 'win32')

onUnix('a migration runs the new image by its digest, with everything else as it was', () => {
  const { status, calls } = deliver(['task', 'migrate'])
  expect(status).toBe(0)
  const { input } = calls.find(({ call }) => call === 'ecs register-task-definition')
  expect(input).toEqual({
    family: 'pai-prod-api',
    cpu: '1024',
    containerDefinitions: [
      { name: 'pai', image: `${REPOSITORY}@sha256:new`, user: '65532:65532' },
      { name: 'collector', image: 'collector:1' }
    ]
  })
})

onUnix('a migration that failed fails the delivery, and says where its log is', () => {
  const { status, stderr } = deliver(['task', 'migrate'], {
    'ecs describe-tasks': { tasks: [{ lastStatus: 'STOPPED', containers: [{ name: 'pai', exitCode: 1 }] }] }
  })
  expect(status).toBe(1)
  expect(stderr).toContain('/pai/pai-prod/tasks')
})

onUnix('the worker is delivered before the API', () => {
  const { status, calls } = deliver(['services'])
  expect(status).toBe(0)
  const updated = calls.filter(({ call }) => call === 'ecs update-service').map(({ input }) => input.service)
  expect(updated).toEqual(['pai-prod-worker', 'pai-prod-api'])
})

onUnix('a deployment that alarms took back fails the delivery, and nothing after it is touched', () => {
  const { status, stderr, calls } = deliver(['services'], {
    'ecs describe-service-deployments': { serviceDeployments: [{ status: 'ROLLBACK_SUCCESSFUL' }] }
  })
  expect(status).toBe(1)
  expect(stderr).toContain('ROLLBACK_SUCCESSFUL')
  expect(calls.filter(({ call }) => call === 'ecs update-service')).toHaveLength(1)
})

onUnix.each([
  ['none was restored', []],
  ['one failed', [{ Status: 'FAILED', StatusMessage: 'no subnet', plan: 'pai_prod-1' }]],
  ['another environment’s was restored', [{ Status: 'COMPLETED', plan: 'pai_staging-1' }]]
])('the look at the nightly restore fails when %s', (_, jobs) => {
  const RestoreJobs = jobs.map(({ plan, ...job }) => ({ ...job, CreatedBy: { RestoreTestingPlanArn: plan } }))
  expect(deliver(['restored'], { 'backup list-restore-jobs': { RestoreJobs } }).status).toBe(1)
})

onUnix('a rollback with nothing under way says what to do instead', () => {
  const { status, stderr } = deliver(['rollback'], {
    'ecs list-service-deployments': { serviceDeployments: [] }
  })
  expect(status).toBe(1)
  expect(stderr).toContain('deliver an older commit')
})
