import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { openEmbedded } from '../../src/db/embedded.ts'
import { createLlm } from '../../src/llm/create-llm.ts'
import type { Llm, StructuredModel, Usage } from '../../src/llm/model.ts'
import { type LocomoQuestion, type LocomoSample, readLocomo } from '../bench/locomo.ts'
import { buildTestApp, type TestApp } from '../support/app.ts'
import { startScriptedOpenAi } from '../support/scripted-openai.ts'
import { ADVERSARIAL, judge } from './judge.ts'
import { costOf, type Graded, openLedger, type Prices, summarise } from './ledger.ts'

const DEFAULT_FILE = '../shared/eval/locomo/dev.json'
const CATEGORIES: Record<number, string> = {
  1: 'multi-hop',
  2: 'temporal',
  3: 'open-domain',
  4: 'single-hop',
  [ADVERSARIAL]: 'adversarial'
}
/** Both systems are asked alike. */
const STYLE =
  'Answer in one short phrase, with dates in full. If it was never said, say that you do not know.'
const PASSWORD = 'a password of the evaluation'
const DAY_MS = 86_400_000

const USAGE = `npm run eval -- locomo [--file locomo.json] [--questions 50] [--dir .pai/eval-locomo]
  [--input-price 0.25 --cached-price 0.025 --output-price 2]   dollars for a million tokens
  [--no-extract]   messages alone, no memories made from them
  [--scripted]     a scripted server in place of a model: proves the plumbing, and scores mean nothing
The model is the one of OPENAI_API_KEY, OPENAI_BASE_URL, PAI_CHAT_MODEL and PAI_EMBEDDING_MODEL.`

/** LoCoMo's questions, answered end to end through PAI and by a model that reads the whole conversation, and graded. */
export async function evalLocomo(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    allowNegative: true,
    options: {
      file: { type: 'string', default: process.env.PAI_LOCOMO ?? DEFAULT_FILE },
      questions: { type: 'string', default: '50' },
      dir: { type: 'string', default: join('.pai', 'eval-locomo') },
      'input-price': { type: 'string' },
      'cached-price': { type: 'string' },
      'output-price': { type: 'string' },
      extract: { type: 'boolean', default: true },
      scripted: { type: 'boolean', default: false }
    }
  })
  const { OPENAI_API_KEY, OPENAI_BASE_URL } = process.env
  if (!values.scripted && !OPENAI_API_KEY && !OPENAI_BASE_URL) {
    console.error(`A model is needed.\n${USAGE}`)
    process.exitCode = 2
    return
  }
  const samples = readLocomo(values.file)
  const asked = pickQuestions(samples, Number(values.questions))
  mkdirSync(values.dir, { recursive: true })
  const ledger = openLedger(join(values.dir, 'answers.jsonl'))
  const scripted = values.scripted ? await startScriptedOpenAi() : null
  const llm = await createLlm({
    openAiBaseUrl: scripted?.baseUrl ?? OPENAI_BASE_URL,
    openAiApiKey: scripted ? undefined : OPENAI_API_KEY,
    chatModel: scripted ? 'scripted' : process.env.PAI_CHAT_MODEL,
    embeddingModel: scripted ? 'offline' : process.env.PAI_EMBEDDING_MODEL,
    embeddingDimensions: Number(process.env.PAI_EMBEDDING_DIMENSIONS ?? 512)
  } as Parameters<typeof createLlm>[0])
  if (!llm.structured) throw new Error('A model that answers is needed: PAI_CHAT_MODEL is offline')
  const learning: Usage = { inputTokens: 0, outputTokens: 0, cachedTokens: 0 }
  const clock = { now: new Date() }
  const database = await openEmbedded(join(values.dir, 'data'))
  const house = await buildTestApp(database, {
    llm: { ...llm, structured: counting(llm.structured, learning) },
    works: true,
    now: () => clock.now
  })
  try {
    for (const sample of samples) {
      const questions = asked.filter((question) => question.sample === sample)
      const open = (system: Graded['system']) => questions.filter(({ key }) => !ledger.has(key, system))
      if (open('PAI').length + open('full context').length === 0) continue
      clock.now = new Date((sample.sessions.at(-1)?.at.getTime() ?? 0) + DAY_MS)
      if (open('PAI').length > 0) await importOnce(house, sample, values.extract)
      for (const system of ['PAI', 'full context'] as const) {
        for (const { key, question } of open(system)) {
          const { text, usage } =
            system === 'PAI'
              ? await askPai(house, sample, question)
              : await askBaseline(llm, sample, question, clock.now)
          const grade = await judge(llm.structured, question, text, new AbortController().signal)
          const { correct, reason, inputTokens, outputTokens } = grade
          ledger.add({
            key,
            system,
            category: question.category,
            question: question.text,
            answer: text,
            correct,
            reason,
            usage,
            judging: { inputTokens, outputTokens }
          })
        }
      }
    }
    const keys = new Set(asked.map(({ key }) => key))
    report(
      ledger.entries.filter(({ key }) => keys.has(key)),
      learning,
      pricesOf(values),
      values.scripted
    )
  } finally {
    await house.close()
    await database.close()
    await scripted?.close()
  }
}

