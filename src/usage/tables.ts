import {
  bigint,
  boolean,
  date,
  foreignKey,
  index,
  integer,
  pgTable,
  primaryKey,
  text,
  uuid
} from 'drizzle-orm/pg-core'
import { owner } from '../auth/tables.ts'
import { conversations } from '../chat/tables.ts'
import { moment } from '../db/columns.ts'

/** One call of a model, whatever it was for. Kept for 400 days. */
export const modelCalls = pgTable(
  'model_calls',
  {
    ownerId: owner(),
    id: uuid('id').notNull(),
    /** null: for no conversation in particular, or for one that is gone. */
    conversationId: uuid('conversation_id'),
    /** What it was for: chat, title, extraction, embedding … */
    purpose: text('purpose').notNull(),
    /** Provider and model. */
    model: text('model').notNull(),
    inputTokens: integer('input_tokens').notNull(),
    /** Those of the input that the provider had in its cache. */
    cachedTokens: integer('cached_tokens').notNull(),
    outputTokens: integer('output_tokens').notNull(),
    /** Whether the tokens are an estimate: the provider told none, or was left before it did. */
    estimated: boolean('estimated').notNull().default(false),
    /** In thousand-millionths of a US dollar, by the prices of that day; null: the model has no known price. */
    costNanos: bigint('cost_nanos', { mode: 'number' }),
    createdAt: moment('created_at').notNull().defaultNow()
  },
  (table) => [
    primaryKey({ columns: [table.ownerId, table.id] }),
    foreignKey({
      columns: [table.ownerId, table.conversationId],
      foreignColumns: [conversations.ownerId, conversations.id]
    }).onDelete('set null'),
    index('model_calls_made').on(table.ownerId, table.createdAt),
    index('model_calls_conversation').on(table.ownerId, table.conversationId)
  ]
)

/** What an owner has spent in a month (UTC, its first day), so that a budget is one look-up before each call. */
export const monthlyCosts = pgTable(
  'monthly_costs',
  {
    ownerId: owner(),
    month: date('month', { mode: 'string' }).notNull(),
    costNanos: bigint('cost_nanos', { mode: 'number' }).notNull().default(0)
  },
  (table) => [primaryKey({ columns: [table.ownerId, table.month] })]
)
