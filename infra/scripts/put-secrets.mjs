// Gives an environment's secrets their values, past Terraform: node infra/scripts/put-secrets.mjs pai-prod [--new jwt] [--new logins]
//
// What has a value keeps it, unless --new asks for another. The key of OpenAI is read from the variable OPENAI_API_KEY. Nothing
// secret is printed, or stands in another process's arguments. Needs the AWS CLI, signed in, and AWS_REGION.
import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { parseArgs } from 'node:util'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { new: { type: 'string', multiple: true, default: [] } }
})
const [name] = positionals
const unknown = values.new.filter((what) => !['jwt', 'logins'].includes(what))
if (!/^[a-z]+-[a-z0-9]+$/.test(name ?? '') || unknown.length > 0) {
  console.error(
    'Usage: node infra/scripts/put-secrets.mjs <project>-<environment> [--new jwt] [--new logins]'
  )
  process.exit(2)
}

const password = () => randomBytes(36).toString('base64url')

put('jwt-secret', values.new.includes('jwt'), () => randomBytes(48).toString('base64url'))
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

function put(secret, again, make) {
  const id = `${name}/${secret}`
  const { VersionIdsToStages } = aws('secretsmanager', 'describe-secret', { SecretId: id })
  const has = Object.values(VersionIdsToStages ?? {}).some((stages) => stages.includes('AWSCURRENT'))
  if (has && !again) return console.log(`${id}: kept`)
  aws('secretsmanager', 'put-secret-value', { SecretId: id, SecretString: make() })
  console.log(`${id}: ${has ? 'new value' : 'first value'}`)
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

/** The input goes through a pipe: arguments can be read by everybody on the machine. */
function aws(service, command, input) {
  const { status, stdout, stderr, error } = spawnSync(
    'aws',
    [service, command, '--output', 'json', '--cli-input-json', 'file:///dev/stdin'],
    { input: JSON.stringify(input), encoding: 'utf8' }
  )
  if (error || status !== 0) {
    console.error(error ? `aws cannot be run: ${error.code}` : stderr.trim())
    process.exit(1)
  }
  return stdout.trim() ? JSON.parse(stdout) : {}
}