interface Asked {
  key: string
  sample: LocomoSample
  question: LocomoQuestion
}

/** So many questions, by turns from every conversation and category, and always the same ones. */
function pickQuestions(samples: LocomoSample[], count: number): Asked[] {
  const all = samples.flatMap((sample) =>
    sample.questions.map((question, index) => ({ key: `${sample.id}/${index}`, sample, question }))
  )
  const queues = [...Map.groupBy(all, ({ sample, question }) => `${question.category} ${sample.id}`).values()]
  const picked: Asked[] = []
  for (let round = 0; picked.length < Math.min(count, all.length); round++) {
    for (const queue of queues) {
      const next = queue[round]
      if (next && picked.length < count) picked.push(next)
    }
  }
  return picked
}

/** Brings every session in as a conversation, as an owner would, and waits until all of it is learnt. */
async function importOnce(house: TestApp, sample: LocomoSample, extract: boolean): Promise<void> {
  const { sessions, owner, id } = sample
  const authorization = await signIn(house, id)
  const { items } = await call(house, 'GET', '/conversations?limit=200', authorization)
  const there = new Set((items as { title: string }[]).map(({ title }) => title))
  for (const [index, { at, turns }] of sessions.entries()) {
    const title = `Session ${index + 1}`
    if (there.has(title)) continue
    const messages = turns.map(({ speaker, text }, turn) => ({
      role: speaker === owner ? 'user' : 'assistant',
      name: speaker,
      content: text,
      createdAt: new Date(at.getTime() + turn * 60_000).toISOString()
    }))
    await call(house, 'POST', '/conversations/import', authorization, { title, messages, extract })
  }
  for (;;) {
    const { rows } = await house.services.database.pool.query<{ open: number }>(
      `SELECT count(*)::int AS open FROM pgboss.job WHERE name IN ('memory.extract', 'memory.index')
          AND state < 'completed'`
    )
    if (rows[0]?.open === 0) return
    await wait(200)
  }
}

/** A conversation of its own that leaves nothing behind: what was asked before must not help. */
async function askPai(
  house: TestApp,
  { id }: LocomoSample,
  { text }: LocomoQuestion
): Promise<{ text: string; usage: Usage }> {
  const authorization = await signIn(house, id)
  const body = { message: `${text}\n${STYLE}`, temporary: true }
  const turn = await call(house, 'POST', '/chat', authorization, body)
  if (turn.status !== 'completed') throw new Error(`The turn ended ${turn.status}: ${turn.error?.code}`)
  return { text: turn.message.content, usage: turn.usage }
}

