import { startFaultyProvider } from '../../support/faulty-provider.ts'
import { PROVIDER_FAULTS, type ProviderFault, WORDS } from '../../support/provider-faults.ts'
import type { PaiProcess } from '../pai-process.ts'
import type { FaultProgram, Tally } from '../program.ts'

/** The limits PAI is started with, in seconds. */
const TIMEOUT_SECONDS = 1
/** What a turn takes beside its provider: tries that are spread over time, and the machine's own work. */
const AROUND_MS = 4_000
const AT_ONCE = 6

/** R4: whatever a provider does, the turn ends in time, with the words so far or a clear error, once; and the next one works. */
export const upstream: FaultProgram = {
  id: 'R4',
  title: `${PROVIDER_FAULTS.length} ways a provider goes wrong`,
  databases: ['postgres', 'embedded'],
  rounds: { quick: 1, full: 30 },
  async run(rig, rounds, tally) {
    const provider = await startFaultyProvider()
    rig.whenOver(() => provider.close())
    // Each fault is a provider of its own, so that one that is left alone says nothing about the others.
    const servers = PROVIDER_FAULTS.map((fault, index) => [
      `f${index}`,
      { baseUrl: provider.baseUrlOf(fault) }
    ])
    const node = await rig.startNode({
      PAI_PROVIDERS: JSON.stringify(Object.fromEntries(servers)),
      PAI_MODELS: servers.map(([name]) => `${name}:m`).join(),
      PAI_FIRST_TOKEN_SECONDS: String(TIMEOUT_SECONDS),
      PAI_BETWEEN_TOKENS_SECONDS: String(TIMEOUT_SECONDS)
    })
    const { accessToken } = await rig.join(node)
    for (let round = 0; round < rounds; round++) {
      const waiting = [...PROVIDER_FAULTS.entries()]
      async function playOne(): Promise<void> {
        for (let next = waiting.pop(); next; next = waiting.pop()) {
          await play(node, accessToken, `f${next[0]}:m`, next[1], tally)
        }
      }
      await Promise.all(Array.from({ length: AT_ONCE }, playOne))
    }
    if (!node.isUp()) tally.broken.push('the process ended')
  }
}

interface Told {
  conversationId: string
  status: string
  message: { content: string } | null
  error: { code: string } | null
}

async function play(
  node: PaiProcess,
  accessToken: string,
  model: string,
  fault: ProviderFault,
  tally: Tally
): Promise<void> {
  const call = async (path: string, body?: object) => {
    const response = await fetch(`${node.url}/v1${path}`, {
      method: body ? 'POST' : 'GET',
      headers: {
        authorization: `Bearer ${accessToken}`,
        ...(body && { 'content-type': 'application/json' })
      },
      ...(body && { body: JSON.stringify(body) })
    })
    return (await response.json()) as Told & { items: { role: string }[] }
  }
  const began = performance.now()
  const turn = await call('/chat', { message: `Hello, ${fault.name}`, model, useMemory: false })
  const tookMs = performance.now() - began
  tally.acknowledged++
  tally.recoveredMs.push(tookMs)
  check(fault, turn, tookMs, tally)
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
}

function check(fault: ProviderFault, { status, message, error }: Told, tookMs: number, tally: Tally): void {
  const end = typeof fault.ends === 'string' ? fault.ends : fault.ends.stream
  const words = fault.words ?? (end === 'whole' ? WORDS : '')
  const said = message?.content ?? ''
  // What takes long to be found wrong, such as a bomb to be unpacked, may be out of time before.
  const isEarly = end !== 'whole' && error?.code === 'PAI_MODEL_TIMEOUT'
  const isLeftAlone = isEarly || error?.code === 'PAI_MODEL_PROVIDER_DOWN'
  const code = status === 'completed' ? 'whole' : error?.code
  if (!isLeftAlone && code !== end) tally.broken.push(`${fault.name}: ended ${code} and not ${end}`)
  if (!isLeftAlone && said !== words)
    tally.broken.push(`${fault.name}: said ${JSON.stringify(said.slice(0, 80))}`)
  const limitMs = 2_000 * TIMEOUT_SECONDS + (fault.waitsMs ?? 0) + AROUND_MS
  if (tookMs > limitMs) tally.broken.push(`${fault.name}: took ${Math.round(tookMs)} ms of ${limitMs}`)
}
