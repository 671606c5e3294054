import { type Static, Type } from 'typebox'
import { Id, Instant, Nullable, Page } from '../http/schemas.ts'

/** One thing a consolidation did, in words its owner can read; whose words they are about is said by ids alone. */
export const ConsolidationStep = Type.Object({
  action: Type.Enum([
    'merged',
    'expired',
    'summarised',
    'inferred',
    'clustered',
    'profiled',
    'refused',
    /** A part that failed each time, and is left for another night. */
    'skipped',
    /** Not put back by undo, because it was changed since. */
    'left'
  ]),
  text: Type.String(),
  memoryIds: Type.Array(Id)
})
export type ConsolidationStep = Static<typeof ConsolidationStep>

export const ConsolidationReport = Type.Object({
  steps: Type.Array(ConsolidationStep)
})
export type ConsolidationReport = Static<typeof ConsolidationReport>

export const Consolidation = Type.Object({
  id: Id,
  status: Type.Enum(['running', 'completed', 'failed', 'undone']),
  report: ConsolidationReport,
  startedAt: Instant,
  finishedAt: Nullable(Instant),
  undoneAt: Nullable(Instant)
})
export type Consolidation = Static<typeof Consolidation>

export const ConsolidationPage = Page(Consolidation)

/** Who the owner is, in a few lines made from memories. */
export const MemoryProfile = Type.Object({
  text: Type.String(),
  /** The memories it was made from that still hold. */
  memoryIds: Type.Array(Id),
  builtAt: Nullable(Instant)
})
export type MemoryProfile = Static<typeof MemoryProfile>

export const MemoryCluster = Type.Object({
  id: Id,
  topic: Type.String(),
  /** How many memories it holds. */
  size: Type.Integer(),
  updatedAt: Instant
})
export type MemoryCluster = Static<typeof MemoryCluster>

export const MemoryClusterPage = Page(MemoryCluster)
