import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { ConfigSchema, loadConfig } from '../src/config.ts'
import { ConfigInvalid } from '../src/config-invalid.ts'
import fc from './support/properties.ts'

const SECRET = 'a secret that is long enough to sign with'
const REMOTE = { HOST: '0.0.0.0', PAI_JWT_SECRET: SECRET }
const URL_OF_SERVER = 'postgres://pai:pw@db.example.org/pai'
const NAMES = Object.keys(ConfigSchema.properties)

/** A data folder of the test's own. */
function dataFolder(): string {
  const path = mkdtempSync(join(tmpdir(), 'pai-config-'))
  onTestFinished(() => rmSync(path, { recursive: true, force: true }))
  return path
}

/** Why the settings are refused; '' when they are not. */
function refusal(env: NodeJS.ProcessEnv): string {
  try {
    loadConfig({ PAI_JWT_SECRET: SECRET, ...env })
    return ''
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigInvalid)
    return (error as Error).message
  }
}

test('with nothing set, PAI serves this machine from .pai with the embedded database', () => {
  const folder = dataFolder()
  const { PAI_DATA_DIR, PAI_JWT_SECRET, ...rest } = loadConfig({ PAI_DATA_DIR: folder })
  expect(PAI_DATA_DIR).toBe(folder)
  expect(PAI_JWT_SECRET.length).toBeGreaterThanOrEqual(32)
  expect(rest).toEqual({
    PORT: 3000,
    HOST: '127.0.0.1',
    PAI_ROLE: 'all',
    PAI_EMBEDDING_DIMENSIONS: 512,
    PAI_FIRST_TOKEN_SECONDS: 60,
    PAI_BETWEEN_TOKENS_SECONDS: 60,
    OTEL_TRACES_SAMPLER_ARG: '1',
    OTEL_SERVICE_NAME: 'pai',
    PAI_TRUST_TRACEPARENT: 'off',
    PAI_RATE_LIMIT: 600,
    PAI_REGISTRATION: 'open',
    LOG_LEVEL: 'info',
    loopback: true
  })
  expect(loadConfig({ PAI_JWT_SECRET: SECRET }).PAI_DATA_DIR).toBe(join(process.cwd(), '.pai'))
})

test('a terminal gets warnings only, unless a level is asked for', () => {
  expect(loadConfig({ PAI_JWT_SECRET: SECRET }, true).LOG_LEVEL).toBe('warn')
  expect(loadConfig({ PAI_JWT_SECRET: SECRET, LOG_LEVEL: 'trace' }, true).LOG_LEVEL).toBe('trace')
})

test('every setting is read from the environment, and nothing else is', () => {
  const folder = dataFolder()
  const env = {
    PORT: '0',
    HOST: '::1',
    PAI_DATA_DIR: folder,
    PAI_ROLE: 'worker',
    DATABASE_URL: URL_OF_SERVER,
    PAI_MIGRATION_DATABASE_URL: 'postgresql:///pai?host=/var/run/postgresql',
    OPENAI_API_KEY: '12345',
    OPENAI_BASE_URL: 'http://127.0.0.1:11434/v1',
    PAI_CHAT_MODEL: 'offline',
    PAI_EMBEDDING_MODEL: '3',
    PAI_EMBEDDING_DIMENSIONS: '4000',
    PAI_FALLBACK_MODELS: 'lab:qwen3, offline',
    PAI_MODELS: 'fast=openai:gpt-5-nano',
    PAI_PROVIDERS:
      '{"lab":{"baseUrl":"http://10.0.0.5:8000/v1","apiKey":"key","images":true,"contextTokens":8192}}',
    PAI_CONTEXT_TOKENS: '32768',
    PAI_FIRST_TOKEN_SECONDS: '5',
    PAI_BETWEEN_TOKENS_SECONDS: '6',
    AWS_REGION: 'us-gov-west-1',
    PAI_BEDROCK_ENDPOINT: 'https://vpce-1.example.org',
    PAI_PRICES: 'prices.json',
    PAI_MONTHLY_BUDGET: '12.50',
    PAI_JWT_SECRET: '1'.repeat(32),
    PAI_RATE_LIMIT: '100',
    PAI_TRUST_PROXY: '10.0.0.0/8, ::1,uniquelocal',
    PAI_REGISTRATION: 'closed',
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:4318',
    OTEL_TRACES_SAMPLER_ARG: '0.05',
    OTEL_SERVICE_NAME: 'pai-worker',
    OTEL_SERVICE_NAMESPACE: 'pai-prod',
    PAI_TRUST_TRACEPARENT: 'on',
    PAI_EMF_NAMESPACE: 'PAI',
    LOG_LEVEL: 'silent'
  }
  expect(Object.keys(env).sort()).toEqual(NAMES.toSorted())
  expect(loadConfig({ ...env, PATH: '/bin', PAI_UNKNOWN: 'x' })).toEqual({
    ...env,
    PORT: 0,
    PAI_EMBEDDING_DIMENSIONS: 4000,
    PAI_CONTEXT_TOKENS: 32_768,
    PAI_FIRST_TOKEN_SECONDS: 5,
    PAI_BETWEEN_TOKENS_SECONDS: 6,
    PAI_RATE_LIMIT: 100,
    fallbackModels: ['lab:qwen3', 'offline'],
    models: ['fast=openai:gpt-5-nano'],
    providers: {
      lab: { baseUrl: 'http://10.0.0.5:8000/v1', apiKey: 'key', images: true, contextTokens: 8_192 }
    },
    trustedProxies: ['10.0.0.0/8', '::1', 'uniquelocal'],
    loopback: false
  })
})

