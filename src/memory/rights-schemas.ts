import { type Static, Type } from 'typebox'
import { Id, Instant, Nullable, Page } from '../http/schemas.ts'
import { Memory, MemorySource } from './schemas.ts'

export const MemoryAction = Type.Enum([
  'created',
  'proven',
  'refined',
  'superseded',
  'conflicted',
  'resolved',
  'edited',
  'merged',
  'expired',
  'questioned',
  'confirmed',
  'approved',
  'rejected',
  'forgotten',
  'restored'
])

const State = Type.Unsafe<Record<string, unknown> | null>({
  description: 'The columns that changed, by name; null where the memory was not there'
})

export const MemoryEvent = Type.Object({
  id: Id,
  action: MemoryAction,
  by: Type.Enum(['owner', 'extraction', 'consolidation']),
  /** What happened, as a sentence. */
  text: Type.String(),
  reason: Nullable(Type.String()),
  before: State,
  after: State,
  at: Instant,
  /** When it was undone. */
  undoneAt: Nullable(Instant)
})
export type MemoryEvent = Static<typeof MemoryEvent>
export const MemoryEventPage = Page(MemoryEvent)

/** A source with the place it was said at, as long as that is there. */
const TracedSource = Type.Object({
  ...MemorySource.properties,
  conversationTitle: Nullable(Type.String()),
  /** The message as it stands, to be read around the quote. */
  message: Nullable(Type.String())
})

export const Why = Type.Object({
  memory: Memory,
  sources: Type.Array(TracedSource),
  /** The memories it was derived from, where PAI inferred it. */
  derivedFrom: Type.Array(Memory),
  /** What happened to it, oldest first, as sentences. */
  history: Type.Array(Type.Object({ at: Instant, text: Type.String() }))
})
export type Why = Static<typeof Why>

/** What was learnt from a message. */
export const Learnt = Type.Object({
  items: Type.Array(
    Type.Object({
      memory: Memory,
      /** The memories that it took the place of. */
      replaced: Type.Array(Memory)
    })
  ),
  /** Whether the message is still to be read for what is worth remembering. */
  pending: Type.Boolean()
})
export type Learnt = Static<typeof Learnt>

export const MergeBody = Type.Object(
  { ids: Type.Array(Id, { minItems: 1, maxItems: 50, uniqueItems: true }) },
  { additionalProperties: false }
)

export const ForgetQuery = Type.Object(
  { purge: Type.Optional(Type.Boolean({ default: false, description: 'At once, without a way back' })) },
  { additionalProperties: false }
)

/** Proof that a memory was forgotten, without a word of what it was. */
export const MemoryPurge = Type.Object({
  /** The id the memory had. */
  id: Id,
  purgedAt: Instant,
  /** Where it was looked for after the purge: rows looked through, and rows found holding it. */
  checked: Type.Array(Type.Object({ place: Type.String(), looked: Type.Integer(), found: Type.Integer() }))
})
export type MemoryPurge = Static<typeof MemoryPurge>
export const MemoryPurgePage = Page(MemoryPurge)
