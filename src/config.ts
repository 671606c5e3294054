import { randomBytes } from 'node:crypto'
import { existsSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { join, resolve } from 'node:path'
import { type Static, type TSchema, Type } from 'typebox'
import Value from 'typebox/value'
import { ConfigInvalid } from './config-invalid.ts'
import { DEFAULT_DATA_DIR } from './data-dir.ts'

const Text = Type.String({ minLength: 1 })
const Secret = Type.String({ minLength: 32 })

/** Every setting of PAI. README's table holds the same names; a test keeps the two equal. */
export const ConfigSchema = Type.Object({
  PORT: Type.Integer({ minimum: 0, maximum: 65_535, default: 3000 }),
  HOST: Type.String({ minLength: 1, default: '127.0.0.1' }),
  PAI_DATA_DIR: Type.String({ minLength: 1, default: DEFAULT_DATA_DIR }),
  PAI_ROLE: Type.Enum(['all', 'api', 'worker'], { default: 'all' }),
  /** Absent: the embedded database. */
  DATABASE_URL: Type.Optional(Type.String({ pattern: '^postgres(ql)?://' })),
  /** Who migrates; absent: DATABASE_URL. */
  PAI_MIGRATION_DATABASE_URL: Type.Optional(Type.String({ pattern: '^postgres(ql)?://' })),
  /** Absent: a local Ollama if one is found, else offline. */
  OPENAI_API_KEY: Type.Optional(Text),
  OPENAI_BASE_URL: Type.Optional(Type.String({ pattern: '^https?://' })),
  PAI_CHAT_MODEL: Type.Optional(Text),
  PAI_EMBEDDING_MODEL: Type.Optional(Text),
  /** Who answers when the chat model cannot, in this order. */
  PAI_FALLBACK_MODELS: Type.Optional(Text),
  /** What else may be chosen by name. */
  PAI_MODELS: Type.Optional(Text),
  /** Further servers that speak OpenAI's API, by name. */
  PAI_PROVIDERS: Type.Optional(Text),
  /** How many tokens models at compatible servers read and write together; absent: the servers are asked. */
  PAI_CONTEXT_TOKENS: Type.Optional(Type.Integer({ minimum: 1024, maximum: 100_000_000 })),
  PAI_FIRST_TOKEN_SECONDS: Type.Integer({ minimum: 1, maximum: 3600, default: 60 }),
  PAI_BETWEEN_TOKENS_SECONDS: Type.Integer({ minimum: 1, maximum: 3600, default: 60 }),
  /** What models cost, before the price list: JSON, or the path of a file that holds it. */
  PAI_PRICES: Type.Optional(Text),
  /** What models may cost each owner in a month, in US dollars; absent: no limit. */
  PAI_MONTHLY_BUDGET: Type.Optional(Type.String({ pattern: '^[0-9]{1,6}([.][0-9]{1,2})?$' })),
  /** Where Bedrock is, for models named bedrock:… */
  AWS_REGION: Type.Optional(Type.String({ pattern: '^[a-z]{2}(-[a-z]+)+-[0-9]+$' })),
  PAI_BEDROCK_ENDPOINT: Type.Optional(Type.String({ pattern: '^https?://' })),
  /** pgvector's halfvec indexes at most 4,000 dimensions. */
  PAI_EMBEDDING_DIMENSIONS: Type.Integer({ minimum: 64, maximum: 4000, default: 512 }),
  PAI_JWT_SECRET: Type.Optional(Secret),
  /** Requests a minute for one owner, or one address when nobody is signed in. */
  PAI_RATE_LIMIT: Type.Union([Type.Literal('off'), Type.Integer({ minimum: 1 })], { default: 600 }),
  /** Proxies in front of the service, by address, network or the name of a range; absent: none is trusted. */
  PAI_TRUST_PROXY: Type.Optional(Text),
  /** Absent: open on loopback, by invitation elsewhere. */
  PAI_REGISTRATION: Type.Optional(Type.Enum(['open', 'invite', 'closed'])),
  /** Where traces are sent, as OTLP over HTTP; absent: nowhere. */
  OTEL_EXPORTER_OTLP_ENDPOINT: Type.Optional(Type.String({ pattern: '^https?://' })),
  /** Of the traces that begin here, how many are taken. */
  OTEL_TRACES_SAMPLER_ARG: Type.String({ pattern: '^(?:0|1|0?[.][0-9]{1,6}|1[.]0{1,6})$', default: '1' }),
  OTEL_SERVICE_NAME: Type.String({ minLength: 1, maxLength: 100, default: 'pai' }),
  OTEL_SERVICE_NAMESPACE: Type.Optional(Type.String({ minLength: 1, maxLength: 100 })),
  /** Whether a request may say which trace it belongs to. */
  PAI_TRUST_TRACEPARENT: Type.Enum(['off', 'on'], { default: 'off' }),
  /** Where CloudWatch puts the figures that are told in the log; absent: none are told. */
  PAI_EMF_NAMESPACE: Type.Optional(Type.String({ pattern: '^[\\w.#/-]{1,200}$' })),
  /** Absent: info, or warn at a terminal, where a person reads. */
  LOG_LEVEL: Type.Optional(Type.Enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']))
})

type Settings = Static<typeof ConfigSchema>

/** Names stand before the colon of a model's id; those that are taken mean something else there. */
const Providers = Type.Record(
  Type.String({ pattern: '^(?!(?:openai|bedrock|offline)$)[a-z][a-z0-9-]{0,31}$' }),
  Type.Object(
    {
      baseUrl: Type.String({ pattern: '^https?://' }),
      apiKey: Type.Optional(Text),
      images: Type.Optional(Type.Boolean()),
      contextTokens: Type.Optional(Type.Integer({ minimum: 1024, maximum: 100_000_000 }))
    },
    { additionalProperties: false }
  ),
  { additionalProperties: false }
)
type Providers = Static<typeof Providers>

export type Config = Readonly<
  Settings & {
    LOG_LEVEL: string
    PAI_JWT_SECRET: string
    PAI_REGISTRATION: 'open' | 'invite' | 'closed'
    /** True when only this machine can reach the service. */
    loopback: boolean
    fallbackModels?: string[]
    models?: string[]
    providers?: Providers
    /** What PAI_TRUST_PROXY lists. */
    trustedProxies?: string[]
  }
>

/** Reads the environment once, at start-up; makes and keeps the signing secret in the data folder when none is set. */
export function loadConfig(env: NodeJS.ProcessEnv, atTerminal = false): Config {
  // An empty variable is what `NAME=` in a compose file means by "not set".
  const given = Object.entries(ConfigSchema.properties).flatMap(([name, schema]) => {
    const text = env[name]
    return text ? [[name, toValue(schema, text)] as const] : []
  })
  const wrong = given.filter(([name, value]) => !isValid(name, value))
  if (wrong.length > 0) {
    throw new ConfigInvalid(
      wrong.map(([name]) => `${name} is not valid: ${EXPECTED[name] ?? 'see README'}`).join('\n')
    )
  }
  const candidate = Value.Default(ConfigSchema, Object.fromEntries(given)) as Settings
  // A proxy on this machine may let in whoever reaches it.
  const loopback = isLoopback(candidate.HOST) && !candidate.PAI_TRUST_PROXY
  const dataDir = resolve(candidate.PAI_DATA_DIR)
  if (candidate.PAI_RATE_LIMIT === 'off' && !loopback) {
    throw new ConfigInvalid(
      'PAI_RATE_LIMIT may be off only where HOST is a loopback address and PAI_TRUST_PROXY is not set'
    )
  }
  if (candidate.PAI_ROLE !== 'all' && !candidate.DATABASE_URL) {
    throw new ConfigInvalid(
      'PAI_ROLE api or worker needs DATABASE_URL: the embedded database serves one process'
    )
  }
  if (!candidate.PAI_JWT_SECRET && candidate.DATABASE_URL && !loopback) {
    throw new ConfigInvalid(
      'PAI_JWT_SECRET is required where DATABASE_URL is set and others can reach PAI: HOST is no loopback address, or PAI_TRUST_PROXY is set'
    )
  }
  const lists = [candidate.PAI_CHAT_MODEL, candidate.PAI_EMBEDDING_MODEL, candidate.PAI_FALLBACK_MODELS]
  if (
    [...lists, candidate.PAI_MODELS].some((names) => names?.includes('bedrock:')) &&
    !candidate.AWS_REGION
  ) {
    throw new ConfigInvalid('AWS_REGION is required where a model is named bedrock:…')
  }
  return Object.freeze({
    ...candidate,
    LOG_LEVEL: candidate.LOG_LEVEL ?? (atTerminal ? 'warn' : 'info'),
    PAI_DATA_DIR: dataDir,
    PAI_JWT_SECRET: candidate.PAI_JWT_SECRET ?? keptSecret(dataDir),
    PAI_REGISTRATION: candidate.PAI_REGISTRATION ?? (loopback ? 'open' : 'invite'),
    loopback,
    ...(candidate.PAI_FALLBACK_MODELS && { fallbackModels: listOf(candidate.PAI_FALLBACK_MODELS) }),
    ...(candidate.PAI_MODELS && { models: listOf(candidate.PAI_MODELS) }),
    ...(candidate.PAI_PROVIDERS && { providers: JSON.parse(candidate.PAI_PROVIDERS) as Providers }),
    ...(candidate.PAI_TRUST_PROXY ? { trustedProxies: listOf(candidate.PAI_TRUST_PROXY) } : {})
  })
}

const EXPECTED: Record<string, string> = {
  PORT: 'expected a port number, 0 to 65535',
  PAI_ROLE: 'expected all, api or worker',
  DATABASE_URL: 'expected a postgres:// address',
  PAI_MIGRATION_DATABASE_URL: 'expected a postgres:// address',
  OPENAI_BASE_URL: 'expected an http:// or https:// address',
  PAI_EMBEDDING_DIMENSIONS: 'expected a whole number, 64 to 4000',
  PAI_PROVIDERS:
    'expected JSON such as {"lab": {"baseUrl": "http://127.0.0.1:8000/v1"}}, with apiKey, images and contextTokens where needed; no name may be openai, bedrock or offline',
  PAI_CONTEXT_TOKENS: 'expected a whole number of tokens, 1024 or more',
  PAI_FIRST_TOKEN_SECONDS: 'expected a whole number of seconds, 1 to 3600',
  PAI_BETWEEN_TOKENS_SECONDS: 'expected a whole number of seconds, 1 to 3600',
  PAI_MONTHLY_BUDGET: 'expected US dollars, as 20 or 12.50',
  AWS_REGION: 'expected the name of a region, such as eu-north-1',
  PAI_BEDROCK_ENDPOINT: 'expected an http:// or https:// address',
  PAI_JWT_SECRET: 'expected at least 32 characters',
  PAI_RATE_LIMIT: 'expected a whole number of requests a minute, or off',
  PAI_TRUST_PROXY:
    'expected addresses or networks, such as 10.0.0.0/8, or loopback, linklocal or uniquelocal, with commas between',
  PAI_REGISTRATION: 'expected open, invite or closed',
  OTEL_EXPORTER_OTLP_ENDPOINT: 'expected an http:// or https:// address',
  OTEL_TRACES_SAMPLER_ARG: 'expected a share from 0 to 1, such as 0.05',
  OTEL_SERVICE_NAME: 'expected at most 100 characters',
  OTEL_SERVICE_NAMESPACE: 'expected at most 100 characters',
  PAI_TRUST_TRACEPARENT: 'expected off or on',
  PAI_EMF_NAMESPACE: 'expected letters, digits and . - _ / #',
  LOG_LEVEL: 'expected fatal, error, warn, info, debug, trace or silent'
}

/** A number is its digits: a looser reading would take 3000.5 for 3000 and true for 1. */
function toValue(schema: TSchema, text: string): unknown {
  return !Value.Check(schema, text) && /^\d+$/.test(text) ? Number(text) : text
}

const ADDRESSES = new Set([
  'DATABASE_URL',
  'PAI_MIGRATION_DATABASE_URL',
  'OPENAI_BASE_URL',
  'PAI_BEDROCK_ENDPOINT',
  'OTEL_EXPORTER_OTLP_ENDPOINT'
])

function isValid(name: string, value: unknown): boolean {
  if (!Value.Check(ConfigSchema.properties[name as keyof Settings], value)) return false
  if (name === 'PAI_PROVIDERS') return areProviders(String(value))
  if (name === 'PAI_TRUST_PROXY') return listOf(String(value)).every(isNetwork)
  // Found wrong later, an address would be shown whole in the error, password included. pg takes one without a host.
  return !ADDRESSES.has(name) || URL.canParse(String(value).replace('@/', '@localhost/'))
}

function areProviders(json: string): boolean {
  try {
    const value: unknown = JSON.parse(json)
    return Value.Check(Providers, value) && Object.values(value).every(({ baseUrl }) => URL.canParse(baseUrl))
  } catch {
    return false
  }
}

function listOf(text: string): string[] {
  return text.split(',').map((part) => part.trim())
}

/** A number of hops is no such thing: whoever reaches PAI past the proxies could claim as many. */
function isNetwork(text: string): boolean {
  if (/^(loopback|linklocal|uniquelocal)$/.test(text)) return true
  const [address = '', bits, ...rest] = text.split('/')
  const longest = { 0: 0, 4: 32, 6: 128 }[isIP(address)] ?? 0
  if (longest === 0 || rest.length > 0 || address.includes('%')) return false
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) >= 1 && Number(bits) <= longest)
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
}

/** The secret that signs access tokens: made once, readable by this user alone. */
function keptSecret(dataDir: string): string {
  const path = join(dataDir, 'jwt-secret')
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  if (existsSync(path)) return readSecret(path)
  // Two containers on one volume may have the same process id.
  const draft = `${path}.${randomBytes(8).toString('hex')}`
  writeFileSync(draft, randomBytes(48).toString('base64url'), { mode: 0o600 })
  try {
    // A link appears whole or not at all, so two first starts agree on one secret.
    linkSync(draft, path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    rmSync(draft)
  }
  return readSecret(path)
}

/** A file that was emptied or cut short must not sign tokens: anyone could make them. */
function readSecret(path: string): string {
  const secret = readFileSync(path, 'utf8')
  if (Value.Check(Secret, secret)) return secret
  throw new ConfigInvalid(
    `The signing secret in ${path} is damaged: remove the file, or set PAI_JWT_SECRET; everybody signs in again`
  )
}