test('an empty variable is one that is not set', () => {
  const empty = Object.fromEntries(NAMES.map((name) => [name, '']))
  const config = loadConfig({ ...empty, PAI_DATA_DIR: dataFolder() })
  expect(config.PORT).toBe(3000)
  expect(config.OPENAI_API_KEY).toBeUndefined()
})

test('what was loaded cannot be changed', () => {
  const config = loadConfig({ PAI_JWT_SECRET: SECRET }) as { PORT: number }
  expect(() => {
    config.PORT = 1
  }).toThrow(TypeError)
})

// Of each setting, texts that must be refused, whatever they hold.
const letters = fc.stringMatching(/^[g-z]{12,20}$/)
const WRONG: Record<string, fc.Arbitrary<string>> = {
  PORT: fc.oneof(
    letters,
    fc.integer({ min: 65_536 }).map(String),
    fc.constantFrom('-1', '80.5', '8e1', 'true', '0x50', ' 80')
  ),
  PAI_ROLE: letters,
  DATABASE_URL: fc.oneof(
    letters,
    letters.map((text) => `postgres://pai:${text}@[host/pai`),
    badPort('postgres')
  ),
  PAI_MIGRATION_DATABASE_URL: fc.oneof(letters, badPort('postgresql')),
  OPENAI_BASE_URL: fc.oneof(
    letters,
    letters.map((text) => `ftp://${text}/v1`),
    badPort('https')
  ),
  PAI_EMBEDDING_DIMENSIONS: fc.oneof(
    letters,
    fc.integer({ min: 4001 }).map(String),
    fc.constantFrom('63', '512.5')
  ),
  PAI_PROVIDERS: fc.oneof(
    letters,
    letters.map((text) => `{"lab":{"baseUrl":"ftp://${text}/v1"}}`),
    letters.map((text) => `{"lab":{"baseUrl":"http://127.0.0.1:99999/v1","apiKey":"${text}"}}`),
    letters.map((text) => `{"openai":{"baseUrl":"http://${text}/v1"}}`),
    letters.map((text) => `{"lab":{"baseUrl":"http://127.0.0.1/v1","key":"${text}"}}`),
    fc.constantFrom('[]', 'null', '{"Lab":{"baseUrl":"http://127.0.0.1/v1"}}')
  ),
  PAI_CONTEXT_TOKENS: fc.oneof(letters, fc.constantFrom('0', '1023', '8192.5', '8k')),
  PAI_FIRST_TOKEN_SECONDS: fc.oneof(letters, fc.constantFrom('0', '3601', '1.5')),
  PAI_BETWEEN_TOKENS_SECONDS: fc.oneof(letters, fc.constantFrom('0', '3601', '1.5')),
  AWS_REGION: fc.oneof(letters, fc.constantFrom('eu', 'eu-north', 'EU-NORTH-1')),
  PAI_BEDROCK_ENDPOINT: fc.oneof(letters, badPort('https')),
  PAI_MONTHLY_BUDGET: fc.oneof(letters, fc.constantFrom('-1', '1.234', '10 USD')),
  PAI_JWT_SECRET: fc.string({ minLength: 1, maxLength: 31 }),
  PAI_RATE_LIMIT: fc.oneof(letters, fc.constantFrom('0', '-5', '1.5', 'true', 'null')),
  PAI_TRUST_PROXY: fc.oneof(
    letters,
    fc.constantFrom('1', '10.0.0.0/0', '10.0.0.0/33', '::1/129', 'fe80::1%eth0', '::1,')
  ),
  PAI_REGISTRATION: letters,
  OTEL_EXPORTER_OTLP_ENDPOINT: fc.oneof(letters, badPort('http')),
  OTEL_TRACES_SAMPLER_ARG: fc.oneof(letters, fc.constantFrom('-1', '1.5', '2', '5%')),
  OTEL_SERVICE_NAME: letters.map((text) => text.repeat(10)),
  OTEL_SERVICE_NAMESPACE: letters.map((text) => text.repeat(10)),
  PAI_TRUST_TRACEPARENT: letters,
  PAI_EMF_NAMESPACE: letters.map((text) => `${text} and more`),
  LOG_LEVEL: letters
}

