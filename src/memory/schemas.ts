import { type Static, Type } from 'typebox'
import { Id, Instant, Nullable, Page, PageQuery } from '../http/schemas.ts'

const Words = Type.String({ minLength: 1, maxLength: 10_000, pattern: '\\S' })
const Category = Type.String({ minLength: 1, maxLength: 50, pattern: '\\S' })
const Share = Type.Number({ minimum: 0, maximum: 1 })

const MemoryStatus = Type.Enum(['active', 'superseded', 'expired', 'conflicting', 'proposed', 'unconfirmed'])

/** Where a memory comes from, with the words it was taken from. */
export const MemorySource = Type.Object({
  kind: Type.Enum(['message', 'owner', 'web', 'document', 'tool', 'import']),
  messageId: Nullable(Id),
  /** What it is called elsewhere: an address, a file's name. */
  reference: Nullable(Type.String()),
  conversationId: Nullable(Id),
  quote: Type.String(),
  /** Where the quote begins in the message, in UTF-16 units. */
  quoteStart: Nullable(Type.Integer()),
  saidBy: Type.Enum(['owner', 'assistant', 'other']),
  saidAt: Instant
})
export type MemorySource = Static<typeof MemorySource>

export const Memory = Type.Object({
  id: Id,
  text: Type.String(),
  category: Type.String(),
  tags: Type.Array(Type.String()),
  importance: Type.Number(),
  strength: Type.Number(),
  pinned: Type.Boolean(),
  status: MemoryStatus,
  validFrom: Nullable(Instant),
  validTo: Nullable(Instant),
  supersededBy: Nullable(Id),
  sources: Type.Array(MemorySource),
  createdAt: Instant
})
export type Memory = Static<typeof Memory>

export const MemoryBody = Type.Object(
  {
    text: Words,
    category: Type.Optional(Category),
    importance: Type.Optional(Share),
    pinned: Type.Optional(Type.Boolean())
  },
  { additionalProperties: false }
)
export type MemoryBody = Static<typeof MemoryBody>

export const MemoryPatch = Type.Object(
  {
    text: Type.Optional(Words),
    category: Type.Optional(Category),
    tags: Type.Optional(Type.Array(Category, { maxItems: 20, uniqueItems: true })),
    importance: Type.Optional(Share),
    pinned: Type.Optional(Type.Boolean())
  },
  { additionalProperties: false, minProperties: 1 }
)
export type MemoryPatch = Static<typeof MemoryPatch>

export const MemoryPage = Page(Memory)

export const MemoryListQuery = Type.Object(
  { ...PageQuery.properties, status: Type.Optional(MemoryStatus), clusterId: Type.Optional(Id) },
  { additionalProperties: false }
)
export type MemoryListQuery = Static<typeof MemoryListQuery>

const QueryText = Type.String({ minLength: 1, maxLength: 10_000, pattern: '\\S' })
const Limit = Type.Integer({ minimum: 1, maximum: 200, default: 10 })
const Way = Type.Enum(['vector', 'lexical', 'entity', 'time'])
const MatchedBy = Type.Array(Way)

export const MemorySearchBody = Type.Object(
  {
    query: QueryText,
    limit: Type.Optional(Limit),
    asOf: Type.Optional(Instant),
    category: Type.Optional(Category)
  },
  { additionalProperties: false }
)
export type MemorySearchBody = Static<typeof MemorySearchBody>

export const MemorySearchResult = Type.Object({
  items: Type.Array(Type.Object({ memory: Memory, score: Type.Number(), matchedBy: MatchedBy }))
})

const RecallKind = Type.Enum(['memory', 'message', 'passage'])
export type RecallKind = Static<typeof RecallKind>

export const RecallBody = Type.Object(
  {
    query: QueryText,
    limit: Type.Optional(Limit),
    kinds: Type.Optional(Type.Array(RecallKind, { minItems: 1, maxItems: 3, uniqueItems: true })),
    /** Which ways look; all of them unless this says otherwise. */
    ways: Type.Optional(Type.Array(Way, { minItems: 1, maxItems: 4, uniqueItems: true })),
    /** What held in the world at this time. */
    asOf: Type.Optional(Instant),
    /** What had been recorded by this time. */
    knownAt: Type.Optional(Instant),
    /** Said or recorded from, and before. */
    from: Type.Optional(Instant),
    to: Type.Optional(Instant),
    budgetTokens: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 1_000_000,
        description:
          'How much of what was found to answer with, in tokens of about four characters. It is taken best first, each text whole: one that is too long for what is left is passed over, and shorter ones after it are still taken'
      })
    ),
    /** In place of the calibrated cut-off: how well something must match by itself, 0 to 1. */
    minMatch: Type.Optional(Share)
  },
  { additionalProperties: false }
)
export type RecallBody = Static<typeof RecallBody>

export const RecallItem = Type.Object({
  kind: RecallKind,
  id: Id,
  text: Type.String(),
  score: Type.Number(),
  matchedBy: MatchedBy,
  /** When it was said, or else recorded. */
  at: Instant,
  /** Of a memory; of a message 'superseded', where something has taken the place of all that was learnt from it. */
  status: Type.Optional(MemoryStatus),
  conversationId: Type.Optional(Id),
  documentId: Type.Optional(Id)
})
export type RecallItem = Static<typeof RecallItem>

export const RecallResult = Type.Object({ items: Type.Array(RecallItem) })
