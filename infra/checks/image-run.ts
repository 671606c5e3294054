import { randomBytes } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import pg from 'pg'
import { findPostgres, startPostgres } from '../../test/support/postgres-server.ts'
import { type ScriptedReply, startScriptedOpenAi } from '../../test/support/scripted-openai.ts'
import { failed, judged, type Outcome, skipped } from './report.ts'
import type { createSandbox, ImageConfig, Sandboxed } from './sandbox.ts'
import { INFRA } from './workspace.ts'

type Start = ReturnType<typeof createSandbox>

/** What ECS gives a task to stop (modules/service, stop_timeout_seconds). */
const STOP_MS = 45_000
const LOGINS = join(INFRA, 'modules', 'service', 'files', 'make-logins.mjs')
const LOOK_AROUND = `
const { readFileSync, writeFileSync } = require('node:fs')
const write = (path) => { try { writeFileSync(path, ''); return 'written' } catch (error) { return error.code } }
const status = readFileSync('/proc/self/status', 'utf8')
const field = (name) => status.match(new RegExp('^' + name + ':[ \\\\t]*(.*)$', 'm'))[1].trim().split('\\t')[0]
console.log(JSON.stringify({
  root: write('/written'), app: write('/app/written'), tmp: write('/tmp/written'),
  uid: field('Uid'), gid: field('Gid'), groups: field('Groups'), rights: field('CapEff'), gains: field('NoNewPrivs'),
  authorities: require('node:tls').getCACertificates('extra').length > 20
}))`
const EXPECTED = {
  root: 'EROFS',
  app: 'EROFS',
  tmp: 'written',
  uid: '65532',
  gid: '65532',
  groups: '',
  rights: '0000000000000000',
  gains: '1',
  authorities: true
}

/** Runs the image as a deployment does, each step with the image's own settings: logins, migration, API and worker, their end. */
export async function* runImage(start: Start, config: ImageConfig): AsyncGenerator<Outcome> {
  const look = start(['node', '--eval', LOOK_AROUND])
  await look.ended
  yield judged(
    'image can do little',
    differences(look.output(), EXPECTED),
    'read-only root, user 65532, no capability'
  )

  const alone = start(config.Cmd, { HOST: '127.0.0.1' })
  const code = await Promise.race([alone.ended, alone.says(/PAI is ready/)])
  alone.process.kill('SIGKILL')
  const refused = code === 1 && alone.output().startsWith('DATABASE_URL is required')
  yield judged('image asks for a database server', refused ? [] : [alone.output()], 'in a sentence')

  const postgres = findPostgres()
  if ('missing' in postgres) return yield skipped('image runs', postgres.missing)
  const folder = mkdtempSync(join(tmpdir(), 'pai-image-database-'))
  const running: Sandboxed[] = []
  const server = await startPostgres(postgres.bin, join(folder, 'server'))
  const model = await startScriptedOpenAi({ reply: replyTo })
  try {
    const { host, ...task } = await makeTask(server.url)
    const began = (command: string[], settings: Record<string, string>) => {
      const one = start(command, settings)
      running.push(one)
      return one
    }
    const logins = began(['node', '--input-type=module', '--eval', readFileSync(LOGINS, 'utf8')], {
      ...host,
      DATABASE_URL: task.DATABASE_URL,
      PAI_MIGRATION_DATABASE_URL: task.PAI_MIGRATION_DATABASE_URL
    })
    if ((await logins.ended) !== 0) return yield failed('image makes the logins', logins.output())
    const migrating = [1, 2].map(() => began([...config.Cmd, '--migrate'], { ...task, PAI_ROLE: 'worker' }))
    const codes = await Promise.all(migrating.map(({ ended }) => ended))
    const said = migrating.map((one) => one.output()).join('')
    yield judged(
      'image makes the logins and migrates',
      codes.every((code) => code === 0) ? [] : [said],
      'two at once'
    )

    const port = String(20_000 + Math.floor(Math.random() * 12_000))
    const settings = { ...task, PORT: port, OPENAI_BASE_URL: model.baseUrl, OPENAI_API_KEY: 'scripted' }
    const startedAt = performance.now()
    const api = began(config.Cmd, { ...settings, PAI_ROLE: 'api' })
    const worker = began(config.Cmd, { ...settings, PAI_ROLE: 'worker' })
    await Promise.all([api.says(/PAI is ready/), worker.says(/PAI is working on jobs/)])
    const seconds = ((performance.now() - startedAt) / 1_000).toFixed(1)
    const url = `http://127.0.0.1:${port}`
    const problems = await whatIsWrong(url, (role) =>
      began(config.Healthcheck.Test.slice(1), { PORT: port, PAI_ROLE: role })
    )
    yield judged('image serves', problems, `/readyz, health check and web app, ${seconds} s after its start`)
    const [, invitation = ''] = await api.says(/invitation: (\S+)/)
    // A process that is gone too early answers nothing.
    const ends = await stop(url, invitation, api, worker).catch((error) => [`${error}: ${error.cause}`])
    yield judged('image stops', ends, 'streams drained, exit 0')
  } finally {
    for (const { process } of running) process.kill('SIGKILL')
    await model.close()
    await server.stop()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** A database as RDS has it, and what the task definitions give a task. */
async function makeTask(url: string) {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query('CREATE DATABASE pai')
  await client.end()
  const login = (name: string) => {
    const address = new URL(url)
    address.pathname = 'pai'
    address.username = name
    address.password = randomBytes(16).toString('hex')
    return address.href
  }
  const { hostname, port, username, password } = new URL(url)
  return {
    host: {
      PGHOST: hostname,
      PGPORT: port,
      PGDATABASE: 'pai',
      PGUSER: username,
      PGPASSWORD: password,
      PGSSLMODE: 'disable'
    },
    DATABASE_URL: login('pai_service'),
    PAI_MIGRATION_DATABASE_URL: login('pai_migration'),
    PAI_JWT_SECRET: randomBytes(32).toString('hex')
  }
}

async function whatIsWrong(url: string, check: (role: string) => Sandboxed): Promise<string[]> {
  const ready = await fetch(`${url}/readyz`)
  const page = await fetch(url, { headers: { accept: 'text/html' } })
  const html = await page.text()
  const script = /src="(\/assets\/[^"]+\.js)"/.exec(html)?.[1]
  const problems = []
  if (ready.status !== 200) problems.push(`/readyz answers ${ready.status}`)
  if (page.status !== 200 || !script || (await fetch(url + script)).status !== 200)
    problems.push(`the web app is not there: ${page.status}`)
  for (const role of ['api', 'worker'])
    if ((await check(role).ended) !== 0) problems.push(`the health check of the ${role} fails`)
  return problems
}