/** An address that is right but for its port: seen only by whoever takes it apart. */
function badPort(scheme: string): fc.Arbitrary<string> {
  return letters.map((text) => `${scheme}://pai:${text}@db.example.org:99999/pai`)
}

test('every bad setting is named, all of them at once, and no value is shown', () => {
  const bad = fc.record(WRONG, { requiredKeys: [] }).filter((env) => Object.keys(env).length > 0)
  fc.assert(
    fc.property(bad, (env) => {
      const message = refusal(env)
      const named = message.split('\n').map((line) => line.split(' ', 1)[0])
      expect(named.toSorted()).toEqual(Object.keys(env).toSorted())
      for (const [name, value] of Object.entries(env)) {
        if (value && value.length >= 12) expect(message, name).not.toContain(value)
      }
      // The words of an explanation, whatever the value was.
      expect(message.split('\n').every((line) => /^\w+ is not valid: expected /.test(line))).toBe(true)
    })
  )
})

test('any text a setting may hold is kept as it is, or refused in our own words', () => {
  fc.assert(
    fc.property(fc.constantFrom(...NAMES), fc.string({ unit: 'binary', minLength: 1 }), (name, value) => {
      const message = refusal({ [name]: value, PAI_DATA_DIR: 'somewhere' })
      if (message)
        expect(message).toMatch(
          new RegExp(`^(?:${name} is not valid: expected|PAI_ROLE api or worker needs)`)
        )
    })
  )
})

test('models of Bedrock need a region', () => {
  for (const name of ['PAI_CHAT_MODEL', 'PAI_EMBEDDING_MODEL', 'PAI_FALLBACK_MODELS', 'PAI_MODELS']) {
    const env = { [name]: 'bedrock:amazon.nova-lite-v1:0' }
    expect(refusal(env)).toBe('AWS_REGION is required where a model is named bedrock:…')
    expect(refusal({ ...env, AWS_REGION: 'eu-north-1' })).toBe('')
  }
})

test('an address of a database may leave its host to the socket', () => {
  for (const url of ['postgres:///pai', 'postgres://pai:pw@/pai?host=/var/run/postgresql', URL_OF_SERVER]) {
    expect(refusal({ DATABASE_URL: url })).toBe('')
  }
})

test('only an address of this machine is loopback', () => {
  for (const HOST of ['localhost', '127.0.0.1', '127.1.2.3', '::1']) {
    expect(loadConfig({ ...REMOTE, HOST }), HOST).toMatchObject({ loopback: true, PAI_REGISTRATION: 'open' })
  }
  for (const HOST of [
    '0.0.0.0',
    '::',
    '192.168.1.2',
    '127.0.0.1.example.org',
    '127.evil',
    'pai.example.org'
  ]) {
    expect(loadConfig({ ...REMOTE, HOST }), HOST).toMatchObject({
      loopback: false,
      PAI_REGISTRATION: 'invite'
    })
  }
})

test('what others can reach keeps its rate limit', () => {
  expect(refusal({ ...REMOTE, PAI_RATE_LIMIT: 'off' })).toMatch(/^PAI_RATE_LIMIT may be off only/)
  expect(refusal({ PAI_RATE_LIMIT: 'off' })).toBe('')
})

