import { type Static, Type } from 'typebox'
import { Id } from '../http/schemas.ts'

/** One thing a consolidation did, in words its owner can read. */
export const ConsolidationStep = Type.Object({
  action: Type.Enum(['merged', 'expired', 'summarised', 'inferred', 'clustered', 'profiled', 'refused']),
  text: Type.String(),
  memoryIds: Type.Array(Id)
})
export type ConsolidationStep = Static<typeof ConsolidationStep>

export const ConsolidationReport = Type.Object({
  steps: Type.Array(ConsolidationStep)
})
export type ConsolidationReport = Static<typeof ConsolidationReport>
