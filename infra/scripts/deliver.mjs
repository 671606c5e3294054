// A delivery's steps, for the workflows and for an operator's hand:
//   NAME=pai-prod COMMIT=<sha> REPOSITORY=<registry>/pai node infra/scripts/deliver.mjs task migrate | task logins | services | web
//   NAME=pai-prod node infra/scripts/deliver.mjs rollback | restored | experiment <name>
// Needs the AWS CLI, signed in, and AWS_REGION. Where things are stands in SSM parameters that Terraform wrote.
import { spawnSync } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'

const { NAME = '', COMMIT = '', REPOSITORY = '' } = process.env
const POLL_MS = 10_000
const TASK_MINUTES = 30
const DEPLOYMENT_MINUTES = 90
const EXPERIMENT_MINUTES = 25
const DAY_MS = 86_400_000

class Refusal extends Error {}

const steps = { task: runTask, services: deliverServices, web: deliverWeb, rollback, restored, experiment }

try {
  const [step = '', ...args] = process.argv.slice(2)
  if (!Object.hasOwn(steps, step)) throw new Refusal(`Which step? One of ${Object.keys(steps).join(', ')}`)
  if (!/^[a-z]+-[a-z0-9]+$/.test(NAME))
    throw new Refusal('NAME is missing: a project and an environment, such as pai-prod')
  await steps[step](...args)
} catch (error) {
  if (!(error instanceof Refusal)) throw error
  console.error(error.message)
  process.exit(1)
}

/** Runs the new image once, with another command, and waits for how it ends. */
async function runTask(family) {
  const cluster = parameter('cluster')
  const taskDefinition = register(family)
  const { tasks, failures } = aws('ecs', 'run-task', {
    cluster,
    taskDefinition,
    launchType: 'FARGATE',
    count: 1,
    networkConfiguration: {
      awsvpcConfiguration: {
        subnets: parameter('subnets').split(','),
        securityGroups: [parameter('security-group')],
        assignPublicIp: parameter('public-ip')
      }
    }
  })
  if (!tasks?.[0]) throw new Refusal(`${family} could not be started: ${failures?.[0]?.reason}`)
  const { taskArn } = tasks[0]
  const ended = await until(TASK_MINUTES, `${family} to end`, () => {
    const task = aws('ecs', 'describe-tasks', { cluster, tasks: [taskArn] }).tasks[0]
    return task.lastStatus === 'STOPPED' ? task : null
  })
  const { exitCode } = ended.containers.find(({ name }) => name === 'pai')
  if (exitCode !== 0) {
    throw new Refusal(`${family} failed (${exitCode ?? ended.stoppedReason}): see the log /pai/${NAME}/tasks`)
  }
  console.log(`${family}: done`)
}

/** The worker first: it reads what the old API writes, for both know the same schema. */
async function deliverServices() {
  const cluster = parameter('cluster')
  for (const part of ['worker', 'api']) {
    const service = `${NAME}-${part}`
    const since = new Date()
    aws('ecs', 'update-service', { cluster, service, taskDefinition: register(part) })
    const arn = await until(5, `${service} to begin`, () => newestDeployment(cluster, service, since))
    const status = await until(DEPLOYMENT_MINUTES, `${service} to settle`, () => {
      const found = aws('ecs', 'describe-service-deployments', { serviceDeploymentArns: [arn] })
        .serviceDeployments[0]
      return /SUCCESSFUL|STOPPED|FAILED/.test(found.status) ? found.status : null
    })
    if (status !== 'SUCCESSFUL') throw new Refusal(`${service}: ${status}. The version before it serves`)
    console.log(`${service}: delivered`)
  }
}

/** Files with a fingerprint in their name are kept by browsers; what names them is asked for each time. */
async function deliverWeb() {
  const bucket = `s3://${parameter('web-bucket')}`
  const built = 'clients/web/dist'
  const kept = 'public, max-age=31536000, immutable'
  cli('s3', 'sync', `${built}/assets`, `${bucket}/assets`, '--cache-control', kept, '--only-show-errors')
  const asked = [
    '--exclude',
    'assets/*',
    '--exclude',
    '.*',
    '--cache-control',
    'no-cache',
    '--only-show-errors'
  ]
  cli('s3', 'sync', built, bucket, ...asked)
  aws('cloudfront', 'create-invalidation', {
    DistributionId: parameter('distribution'),
    InvalidationBatch: { Paths: { Quantity: 1, Items: ['/*'] }, CallerReference: `${COMMIT}-${Date.now()}` }
  })
  console.log('The web app: delivered')
}

