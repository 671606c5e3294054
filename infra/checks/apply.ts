import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { delimiter, join } from 'node:path'
import { breaches } from './policies.ts'
import { failed, type Outcome, passed, skipped } from './report.ts'
import { allMade, type Module } from './terraform.ts'
import { findMoto, findTool, run } from './tools.ts'
import { INFRA, type Workspace } from './workspace.ts'

const START_MS = 30_000

/** Applies bootstrap and the core of an environment to a local AWS, and plans them again: nothing may be left to do. */
export async function* applyCore(
  terraform: string,
  workspace: Workspace,
  withDatabase: boolean
): AsyncGenerator<Outcome> {
  const python = findMoto()
  if (!python) {
    yield skipped('terraform apply', 'no Python with moto: pip install "moto[server,all]" boto3')
    return
  }
  const port = await freePort()
  const aws = spawn(python, [join(INFRA, 'checks', 'local-aws.py'), String(port)], {
    stdio: 'ignore',
    // Roles are given policies of AWS' own.
    env: { ...process.env, MOTO_IAM_LOAD_MANAGED_POLICIES: 'true' }
  })
  try {
    const address = `http://127.0.0.1:${port}`
    if (!(await answers(aws, address))) {
      yield failed('terraform apply', 'the local AWS did not start')
      return
    }
    const env = {
      ...workspace.env,
      AWS_ENDPOINT_URL: address,
      AWS_ACCESS_KEY_ID: 'local',
      AWS_SECRET_ACCESS_KEY: 'local',
      AWS_REGION: 'us-east-1',
      // Version 1 of the CLI reads this one alone.
      AWS_DEFAULT_REGION: 'us-east-1',
      AWS_EC2_METADATA_DISABLED: 'true'
    }
    const bootstrap = join(workspace.folder, 'bootstrap')
    // The local AWS has no names of its own for buckets.
    const override = 'provider "aws" {\n  s3_use_path_style = true\n  max_retries       = 2\n}\n'
    writeFileSync(join(bootstrap, 'local_override.tf'), override)
    const variables = ['-var=region=us-east-1', '-var=github_repository=ada/pai']
    yield await applyTwice(terraform, bootstrap, env, 'bootstrap', variables)
    const core = join(workspace.folder, 'checks', 'core')
    yield await applyTwice(terraform, core, env, 'core', [`-var=database=${withDatabase}`])
    if (withDatabase) yield await putSecrets(core, env, address)
    else yield skipped('terraform apply of the database', 'slow: npm run check:infra -- --database')
  } finally {
    aws.kill()
  }
}

async function applyTwice(
  terraform: string,
  cwd: string,
  env: NodeJS.ProcessEnv,
  what: string,
  variables: string[]
): Promise<Outcome> {
  const name = `terraform apply ${what}`
  const tf = (...args: string[]) => run(terraform, args, { cwd, env })
  const init = await tf('init', '-backend=false', '-no-color')
  if (init.code !== 0) return failed(name, init.output)
  const started = Date.now()
  const apply = await tf('apply', '-auto-approve', '-no-color', '-parallelism=20', ...variables)
  if (apply.code !== 0) return failed(name, errorsOf(apply.output))
  const seconds = Math.round((Date.now() - started) / 1_000)
  const made = /Resources: (\d+) added/.exec(apply.output)?.[1]
  const { output: shown } = await tf('show', '-json')
  const { values } = JSON.parse(shown) as { values?: { root_module?: Module } }
  const broken = breaches(allMade(values?.root_module), false)
  if (broken.length > 0) return failed(`policies ${what}`, broken)
  const again = await tf('plan', '-detailed-exitcode', '-no-color', ...variables)
  if (again.code === 0)
    return passed(name, `${made} resources in ${seconds} s, by every policy, and nothing left to do`)
  const left = again.output.split('\n').filter((line) => /^ +# .* (will|must) be/.test(line))
  return failed(name, [
    `a second plan is not empty (${again.code})`,
    ...left,
    ...again.output.split('\n').filter((line) => /forces replacement|^ +[-+~] .* -> /.test(line)),
    ...(again.code === 1 ? [errorsOf(again.output)] : [])
  ])
}

/** The secrets' values go past Terraform, so its state holds none of them. */
async function putSecrets(core: string, aws: NodeJS.ProcessEnv, address: string): Promise<Outcome> {
  const name = 'scripts/put-secrets.mjs'
  const installed = findTool('aws')
  if (!installed) return skipped(name, 'the AWS CLI is not on the PATH')
  const cli = join(core, 'cli')
  const env = { ...aws, PATH: `${cli}${delimiter}${process.env.PATH}` }
  // Version 1 asks RDS in us-east-1 at an address of its own, unless an argument says otherwise.
  mkdirSync(cli)
  const asked = `#!/bin/sh\nexec '${installed}' --endpoint-url '${address}' "$@"\n`
  writeFileSync(join(cli, 'aws'), asked, { mode: 0o755 })
  const script = join(INFRA, 'scripts', 'put-secrets.mjs')
  const key = 'sk-made-up-for-this-check'
  const put = (...args: string[]) =>
    run(process.execPath, [script, 'pai-core', ...args], { env: { ...env, OPENAI_API_KEY: key } })
  const first = await put()
  const again = await put('--new', 'logins')
  if (first.code !== 0 || again.code !== 0) return failed(name, first.output + again.output)
  const secrets = (...args: string[]) =>
    run(join(cli, 'aws'), ['secretsmanager', ...args, '--output', 'text'], { env })
  const secretNamed = async (id: string) => {
    const { output } = await secrets('get-secret-value', '--secret-id', id, '--query', 'SecretString')
    return output.trim()
  }
  const url = URL.parse(await secretNamed('pai-core/database-url'))
  if (url?.username !== 'pai_service' || url.password.length < 40)
    return failed(name, 'database-url is not an address with a password')
  const state = readFileSync(join(core, 'terraform.tfstate'), 'utf8')
  const printed = first.output + again.output
  for (const secret of [url.password, key]) {
    if (state.includes(secret)) return failed(name, 'a secret is in the state')
    if (printed.includes(secret)) return failed(name, 'a secret was printed')
  }
  if (!/jwt-secret: first value/.test(first.output) || !/jwt-secret: kept/.test(again.output))
    return failed(name, printed)
  // As in a second region, where copies of the first one's secrets are.
  const signing = 'the-signing-secret-of-another-environment'
  await secrets('create-secret', '--name', 'pai-other/jwt-secret', '--secret-string', signing)
  const taken = await put('--new', 'jwt', '--from', 'pai-other')
  if (taken.code !== 0 || (await secretNamed('pai-core/jwt-secret')) !== signing)
    return failed(name, [taken.output, 'another environment’s signing secret was not taken'])
  return passed(
    name,
    'values are put in once, anew when asked, or another environment’s, and stand in no state'
  )
}

const errorsOf = (output: string) => output.slice(Math.max(0, output.indexOf('Error:'))).slice(0, 6_000)

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}

async function answers(process_: ChildProcess, address: string): Promise<boolean> {
  const until = Date.now() + START_MS
  while (Date.now() < until && process_.exitCode === null) {
    const answered = await fetch(`${address}/moto-api/`).then(
      () => true,
      () => false
    )
    if (answered) return true
    await new Promise((resolve) => setTimeout(resolve, 200))
  }
  return false
}
