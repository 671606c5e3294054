// Gives an environment's secrets their values, past Terraform:
//   node infra/scripts/put-secrets.mjs pai-prod [--new jwt] [--new logins] [--from pai-other]
//
// What has a value keeps it, unless --new asks for another. The key of OpenAI is read from the variable OPENAI_API_KEY. With --from,
// the signing secret and that key are another environment's, whose copies are in this region. Nothing secret is printed, or stands
// in another process's arguments. Needs the AWS CLI, signed in, and AWS_REGION.
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { new: { type: 'string', multiple: true, default: [] }, from: { type: 'string' } }
})
const [name] = positionals
const NAME = /^[a-z]+-[a-z0-9]+$/
const unknown = values.new.filter((what) => !['jwt', 'logins'].includes(what))
if (!NAME.test(name ?? '') || !NAME.test(values.from ?? name) || unknown.length > 0) {
  console.error(
    'Usage: node infra/scripts/put-secrets.mjs <project>-<environment> [--new jwt] [--new logins] [--from <other>]'
  )
  process.exit(2)
}

const password = () => randomBytes(36).toString('base64url')

put('jwt-secret', values.new.includes('jwt'), () =>
  values.from ? read(`${values.from}/jwt-secret`) : randomBytes(48).toString('base64url')
)
const host = databaseHost()
for (const [secret, user] of [
  ['database-url', 'pai_service'],
  ['migration-database-url', 'pai_migrator']
]) {
  put(
    secret,
    values.new.includes('logins'),
    () => `postgresql://${user}:${password()}@${host}:5432/pai?sslmode=verify-full`
  )
}
if (process.env.OPENAI_API_KEY) put('openai-api-key', true, () => process.env.OPENAI_API_KEY)
else if (values.from && exists('openai-api-key'))
  put('openai-api-key', false, () => read(`${values.from}/openai-api-key`))

function put(secret, again, make) {
  const id = `${name}/${secret}`
  const { VersionIdsToStages } = aws('secretsmanager', 'describe-secret', { SecretId: id })
  const has = Object.values(VersionIdsToStages ?? {}).some((stages) => stages.includes('AWSCURRENT'))
  if (has && !again) return console.log(`${id}: kept`)
  aws('secretsmanager', 'put-secret-value', { SecretId: id, SecretString: make() })
  console.log(`${id}: ${has ? 'new value' : 'first value'}`)
}

function read(id) {
  return aws('secretsmanager', 'get-secret-value', { SecretId: id }).SecretString
}

/** Where Bedrock answers, there is no key to keep. */
function exists(secret) {
  const { SecretList } = aws('secretsmanager', 'list-secrets', {
    Filters: [{ Key: 'name', Values: [`${name}/${secret}`] }]
  })
  return SecretList.some(({ Name }) => Name === `${name}/${secret}`)
}

function databaseHost() {
  const instance = aws('rds', 'describe-db-instances', {}).DBInstances.find(
    ({ DBInstanceIdentifier }) => DBInstanceIdentifier === name
  )
  if (instance) return instance.Endpoint.Address
  const cluster = aws('rds', 'describe-db-clusters', {}).DBClusters.find(
    ({ DBClusterIdentifier }) => DBClusterIdentifier === name
  )
  if (cluster) return cluster.Endpoint
  console.error(`There is no database named ${name} in this region: apply Terraform first`)
  process.exit(1)
}

/** The input goes through a file that its owner alone can read: arguments can be read by everybody on the machine. */
function aws(service, command, input) {
  const folder = mkdtempSync(join(tmpdir(), 'pai-'))
  const file = join(folder, 'input.json')
  try {
    writeFileSync(file, JSON.stringify(input), { mode: 0o600 })
    const args = [service, command, '--output', 'json', '--cli-input-json', `file://${file}`]
    const { status, stdout, stderr, error } = spawnSync('aws', args, { encoding: 'utf8' })
    if (!error && status === 0) return stdout.trim() ? JSON.parse(stdout) : {}
    console.error(error ? `aws cannot be run: ${error.code}` : stderr.trim())
  } finally {
    rmSync(folder, { recursive: true })
  }
  process.exit(1)
}