test('a server that others can reach is told its secret, since its nodes must share one', () => {
  const env = { HOST: '0.0.0.0', DATABASE_URL: URL_OF_SERVER, PAI_DATA_DIR: dataFolder() }
  expect(refusal({ ...env, PAI_JWT_SECRET: '' })).toMatch(/^PAI_JWT_SECRET is required/)
  expect(readdirSync(env.PAI_DATA_DIR)).toEqual([])
  expect(refusal(env)).toBe('')
})

test('the embedded database serves one process, so the roles cannot be split on it', () => {
  for (const PAI_ROLE of ['api', 'worker']) {
    expect(refusal({ PAI_ROLE })).toMatch(/^PAI_ROLE api or worker needs DATABASE_URL/)
    expect(refusal({ PAI_ROLE, DATABASE_URL: URL_OF_SERVER })).toBe('')
  }
})

test('the secret is made once, kept, and readable by its user alone', () => {
  const folder = join(dataFolder(), 'new')
  const { PAI_JWT_SECRET } = loadConfig({ PAI_DATA_DIR: folder })
  expect(loadConfig({ PAI_DATA_DIR: folder }).PAI_JWT_SECRET).toBe(PAI_JWT_SECRET)
  expect(readdirSync(folder)).toEqual(['jwt-secret'])
  expect(readFileSync(join(folder, 'jwt-secret'), 'utf8')).toBe(PAI_JWT_SECRET)
  // Windows has no such modes.
  if (process.platform === 'win32') return
  expect(statSync(join(folder, 'jwt-secret')).mode & 0o777).toBe(0o600)
  expect(statSync(folder).mode & 0o777).toBe(0o700)
})

test('each data folder has a secret of its own', () => {
  const [one, other] = [dataFolder(), dataFolder()].map((path) => loadConfig({ PAI_DATA_DIR: path }))
  expect(one?.PAI_JWT_SECRET).not.toBe(other?.PAI_JWT_SECRET)
})

test('a secret that is set is not written anywhere', () => {
  const folder = dataFolder()
  expect(loadConfig({ PAI_DATA_DIR: folder, PAI_JWT_SECRET: SECRET }).PAI_JWT_SECRET).toBe(SECRET)
  expect(readdirSync(folder)).toEqual([])
})

test('a kept secret that was emptied or cut short signs nothing', () => {
  const folder = dataFolder()
  for (const left of ['', 'short']) {
    writeFileSync(join(folder, 'jwt-secret'), left)
    expect(refusal({ PAI_DATA_DIR: folder, PAI_JWT_SECRET: '' })).toMatch(
      /^The signing secret in .* is damaged/
    )
  }
})

test('processes that start at the same moment agree on one secret', async () => {
  const folder = dataFolder()
  const program = `
    const { loadConfig } = await import(${JSON.stringify(join(import.meta.dirname, '..', 'src', 'config.ts'))})
    process.once('message', (folder) => process.send(loadConfig({ PAI_DATA_DIR: folder }).PAI_JWT_SECRET))
    process.send('ready')`
  const children = Array.from({ length: 4 }, () =>
    spawn(process.execPath, ['--input-type=module', '-e', program], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc']
    })
  )
  onTestFinished(() => children.forEach((child) => void child.kill()))
  await Promise.all(children.map((child) => once(child, 'message')))
  const answers = children.map((child) => once(child, 'message'))
  for (const child of children) child.send(folder)
  const secrets = (await Promise.all(answers)).map(([secret]) => secret)
  expect(secrets).toEqual(Array(4).fill(readFileSync(join(folder, 'jwt-secret'), 'utf8')))
  expect(readdirSync(folder)).toEqual(['jwt-secret'])
})

test('behind a proxy on this machine, others can reach PAI', () => {
  const behindProxy = { PAI_TRUST_PROXY: 'loopback' }
  const { loopback, PAI_REGISTRATION } = loadConfig({ PAI_JWT_SECRET: SECRET, ...behindProxy })
  expect({ loopback, PAI_REGISTRATION }).toEqual({ loopback: false, PAI_REGISTRATION: 'invite' })
  expect(refusal({ ...behindProxy, PAI_RATE_LIMIT: 'off' })).toMatch(/^PAI_RATE_LIMIT/)
})
