import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DatabaseKind } from '../support/database.ts'
import { findPostgres, type PostgresServer, startPostgres } from '../support/postgres-server.ts'
import { type ScriptedOpenAiOptions, startScriptedOpenAi } from '../support/scripted-openai.ts'
import { type Api, connect } from './clients.ts'
import { type Launch, type PaiProcess, type Settings, startPai } from './pai-process.ts'

/** A database, a scripted model, and as many nodes of PAI as a program starts on them: each a process of its own. */
export interface Rig {
  kind: DatabaseKind
  /** Thrown away at the end. */
  folder: string
  /** null where the database is embedded. */
  postgres: PostgresServer | null
  model: Awaited<ReturnType<typeof startScriptedOpenAi>>
  /** What every node is started with. */
  settings: Settings
  /** One more node; on the embedded database there can be one at a time. */
  startNode(settings?: Settings, how?: Launch): Promise<PaiProcess>
  /** The same house once more, with a database of its own. */
  sibling(): Promise<Rig>
  /** An account, through a node that is up; answers its access token. */
  register(node: PaiProcess, email?: string): Promise<string>
  /** A key of that account's, which outlives its access token. */
  keyFor(node: PaiProcess, accessToken: string): Promise<string>
  /** The same, and how to call that node as the account. */
  join(node: PaiProcess, email?: string): Promise<Api & { accessToken: string }>
  /** Whole numbers below `limit`, the same in every run with the same seed. */
  random(limit: number): number
  seed: number
  whenOver(tidyUp: () => unknown): void
  close(): Promise<void>
}

export interface RigOptions {
  kind: DatabaseKind
  seed?: number
  reply?: ScriptedOpenAiOptions['reply'] | undefined
}

/** What a model that finds nothing to remember answers to whatever is not a chat. */
export const NOTHING = '{"facts":[]}'

/** A reply in a few pieces, some milliseconds apart, so that a fault finds turns under way. */
export const TAKES_TIME = (pauseMs = 20) => {
  const later = (ms: number, words: string) =>
    new Promise<string>((resolve) => setTimeout(resolve, ms, words))
  const [one, two, three] = [pauseMs, 2 * pauseMs, 3 * pauseMs] as const
  return { deltas: ['Let me', later(one, ' think'), later(two, ' about'), later(three, ' that.')] }
}

export async function openRig({ kind, seed = Date.now() % 1_000_000, reply }: RigOptions): Promise<Rig> {
  const folder = mkdtempSync(join(tmpdir(), 'pai-faults-'))
  const tidyUps: (() => unknown)[] = []
  const whenOver = (tidyUp: () => unknown) => void tidyUps.push(tidyUp)
  whenOver(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }))
  const model = await startScriptedOpenAi({
    reply: reply ?? (({ body }) => (body.stream ? TAKES_TIME() : NOTHING))
  })
  whenOver(() => model.close())
  const postgres = kind === 'postgres' ? await openServer(join(folder, 'postgres')) : null
  if (postgres) whenOver(() => postgres.stop())
  const settings: Settings = {
    PAI_DATA_DIR: join(folder, 'data'),
    PAI_JWT_SECRET: 'a secret that all nodes of the rig share',
    OPENAI_BASE_URL: model.baseUrl,
    PAI_CHAT_MODEL: 'scripted',
    PAI_EMBEDDING_MODEL: 'offline',
    ...(postgres && { DATABASE_URL: postgres.url })
  }
  let state = seed
  let accounts = 0
  const rig: Rig = {
    kind,
    folder,
    postgres,
    model,
    settings,
    seed,
    whenOver,
    random(limit) {
      state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32
      return Math.floor((state / 2 ** 32) * limit)
    },
    startNode: (more = {}, how) => startPai({ ...settings, ...more }, whenOver, how),
    async sibling() {
      const another = await openRig({ kind, seed: rig.random(1_000_000), reply })
      whenOver(() => another.close())
      return another
    },
    async register(node, email = `owner-${++accounts}@example.org`) {
      const response = await fetch(`${node.url}/v1/auth/register`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ email, password: 'bees in Tromsø' })
      })
      if (response.status !== 201) throw new Error(`Registering answered ${await response.text()}`)
      return ((await response.json()) as { accessToken: string }).accessToken
    },
    async keyFor(node, accessToken) {
      const response = await fetch(`${node.url}/v1/api-keys`, {
        method: 'POST',
        headers: { authorization: `Bearer ${accessToken}`, 'content-type': 'application/json' },
        body: JSON.stringify({ name: 'A long program', scopes: ['chat', 'memory:read', 'memory:write'] })
      })
      if (response.status !== 201) throw new Error(`A key was refused: ${await response.text()}`)
      return ((await response.json()) as { key: string }).key
    },
    async join(node, email) {
      const accessToken = await rig.register(node, email)
      return { ...connect(node.url, accessToken), accessToken }
    },
    async close() {
      // Last made, first undone: processes before what they stand on.
      for (const tidyUp of tidyUps.toReversed()) await tidyUp()
    }
  }
  return rig
}

/** A server that keeps what it commits, for this program alone: it will be ill-treated. */
async function openServer(folder: string): Promise<PostgresServer> {
  const found = findPostgres()
  if ('missing' in found) throw new Error(`This needs a PostgreSQL server: ${found.missing}`)
  return startPostgres(found.bin, folder, true)
}
