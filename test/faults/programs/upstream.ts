import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { startFaultyProvider } from '../../support/faulty-provider.ts'
import { PROVIDER_FAULTS, type ProviderFault, WORDS } from '../../support/provider-faults.ts'
import type { Counts } from '../inside/counts.ts'
import type { PaiProcess } from '../pai-process.ts'
import type { FaultProgram, Tally } from '../program.ts'

const COUNTS = join(import.meta.dirname, '..', 'inside', 'counts.ts')
/** The limits PAI is started with, in seconds. */
const TIMEOUT_SECONDS = 2
/** What a turn may take beyond its provider's limit; the quickest of a few counts, the others wait for a busy machine. */
const SPARE_MS = 1_000
/** Beside other tests a machine is always busy. */
const QUICK_SPARE_MS = 4_000
const PLAYED_AGAIN = 2
const AT_ONCE = 6
const TIMEOUT = 'PAI_MODEL_TIMEOUT'
/** No connection to a provider, and no timer for one, is left after this long. */
const LET_GO_MS = 5_000
const LOOK_MS = 100
/** The pool keeps connections to the database for ten seconds that nobody uses. */
const AT_REST_MS = 12_000
const LOOKS_AT_REST = 30
const SETTLED_MS = 20_000

/** What the program knows of a provider: where it is, and how often it was asked for a stream. */
interface Provider {
  fault: Pick<ProviderFault, 'name' | 'ends' | 'tries' | 'words' | 'waitsMs' | 'slow' | 'rests'>
  baseUrl: string
  asked: (() => number) | null
  /** How often it has been asked for a turn: one that fails again and again is left alone. */
  played: number
}

/** Providers that are not there at all. */
const ABSENT: Provider[] = [
  { fault: { name: 'refuses connections', ends: 'PAI_MODEL_UNREACHABLE' }, baseUrl: 'http://127.0.0.1:1/v1' },
  { fault: { name: 'has no address', ends: 'PAI_MODEL_UNREACHABLE' }, baseUrl: 'http://pai.invalid/v1' }
].map((provider) => ({ ...provider, asked: null, played: 0 }) as Provider)

/**
 * R4: whatever a provider does, the turn ends in time, with the words so far or a clear error, once; and the next one works.
 * What it does to calls that do not stream, and to embeddings, `test/llm/provider-faults.test.ts` has.
 */
export const upstream: FaultProgram = {
  id: 'R4',
  title: `${PROVIDER_FAULTS.length + ABSENT.length} ways a provider goes wrong`,
  databases: ['postgres', 'embedded'],
  rounds: { quick: 1, full: 5 },
  needs: 'little',
  async run(rig, rounds, tally) {
    const faulty = await startFaultyProvider()
    rig.whenOver(() => faulty.close())
    const present = PROVIDER_FAULTS.map((fault) => ({
      fault,
      baseUrl: faulty.baseUrlOf(fault),
      asked: () => faulty.asked(fault, 'stream'),
      played: 0
    }))
    // Each fault is a provider of its own, so that one that is left alone says nothing about the others.
    const providers: Provider[] = [...present, ...ABSENT]
    const servers = providers.map(({ baseUrl }, index) => [`f${index}`, { baseUrl }])
    const settings = {
      PAI_PROVIDERS: JSON.stringify(Object.fromEntries(servers)),
      PAI_MODELS: servers.map(([name]) => `${name}:m`).join(),
      PAI_FIRST_TOKEN_SECONDS: String(TIMEOUT_SECONDS),
      PAI_BETWEEN_TOKENS_SECONDS: String(TIMEOUT_SECONDS)
    }
    const node = await rig.startNode(settings, { inside: COUNTS })
    const { accessToken } = await rig.join(node)
    const before = await countAtRest(node, accessToken)
    const spareMs = rounds > 1 ? SPARE_MS : QUICK_SPARE_MS
    for (; tally.played < rounds; tally.played++) {
      const waiting = [...providers.entries()]
      async function playNext(): Promise<void> {
        for (let next = waiting.pop(); next; next = waiting.pop()) {
          const [index, provider] = next
          // Read whole and as events in turns, so that each provider is met both ways.
          const streams = (index + tally.played) % 2 === 1
          await playInTime(node, accessToken, { model: `f${index}:m`, provider, streams }, spareMs, tally)
        }
      }
      await Promise.all(Array.from({ length: AT_ONCE }, playNext))
    }
    await checkNothingLeft(node, before, faulty.connections, tally)
  }
}

