import createError from '@fastify/error'

export const ConsolidationNotFound = createError<[string]>(
  'PAI_CONSOLIDATION_NOT_FOUND',
  'Consolidation %s was not found',
  404
)
export const ConsolidationRunning = createError(
  'PAI_CONSOLIDATION_RUNNING',
  'The consolidation is still running',
  409
)
