import {
  type AnyPgColumn,
  foreignKey,
  index,
  integer,
  pgTable,
  primaryKey,
  real,
  text,
  uuid
} from 'drizzle-orm/pg-core'
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

export const memoryVectors = vectorsOf('memory_vectors', memories)
export const messageVectors = vectorsOf('message_vectors', messages)

export const memoryTerms = termsOf('memory_terms', memories)
export const messageTerms = termsOf('message_terms', messages)

interface Searched {
  ownerId: AnyPgColumn
  id: AnyPgColumn
}

/** One row a model and memory or message. */
function vectorsOf<Name extends string>(name: Name, { ownerId, id }: Searched) {
  return pgTable(
    name,
    {
      ownerId: uuid('owner_id').notNull(),
      id: uuid('id').notNull(),
      model: text('model').notNull(),
      embedding: vector('embedding').notNull()
    },
    (table) => [
      primaryKey({ columns: [table.ownerId, table.id, table.model] }),
      foreignKey({ columns: [table.ownerId, table.id], foreignColumns: [ownerId, id] }).onDelete('cascade')
    ]
  )
}

/** The lexical way: one row a term and memory or message. `weight` is BM25's term part; the statistics are per owner. */
function termsOf<Name extends string>(name: Name, { ownerId, id }: Searched) {
  return pgTable(
    name,
    {
      ownerId: uuid('owner_id').notNull(),
      term: text('term').notNull(),
      id: uuid('id').notNull(),
      weight: real('weight').notNull()
    },
    (table) => [
      // Its index holds the weight as well: a search reads nothing else.
      primaryKey({ columns: [table.ownerId, table.term, table.id] }),
      index(`${name}_id`).on(table.ownerId, table.id),
      foreignKey({ columns: [table.ownerId, table.id], foreignColumns: [ownerId, id] }).onDelete('cascade')
    ]
  )
}

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