/** The most the process holds of each kind when it has been at work and rests: workers look for jobs all the time. */
async function countAtRest(node: PaiProcess, accessToken: string): Promise<Counts['resources']> {
  const headers = {
    authorization: `Bearer ${accessToken}`,
    'content-type': 'application/json',
    connection: 'close'
  }
  const body = JSON.stringify({ message: 'Hello', useMemory: false })
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () =>
      (await fetch(`${node.url}/v1/chat`, { method: 'POST', headers, body })).text()
    )
  )
  await wait(AT_REST_MS)
  const most: Counts['resources'] = {}
  for (let looks = 0; looks < LOOKS_AT_REST; looks++) {
    const { resources } = await node.ask<Counts>('how many?')
    for (const [kind, count] of Object.entries(resources)) most[kind] = Math.max(most[kind] ?? 0, count)
    await wait(100)
  }
  return most
}

/** Every connection to the provider is gone, and the process holds no more than it did before. */
async function checkNothingLeft(
  node: PaiProcess,
  before: Counts['resources'],
  connections: () => Promise<number>,
  tally: Tally
): Promise<void> {
  if (!node.isUp()) return void tally.broken.push('the process ended')
  const began = performance.now()
  while ((await connections()) > 0 && performance.now() - began < LET_GO_MS) await wait(50)
  const left = await connections()
  if (left > 0) tally.broken.push(`${left} connections to the provider are left`)
  const isOver = async (limitMs: number, nothingIsLeft: (more: Map<string, number>) => boolean) => {
    for (;;) {
      const { resources } = await node.ask<Counts>('how many?')
      const more = new Map(
        Object.entries(resources).flatMap(([kind, count]) => {
          const over = count - (before[kind] ?? 0)
          return over > 0 ? [[kind, over] as const] : []
        })
      )
      if (nothingIsLeft(more)) return
      if (performance.now() - began > limitMs) {
        tally.broken.push(
          `left over after ${limitMs} ms: ${[...more].join(' ')}, from ${JSON.stringify(before)}`
        )
        return
      }
      await wait(LOOK_MS)
    }
  }
  // The pool keeps a timer with each connection to the database that nobody uses: those are no provider's.
  const pooled = (more: Map<string, number>) => (more.get('TCPSocketWrap') ?? 0) + (more.get('PipeWrap') ?? 0)
  await isOver(LET_GO_MS, (more) => (more.get('Timeout') ?? 0) <= pooled(more))
  await isOver(SETTLED_MS, (more) => more.size === 0)
}

interface Told {
  conversationId: string
  status: string
  message: { content: string } | null
  error: { code: string } | null
}

/** A turn to be played: with whom, and how its answer is read. */
interface Asked {
  model: string
  provider: Provider
  streams: boolean
}

/** What the events of a turn tell: an error where there was one before the end, and the end last, once. */
function readEvents(text: string, name: string, tally: Tally): Told {
  const events = [...text.matchAll(/^event: (\S+)\ndata: (.*)$/gm)].map(([, type = '', data = '{}']) => ({
    type,
    data: JSON.parse(data)
  }))
  const of = (wanted: string) => events.filter(({ type }) => type === wanted).map(({ data }) => data)
  const [turn, [done], [error = null]] = [of('turn')[0], of('done'), of('error')]
  const last = events.slice(error ? -2 : -1).map(({ type }) => type)
  if (of('done').length !== 1 || last.join() !== (error ? 'error,done' : 'done'))
    tally.broken.push(`${name}: a stream ended with ${last}`)
  const content = of('text-delta')
    .map((data) => data.text)
    .join('')
  const message = done?.messageId ? { content } : null
  return { conversationId: turn?.conversationId, status: done?.status, message, error }
}

