import createError from '@fastify/error'

export const MemoryNotFound = createError<[string]>('PAI_MEMORY_NOT_FOUND', 'Memory %s was not found', 404)
export const MemoryExists = createError('PAI_MEMORY_EXISTS', 'Another memory says this already', 409)
