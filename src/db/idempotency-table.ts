import { jsonb, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core'
import { bytes, moment } from './columns.ts'

/** The answer each `Idempotency-Key` got, kept 24 hours, so that a retry gets the same one. */
export const idempotencyKeys = pgTable(
  'idempotency_keys',
  {
    ownerId: uuid('owner_id').notNull(),
    key: text('key').notNull(),
    /** SHA-256 of the call and its body: the same key with another body is refused. */
    requestHash: bytes('request_hash').notNull(),
    response: jsonb('response'),
    createdAt: moment('created_at').notNull().defaultNow()
  },
  (table) => [primaryKey({ columns: [table.ownerId, table.key] })]
)
