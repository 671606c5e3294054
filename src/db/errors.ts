import createError from '@fastify/error'

export const DatabaseUnavailable = createError(
  'PAI_DATABASE_UNAVAILABLE',
  'The database cannot be reached just now: try again shortly',
  503
)
export const DatabaseTooSlow = createError(
  'PAI_DATABASE_TOO_SLOW',
  'The database took too long for this just now: try again shortly',
  503
)
export const OwnerGone = createError('PAI_OWNER_GONE', 'This account no longer exists', 401)
export const IdempotencyKeyReused = createError(
  'PAI_IDEMPOTENCY_KEY_REUSED',
  'This Idempotency-Key was used for another request',
  422
)

/** Refusals at start-up: shown on the terminal, never on the wire. */
export class DataFolderInUse extends Error {
  override name = 'DataFolderInUse'
}
export class DatabaseUnsuitable extends Error {
  override name = 'DatabaseUnsuitable'
}
/** The embedded database is gone under the process that serves it. */
export class EmbeddedLost extends Error {
  override name = 'EmbeddedLost'
}
export class MigrationFailed extends Error {
  override name = 'MigrationFailed'
}
