// What is asked of PAI under load, and in which shares: for the scripts beside it, which k6 runs, and for `npm run bench -- mix`.
// It imports nothing, so that both can read it.

export type Kind = 'chat' | 'recall' | 'search' | 'attachment' | 'conversation'

/** Of a hundred calls. People talk and look for things more than they bring things along. */
export const SHARES: Record<Kind, number> = {
  chat: 40,
  recall: 25,
  search: 20,
  attachment: 10,
  conversation: 5
}

const NAMES = ['Ada', 'Grace', 'Edsger', 'Barbara', 'Alan', 'Frances', 'Donald', 'Radia']
const PLACES = ['Tromsø', 'Bergen', 'Oslo', 'Bodø', 'Alta', 'Røros', 'Molde']
/** What a photo of a phone is when a messenger has made it smaller. */
const IMAGE_BYTES = 60_000
const FIRST_SAID = Date.parse('2026-01-05T08:00:00Z')

const nameOf = (number: number) => NAMES[number % NAMES.length] as string

/** Something that the seeded conversation answers. */
export function questionAt(number: number): string {
  return `Where does ${nameOf(number)} keep the bees?`
}

/** What is looked for among conversations: a few words. */
export function wordsAt(number: number): string {
  return `${nameOf(number)} bees`
}

export interface Said {
  role: 'user' | 'assistant'
  content: string
  createdAt: string
}

/** A conversation from elsewhere, of so many messages. */
export function conversationOf(messages: number): { title: string; messages: Said[] } {
  return {
    title: 'Beekeepers (load)',
    messages: Array.from({ length: messages }, (_, index) => ({
      role: index % 2 === 0 ? 'user' : 'assistant',
      content:
        index % 2 === 0
          ? `My neighbour ${nameOf(index / 2)} keeps ${index + 3} bees in ${PLACES[(index / 2) % PLACES.length]}.`
          : `So many bees! I will think of ${nameOf((index - 1) / 2)} when you ask about honey.`,
      createdAt: new Date(FIRST_SAID + index * 60_000).toISOString()
    }))
  }
}

/** The beginning of a PNG, and as many bytes as a photo has. */
export function imageBytes(): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(IMAGE_BYTES)
  bytes.set([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
  for (let index = 8; index < bytes.length; index++) bytes[index] = (index * 7919) % 256
  return bytes
}

export interface TurnEvent {
  id: number
  type: string
  data: Record<string, unknown>
}

/** The events of a turn's stream; heartbeats are passed over. */
export function readEvents(stream: string): TurnEvent[] {
  return stream.split('\n\n').flatMap((frame) => {
    const [, id, type, data] = /^id: (\d+)\nevent: (\S+)\ndata: (.*)$/.exec(frame) ?? []
    return id && type && data ? [{ id: Number(id), type, data: JSON.parse(data) as TurnEvent['data'] }] : []
  })
}

/** Whether a turn's stream is whole: numbered without gaps, some words, and one end, which says that it completed. */
export function isWhole(events: TurnEvent[]): boolean {
  const last = events[events.length - 1]
  return (
    events.every(({ id }, index) => id === index + 1) &&
    events[0]?.type === 'turn' &&
    events.some(({ type }) => type === 'text-delta') &&
    events.filter(({ type }) => type === 'done').length === 1 &&
    last?.type === 'done' &&
    last.data.status === 'completed'
  )
}
