import { foreignKey, index, integer, pgTable, primaryKey, real, text, uuid } from 'drizzle-orm/pg-core'
import { owner } from '../../auth/tables.ts'
import { messages } from '../../chat/tables.ts'
import { moment, vector } from '../../db/columns.ts'
import { memories } from '../tables.ts'

/** Which embedding model an owner's searches use, and the one being built beside it. */
export const vectorModels = pgTable(
  'vector_models',
  {
    ownerId: owner(),
    model: text('model').notNull(),
    nextModel: text('next_model'),
    done: integer('done').notNull().default(0),
    total: integer('total').notNull().default(0),
    updatedAt: moment('updated_at').notNull().defaultNow()
  },
  (table) => [primaryKey({ columns: [table.ownerId] })]
)

export const memoryVectors = pgTable(
  'memory_vectors',
  {
    ownerId: uuid('owner_id').notNull(),
    id: uuid('id').notNull(),
    model: text('model').notNull(),
    embedding: vector('embedding').notNull()
  },
  (table) => [
    primaryKey({ columns: [table.ownerId, table.id, table.model] }),
    foreignKey({
      columns: [table.ownerId, table.id],
      foreignColumns: [memories.ownerId, memories.id]
    }).onDelete('cascade')
  ]
)

/** The lexical way: one row a term and memory. `weight` is BM25's term part; the statistics are per owner. */
export const memoryTerms = pgTable(
  'memory_terms',
  {
    ownerId: uuid('owner_id').notNull(),
    term: text('term').notNull(),
    id: uuid('id').notNull(),
    weight: real('weight').notNull()
  },
  (table) => [
    primaryKey({ columns: [table.ownerId, table.term, table.id] }),
    index('memory_terms_id').on(table.ownerId, table.id),
    foreignKey({
      columns: [table.ownerId, table.id],
      foreignColumns: [memories.ownerId, memories.id]
    }).onDelete('cascade')
  ]
)

export const messageVectors = pgTable(
  'message_vectors',
  {
    ownerId: uuid('owner_id').notNull(),
    id: uuid('id').notNull(),
    model: text('model').notNull(),
    embedding: vector('embedding').notNull()
  },
  (table) => [
    primaryKey({ columns: [table.ownerId, table.id, table.model] }),
    foreignKey({
      columns: [table.ownerId, table.id],
      foreignColumns: [messages.ownerId, messages.id]
    }).onDelete('cascade')
  ]
)

export const messageTerms = pgTable(
  'message_terms',
  {
    ownerId: uuid('owner_id').notNull(),
    term: text('term').notNull(),
    id: uuid('id').notNull(),
    weight: real('weight').notNull()
  },
  (table) => [
    primaryKey({ columns: [table.ownerId, table.term, table.id] }),
    index('message_terms_id').on(table.ownerId, table.id),
    foreignKey({
      columns: [table.ownerId, table.id],
      foreignColumns: [messages.ownerId, messages.id]
    }).onDelete('cascade')
  ]
)

/**
 * How many of an owner's memories or messages hold each term; the empty term counts them all. Kept by triggers on the
 * two term tables, so that no way of removing a row can leave it wrong.
 */
export const termCounts = pgTable(
  'term_counts',
  {
    ownerId: owner(),
    kind: text('kind', { enum: ['memory', 'message'] }).notNull(),
    term: text('term').notNull(),
    count: integer('count').notNull()
  },
  (table) => [primaryKey({ columns: [table.ownerId, table.kind, table.term] })]
)