let letGo = (_words: string): void => {}
/** One reply begins and waits to be let go; the other begins and never ends. */
function replyTo({ body }: { body: Record<string, unknown> }): string | ScriptedReply {
  const asked = JSON.stringify(body.messages)
  if (asked.includes('for ever')) return { deltas: ['I begin '], ending: 'hang' }
  if (!asked.includes('for a while')) return 'Well.'
  return { deltas: ['I begin ', new Promise<string>((resolve) => (letGo = resolve))] }
}

/** Tells both to stop while two replies are on their way, of which one then ends by itself. */
async function stop(url: string, invitation: string, api: Sandboxed, worker: Sandboxed): Promise<string[]> {
  const problems: string[] = []
  const account = { email: 'ada@example.org', password: randomBytes(12).toString('hex'), invitation }
  const registered = await post(`${url}/v1/auth/register`, account)
  const { accessToken } = (await registered.json()) as { accessToken: string }
  const [short, long] = await Promise.all(
    ['for a while', 'for ever'].map((how) => begin(url, accessToken, `Talk ${how}`))
  )
  if (!short || !long) return ['no reply began']

  const toldAt = performance.now()
  api.process.kill('SIGTERM')
  worker.process.kill('SIGTERM')
  const ready = await eventually(
    () => fetch(`${url}/readyz`),
    ({ status }) => status !== 200
  )
  const answer = (await ready.json()) as { code?: string }
  if (ready.status !== 503 || answer.code !== 'PAI_SERVICE_STOPPING')
    problems.push(`/readyz answers ${ready.status} ${answer.code} while it stops`)
  letGo('and end.')
  if (!/event: done\ndata: .*"completed"/.test(await short.rest()))
    problems.push(`a reply that ended in time was cut off: ${short.text().slice(-300)}`)
  if (!/event: done\ndata: .*"interrupted"/.test(await long.rest()))
    problems.push(`a reply that did not end was not said to be interrupted: ${long.text().slice(-300)}`)
  for (const [name, { ended, output }] of Object.entries({ api, worker })) {
    const code = await Promise.race([ended, wait(STOP_MS, 'too late', { ref: false })])
    if (code !== 0) problems.push(`the ${name} ends with ${code}: ${output().slice(-1_000)}`)
  }
  const took = performance.now() - toldAt
  if (took > STOP_MS) problems.push(`it took ${Math.round(took / 1_000)} s`)
  return problems
}

/** A streamed reply that has begun. */
async function begin(url: string, accessToken: string, message: string) {
  const headers = { authorization: `Bearer ${accessToken}`, accept: 'text/event-stream' }
  const response = await post(`${url}/v1/chat`, { message }, headers)
  if (!response.body) throw new Error(`${response.status}`)
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  async function readUntil(isEnough: () => boolean): Promise<string> {
    while (!isEnough()) {
      const { done, value } = await reader.read().catch((error) => ({ done: true, value: `\n[${error}]` }))
      text += value ?? ''
      if (done) break
    }
    return text
  }
  await readUntil(() => text.includes('I begin'))
  return { text: () => text, rest: () => readUntil(() => false) }
}

function post(url: string, body: object, headers: Record<string, string> = {}): Promise<Response> {
  return fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body)
  })
}

async function eventually<T>(look: () => Promise<T>, fits: (value: T) => boolean): Promise<T> {
  for (let tries = 0; ; tries++) {
    const value = await look()
    if (fits(value) || tries === 100) return value
    await wait(20)
  }
}

function differences(output: string, expected: Record<string, unknown>): string[] {
  try {
    const found = JSON.parse(output)
    return Object.entries(expected)
      .filter(([name, value]) => found[name] !== value)
      .map(([name, value]) => `${name}: expected ${value}, found ${found[name]}`)
  } catch {
    return [output]
  }
}