async function askBaseline(
  { chat }: Llm,
  { sessions }: LocomoSample,
  question: LocomoQuestion,
  now: Date
): Promise<{ text: string; usage: Usage }> {
  const talk = sessions.map(({ at, turns }) => {
    const lines = turns.map(({ speaker, text }) => `${speaker}: ${text}`)
    return `Conversation on ${at.toUTCString().slice(0, 16)}:\n${lines.join('\n')}`
  })
  const system = `You answer questions about these conversations.\n\n${talk.join('\n\n')}\n\nToday is ${now.toUTCString().slice(0, 16)}.`
  const messages = [{ role: 'user' as const, content: `${question.text}\n${STYLE}` }]
  let text = ''
  let usage: Usage = { inputTokens: 0, outputTokens: 0, cachedTokens: 0 }
  for await (const event of chat.stream({ system, messages, sources: [] }, new AbortController().signal)) {
    if (event.type === 'text-delta') text += event.text
    if (event.type === 'finish') usage = event.usage
  }
  return { text, usage }
}

/** The owner of a conversation, who is there from an earlier run or comes now. */
async function signIn({ app }: TestApp, sampleId: string): Promise<string> {
  const email = `${sampleId}@example.com`
  const login = { method: 'POST' as const, url: '/v1/auth/login', payload: { email, password: PASSWORD } }
  const known = await app.inject(login)
  if (known.statusCode === 200) return `Bearer ${known.json().accessToken}`
  const payload = { email, password: PASSWORD, name: sampleId }
  const created = await app.inject({ method: 'POST', url: '/v1/auth/register', payload })
  if (created.statusCode !== 201) throw new Error(`Registering answered ${created.statusCode}`)
  return `Bearer ${created.json().accessToken}`
}

async function call(
  { app }: TestApp,
  method: 'GET' | 'POST',
  path: string,
  authorization: string,
  body?: object
) {
  const response = await app.inject({
    method,
    url: `/v1${path}`,
    headers: { authorization },
    ...(body && { payload: body })
  })
  if (response.statusCode >= 400) throw new Error(`${path} answered ${response.statusCode}: ${response.body}`)
  return response.json()
}

/** The same model, whose tokens add up: what making memories costs is a cost of PAI's. */
function counting(model: StructuredModel, total: Usage): StructuredModel {
  return {
    id: model.id,
    async complete(request, signal) {
      const answer = await model.complete(request, signal)
      for (const name of ['inputTokens', 'outputTokens', 'cachedTokens'] as const)
        total[name] += answer.usage[name]
      return answer
    }
  }
}

function pricesOf(values: Record<string, string | boolean | undefined>): Prices | null {
  const { 'input-price': input, 'cached-price': cached = input, 'output-price': output } = values
  if (input === undefined || output === undefined) return null
  return { input: Number(input), cached: Number(cached), output: Number(output) }
}

function report(entries: Graded[], learning: Usage, prices: Prices | null, isScripted: boolean): void {
  const systems = [...Map.groupBy(entries, ({ system }) => system)]
  console.table(Object.fromEntries(systems.map(([system, own]) => [system, summarise(own, prices)])))
  console.table(
    Object.fromEntries(
      Object.entries(CATEGORIES).map(([category, label]) => [
        label,
        Object.fromEntries(
          systems.map(([system, own]) => {
            const graded = own.filter((entry) => entry.category === Number(category))
            return [system, graded.length > 0 ? summarise(graded, prices).correct : '']
          })
        )
      ])
    )
  )
  const cost = prices ? `, ${costOf(learning, prices).toFixed(4)} dollars` : ''
  console.log(
    `Making memories in this run: ${learning.inputTokens} tokens in, ${learning.outputTokens} out${cost}.`
  )
  if (isScripted) console.log('Scripted: the plumbing works, and the scores mean nothing.')
  const figures = systems.map(([system, own]) => ({ system, ...summarise(own, prices) }))
  console.log(JSON.stringify({ eval: 'locomo', scripted: isScripted, figures, learning }))
}
