import { type Static, Type } from 'typebox'
import { Id, Instant, Nullable, Page } from '../../http/schemas.ts'
import { Memory } from '../schemas.ts'

/** A message that memory extraction could not read yet, or gave up on until the owner asks again. */
export const MemoryExtraction = Type.Object({
  messageId: Id,
  status: Type.Enum(['failing', 'parked']),
  attempts: Type.Integer(),
  errorCode: Type.String(),
  updatedAt: Instant
})
export type MemoryExtraction = Static<typeof MemoryExtraction>
export const MemoryExtractionPage = Page(MemoryExtraction)

export const MessageIdParams = Type.Object({ messageId: Id }, { additionalProperties: false })

/** Two memories that cannot both be true. */
export const MemoryConflict = Type.Object({
  id: Id,
  reason: Type.String(),
  first: Memory,
  second: Memory,
  createdAt: Instant,
  resolvedAt: Nullable(Instant)
})
export type MemoryConflict = Static<typeof MemoryConflict>
export const MemoryConflictPage = Page(MemoryConflict)

export const ConflictResolution = Type.Object(
  { keep: Type.Enum(['first', 'second', 'both', 'neither']) },
  { additionalProperties: false }
)
export type ConflictResolution = Static<typeof ConflictResolution>
