import { describe, expect, onTestFailed, onTestFinished, test } from 'vitest'
import {
  createDataFolder,
  createServerDatabase,
  type DatabaseKind,
  hasDatabase
} from '../support/database.ts'
import { eventually } from '../support/eventually.ts'
import { startScriptedOpenAi } from '../support/scripted-openai.ts'
import { type Api, type Attempt, connect, talkUntilCut } from './clients.ts'
import { saidIn, unfinishedTurns } from './conversations.ts'
import { type PaiProcess, type Settings, startPai } from './pai-process.ts'

const ROUNDS = 12
/** A busy machine plays fewer rounds, never none. */
const ROUNDS_MS = 20_000
const CLIENTS = 4
/** A kill comes when up to so many messages of its round are acknowledged, and at any moment of the time after. */
const MAX_ACKNOWLEDGED = 8
const KILL_WITHIN_MS = 150
/** A lease, and the time until somebody looks. */
const LEASE_MS = 45_000

for (const kind of ['embedded', 'postgres'] as const) {
  describe.skipIf(!hasDatabase(kind))(`kill -9 (${kind})`, () => {
    test('at any moment, over and over, loses nothing that was acknowledged and does nothing twice', async () => {
      const random = seededRandom()
      const { settings } = await setUp(kind, takeTime)
      let pai = await startPai(settings, onTestFinished)
      const accessToken = await register(pai.url)
      const everything: Attempt[] = []
      const started = performance.now()

      for (let round = 0; round < ROUNDS && performance.now() - started < ROUNDS_MS; round++) {
        const attempts = await talkAndKill(pai, connect(pai.url, accessToken), `Round ${round}`, random)
        pai = await startPai(settings, onTestFinished)
        const api = connect(pai.url, accessToken)
        // Here nobody else can be running a turn, so none is left by the time the service answers.
        if (kind === 'embedded') expect(await unfinishedTurns(api)).toEqual([])

        everything.push(...attempts)
        const kept = await saidIn(api)
        expect(kept).toEqual([...new Set(kept)])
        const acknowledged = everything.filter(({ turnId }) => turnId)
        expect(kept).toEqual(expect.arrayContaining(acknowledged.map(({ text }) => text)))

        // Everybody sends again what they sent, whether they know that it arrived or not.
        await Promise.all(attempts.map((attempt) => sendAgain(api, attempt)))
        expect((await saidIn(api)).toSorted()).toEqual(everything.map(({ text }) => text).toSorted())
      }

      const api = connect(pai.url, accessToken)
      await eventually(async () => expect(await unfinishedTurns(api)).toEqual([]), LEASE_MS)
      const ends = await Promise.all(
        everything.map(async ({ turnId }) => (await api.get(`/turns/${turnId}`)).status)
      )
      // Otherwise no kill has met a turn under way, and this test has shown nothing.
      expect(new Set(ends)).toEqual(new Set(['completed', 'interrupted']))
    }, 180_000)
  })
}

test('a signal to stop lets turns end and their callers have the answer, and leaves the data folder free', async () => {
  const { promise, resolve } = Promise.withResolvers<string>()
  const { settings, server } = await setUp('embedded', () => ['Hello', promise])
  const pai = await startPai(settings, onTestFinished)
  const api = connect(pai.url, await register(pai.url))
  const answer = api.send({ key: 'first', text: 'Hi', conversationId: undefined, streams: false })
  await server.waitForRequests(1)
  const stopped = pai.stop()
  resolve(' Ada')
  expect(await stopped).toBe(0)
  expect(await answer).toMatchObject({ status: 'completed', message: { content: 'Hello Ada' } })
  expect((await fetch(`${(await startPai(settings, onTestFinished)).url}/readyz`)).status).toBe(200)
}, 60_000)

/** A reply that takes its time, so that a kill finds turns under way. */
function takeTime(): (string | Promise<string>)[] {
  const later = (ms: number, words: string) =>
    new Promise<string>((resolve) => setTimeout(resolve, ms, words))
  return ['Let me', later(40, ' think'), later(80, ' about'), later(120, ' that.')]
}

/** A database of the test's own, and a model that says these words. */
async function setUp(kind: DatabaseKind, words: () => (string | Promise<string>)[]) {
  const folder = createDataFolder()
  onTestFinished(() => folder.remove())
  const server = await startScriptedOpenAi({
    reply: ({ body }) => (body.stream ? { deltas: words() } : '{"facts":[]}')
  })
  onTestFinished(() => server.close())
  const settings: Settings = {
    PAI_DATA_DIR: folder.path,
    OPENAI_BASE_URL: server.baseUrl,
    PAI_CHAT_MODEL: 'scripted',
    PAI_EMBEDDING_MODEL: 'offline'
  }
  if (kind === 'embedded') return { settings, server }
  const database = await createServerDatabase()
  onTestFinished(() => database.drop())
  return { settings: { ...settings, DATABASE_URL: database.url }, server }
}

async function register(url: string): Promise<string> {
  const response = await fetch(`${url}/v1/auth/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email: 'ada@example.org', password: 'bees in Tromsø' })
  })
  expect(response.status).toBe(201)
  return ((await response.json()) as { accessToken: string }).accessToken
}

/** Several people talk at once until the service is killed under them. */
async function talkAndKill(
  pai: PaiProcess,
  api: Api,
  name: string,
  random: () => number
): Promise<Attempt[]> {
  const enough = Promise.withResolvers<void>()
  let awaited = Math.floor(random() * (MAX_ACKNOWLEDGED + 1))
  const count = () => {
    if (awaited-- <= 0) enough.resolve()
  }
  count()
  const talks = Promise.all(
    Array.from({ length: CLIENTS }, (_, client) => talkUntilCut(api, `${name}, client ${client},`, count))
  )
  await Promise.race([enough.promise, talks])
  await new Promise((resolve) => setTimeout(resolve, random() * KILL_WITHIN_MS))
  await pai.kill()
  return (await talks).flat()
}

/** Sends a message once more with its key: what was acknowledged before is what is acknowledged now. */
async function sendAgain(api: Api, attempt: Attempt): Promise<void> {
  const { turnId } = await api.send({ ...attempt, streams: true })
  attempt.turnId ??= turnId
  expect([attempt.text, turnId]).toEqual([attempt.text, attempt.turnId])
}

/** The same moments again where PAI_TEST_SEED is set, as far as moments can be the same. */
function seededRandom(): () => number {
  const seed = Number(process.env.PAI_TEST_SEED || Date.now() % 1_000_000)
  onTestFailed(() => console.error(`PAI_TEST_SEED=${seed}`))
  let state = seed
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32
    return state / 2 ** 32
  }
}