async function rollback() {
  const cluster = parameter('cluster')
  let stopped = 0
  for (const part of ['api', 'worker']) {
    const under = aws('ecs', 'list-service-deployments', {
      cluster,
      service: `${NAME}-${part}`,
      status: ['PENDING', 'IN_PROGRESS']
    }).serviceDeployments
    for (const { serviceDeploymentArn } of under) {
      aws('ecs', 'stop-service-deployment', { serviceDeploymentArn, stopType: 'ROLLBACK' })
      stopped++
    }
  }
  if (stopped === 0) throw new Refusal('No deployment is under way: deliver an older commit instead')
  console.log(`${stopped} being taken back`)
}

/** Whether a backup was restored within the last two days, and none failed to be. */
async function restored() {
  const { RestoreJobs } = aws('backup', 'list-restore-jobs', {
    ByCreatedAfter: new Date(Date.now() - 2 * DAY_MS).toISOString()
  })
  const tests = RestoreJobs.filter(({ CreatedBy }) =>
    CreatedBy?.RestoreTestingPlanArn?.includes(NAME.replaceAll('-', '_'))
  )
  const bad = tests.filter(({ Status }) => ['FAILED', 'ABORTED'].includes(Status))
  if (bad.length > 0) throw new Refusal(`${bad.length} restores failed: ${bad[0].StatusMessage}`)
  const good = tests.filter(({ Status }) => Status === 'COMPLETED')
  if (good.length === 0) throw new Refusal('No backup was restored within two days')
  console.log(`${good.length} restored`)
}

async function experiment(which) {
  const template = JSON.parse(parameter('experiments'))[which]
  if (!template) throw new Refusal(`${NAME} has no experiment named ${which}`)
  const { id } = aws('fis', 'start-experiment', {
    clientToken: `${which}-${Date.now()}`,
    experimentTemplateId: template,
    tags: { Environment: NAME }
  }).experiment
  const state = await until(EXPERIMENT_MINUTES, `${which} to end`, () => {
    const found = aws('fis', 'get-experiment', { id }).experiment.state
    return ['completed', 'stopped', 'failed', 'cancelled'].includes(found.status) ? found : null
  })
  if (state.status !== 'completed') throw new Refusal(`${which}: ${state.status}, ${state.reason}`)
  console.log(`${which}: PAI went on`)
}

/** The running task definition with the commit's image, by its digest: a tag could be read differently later. */
function register(part) {
  const family = `${NAME}-${part}`
  const { taskDefinition } = aws('ecs', 'describe-task-definition', { taskDefinition: family })
  const { imageDetails } = aws('ecr', 'describe-images', {
    repositoryName: REPOSITORY.slice(REPOSITORY.indexOf('/') + 1),
    imageIds: [{ imageTag: COMMIT }]
  })
  const image = `${REPOSITORY}@${imageDetails[0].imageDigest}`
  const kept = [
    'family',
    'taskRoleArn',
    'executionRoleArn',
    'networkMode',
    'volumes',
    'placementConstraints',
    'requiresCompatibilities',
    'cpu',
    'memory',
    'runtimePlatform'
  ]
  const containerDefinitions = taskDefinition.containerDefinitions.map((container) =>
    container.name === 'pai' ? { ...container, image } : container
  )
  const next = Object.fromEntries(
    kept.filter((key) => key in taskDefinition).map((key) => [key, taskDefinition[key]])
  )
  return aws('ecs', 'register-task-definition', { ...next, containerDefinitions }).taskDefinition
    .taskDefinitionArn
}

function newestDeployment(cluster, service, since) {
  const { serviceDeployments } = aws('ecs', 'list-service-deployments', {
    cluster,
    service,
    createdAt: { after: new Date(since.getTime() - 60_000).toISOString() }
  })
  return (
    serviceDeployments.sort((a, b) => (a.createdAt < b.createdAt ? 1 : -1))[0]?.serviceDeploymentArn ?? null
  )
}

function parameter(name) {
  const path = `/${NAME.replace('-', '/')}/${name}`
  return aws('ssm', 'get-parameter', { Name: path }).Parameter.Value
}

async function until(minutes, what, look) {
  const end = Date.now() + minutes * 60_000
  for (;;) {
    const found = look()
    if (found) return found
    if (Date.now() > end) throw new Refusal(`Waited ${minutes} minutes for ${what}`)
    await sleep(POLL_MS)
  }
}

function aws(service, command, input) {
  const out = cli(service, command, '--output', 'json', '--cli-input-json', JSON.stringify(input))
  return out.trim() ? JSON.parse(out) : {}
}

function cli(...args) {
  const { status, stdout, stderr, error } = spawnSync('aws', args, { encoding: 'utf8' })
  if (error) throw new Refusal(`aws cannot be run: ${error.code}`)
  if (status !== 0) throw new Refusal(stderr.trim())
  return stdout
}