/** A turn with this provider; one that takes too long, or is out of time, is played again, in case it was the machine. */
async function playInTime(
  node: PaiProcess,
  accessToken: string,
  asked: Asked,
  spareMs: number,
  tally: Tally
): Promise<void> {
  const { name, waitsMs = 0 } = asked.provider.fault
  const limitMs = 1_000 * TIMEOUT_SECONDS + spareMs + waitsMs
  let quickest = Number.POSITIVE_INFINITY
  for (let times = 0; times <= PLAYED_AGAIN && quickest > limitMs; times++) {
    quickest = Math.min(quickest, await play(node, accessToken, asked, tally))
  }
  if (quickest > limitMs) tally.broken.push(`${name}: took ${Math.round(quickest)} ms of ${limitMs}`)
}

/** Answers how long the turn took: for ever, where it was out of time that should not have been. */
async function play(
  node: PaiProcess,
  accessToken: string,
  { model, provider, streams }: Asked,
  tally: Tally
): Promise<number> {
  const { fault, asked } = provider
  const send = (path: string, body?: object, accept = 'application/json') =>
    fetch(`${node.url}/v1${path}`, {
      method: body ? 'POST' : 'GET',
      headers: {
        authorization: `Bearer ${accessToken}`,
        accept,
        // Its own connections are not to be counted among those that are left.
        connection: 'close',
        ...(body && { 'content-type': 'application/json' })
      },
      ...(body && { body: JSON.stringify(body) })
    })
  const call = async (path: string, body?: object) =>
    (await (await send(path, body)).json()) as Told & { items: { role: string }[] }
  const before = asked?.() ?? 0
  const began = performance.now()
  const hello = { message: `Hello, ${fault.name}`, model, useMemory: false }
  const turn = streams
    ? readEvents(await (await send('/chat', hello, 'text/event-stream')).text(), fault.name, tally)
    : await call('/chat', hello)
  const tookMs = performance.now() - began
  tally.acknowledged++
  tally.recoveredMs.push(tookMs)
  const isLate = turn.error?.code === TIMEOUT && endOf(fault) !== TIMEOUT
  // One that fails again and again is left alone, for as long as that takes.
  const isLeftAlone = provider.played > 0 && turn.error?.code === 'PAI_MODEL_PROVIDER_DOWN'
  if (!isLate && !isLeftAlone) check(fault, turn, asked ? asked() - before : null, tally)
  provider.played++
  const { items } = await call(`/conversations/${turn.conversationId}/messages`)
  tally.doubled += items.filter(({ role }) => role === 'user').length - 1
  if (items.length !== (turn.message ? 2 : 1)) tally.broken.push(`${fault.name}: ${items.length} messages`)
  const next = await call('/chat', {
    message: 'And now?',
    conversationId: turn.conversationId,
    useMemory: false
  })
  tally.acknowledged++
  if (next.status !== 'completed') tally.broken.push(`${fault.name}: the next turn ended ${next.status}`)
  return isLate && !fault.slow ? Number.POSITIVE_INFINITY : tookMs
}

function endOf({ ends }: Provider['fault']): string {
  return typeof ends === 'string' ? ends : ends.stream
}

/** How it ended, with which words, and after how many tries. */
function check(
  fault: Provider['fault'],
  { status, message, error }: Told,
  asked: number | null,
  tally: Tally
): void {
  const end = endOf(fault)
  const code = status === 'completed' ? 'whole' : error?.code
  const words = fault.words ?? (end === 'whole' ? WORDS : '')
  const said = message?.content ?? ''
  const { tries = 1 } = fault
  if (fault.rests && asked === 0 && code === end) return
  const triesOfStream = typeof tries === 'number' ? tries : tries.stream
  if (code !== end) tally.broken.push(`${fault.name}: ended ${code} and not ${end}`)
  if (said !== words) tally.broken.push(`${fault.name}: said ${JSON.stringify(said.slice(0, 80))}`)
  if (asked !== null && asked !== triesOfStream)
    tally.broken.push(`${fault.name}: asked ${asked} times and not ${triesOfStream}`)
}
