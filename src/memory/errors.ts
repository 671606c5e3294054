import createError from '@fastify/error'

export const MemoryNotFound = createError<[string]>('PAI_MEMORY_NOT_FOUND', 'Memory %s was not found', 404)
export const MemoryExists = createError('PAI_MEMORY_EXISTS', 'Another memory says this already', 409)
export const ExtractionUnreadable = createError(
  'PAI_MEMORY_EXTRACTION_UNREADABLE',
  'The model’s answer was not of the shape it was asked for',
  502
)
export const ExtractionNotFound = createError<[string]>(
  'PAI_MEMORY_EXTRACTION_NOT_FOUND',
  'Nothing went wrong with message %s',
  404
)
export const ConflictNotFound = createError<[string]>(
  'PAI_MEMORY_CONFLICT_NOT_FOUND',
  'Conflict %s was not found',
  404
)
export const NotProposed = createError<[string]>(
  'PAI_MEMORY_NOT_PROPOSED',
  'Memory %s does not wait for approval',
  409
)
export const NothingToUndo = createError<[string]>(
  'PAI_MEMORY_NOTHING_TO_UNDO',
  'Nothing about memory %s can be undone any more',
  409
)
export const MergeInvalid = createError(
  'PAI_MEMORY_MERGE_INVALID',
  'Only memories that are remembered, and other than each other, can be merged',
  409
)
