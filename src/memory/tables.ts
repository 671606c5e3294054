import { sql } from 'drizzle-orm'
import {
  boolean,
  foreignKey,
  index,
  integer,
  pgTable,
  primaryKey,
  real,
  text,
  uniqueIndex,
  uuid
} from 'drizzle-orm/pg-core'
import { users } from '../auth/tables.ts'
import { messages } from '../chat/tables.ts'
import { bytes, moment, vector } from '../db/columns.ts'

const owner = () =>
  uuid('owner_id')
    .notNull()
    .references(() => users.id, { onDelete: 'cascade' })

/** One fact about the owner's world. */
export const memories = pgTable(
  'memories',
  {
    ownerId: owner(),
    id: uuid('id').notNull(),
    text: text('text').notNull(),
    /** SHA-256 of the text without case, spacing and closing punctuation: the same fact is not kept twice. */
    textHash: bytes('text_hash').notNull(),
    category: text('category').notNull(),
    tags: text('tags').array().notNull().default([]),
    /** Whom or what it is about, and which attribute it fills: what reconciling compares. */
    subject: text('subject'),
    slot: text('slot'),
    importance: real('importance').notNull(),
    importanceReason: text('importance_reason'),
    strength: real('strength').notNull().default(1),
    lastUsedAt: moment('last_used_at'),
    /** How often it has been said. */
    proofCount: integer('proof_count').notNull().default(1),
    pinned: boolean('pinned').notNull().default(false),
    status: text('status', {
      enum: ['active', 'superseded', 'expired', 'conflicting', 'proposed', 'unconfirmed']
    }).notNull(),
    /** When it held in the world; null: no known bound. */
    validFrom: moment('valid_from'),
    validTo: moment('valid_to'),
    supersededBy: uuid('superseded_by'),
    /** Set when the owner forgets it: hidden from that moment everywhere. */
    forgottenAt: moment('forgotten_at'),
    createdAt: moment('created_at').notNull().defaultNow(),
    updatedAt: moment('updated_at').notNull().defaultNow()
  },
  (table) => [
    primaryKey({ columns: [table.ownerId, table.id] }),
    foreignKey({
      columns: [table.ownerId, table.supersededBy],
      foreignColumns: [table.ownerId, table.id]
    }).onDelete('set null'),
    // The same fact is not kept twice, whoever writes it and however often.
    uniqueIndex('memories_text_hash')
      .on(table.ownerId, table.textHash)
      .where(sql`forgotten_at IS NULL AND status IN ('active', 'conflicting', 'proposed', 'unconfirmed')`),
    index('memories_newest').on(table.ownerId, table.createdAt.desc(), table.id.desc()),
    index('memories_superseded_by').on(table.ownerId, table.supersededBy)
  ]
)

/** Where a memory comes from: a message and the words in it, or the owner's own hand. */
export const memorySources = pgTable(
  'memory_sources',
  {
    ownerId: uuid('owner_id').notNull(),
    id: uuid('id').notNull(),
    memoryId: uuid('memory_id').notNull(),
    kind: text('kind', { enum: ['message', 'owner'] }).notNull(),
    messageId: uuid('message_id'),
    quote: text('quote').notNull(),
    /** Where the quote begins in the message, in UTF-16 units; null when the owner wrote the memory. */
    quoteStart: integer('quote_start'),
    saidBy: text('said_by', { enum: ['owner', 'assistant', 'other'] }).notNull(),
    /** When it was said. */
    saidAt: moment('said_at').notNull()
  },
  (table) => [
    primaryKey({ columns: [table.ownerId, table.id] }),
    foreignKey({
      columns: [table.ownerId, table.memoryId],
      foreignColumns: [memories.ownerId, memories.id]
    }).onDelete('cascade'),
    foreignKey({
      columns: [table.ownerId, table.messageId],
      foreignColumns: [messages.ownerId, messages.id]
    }).onDelete('set null'),
    index('memory_sources_memory').on(table.ownerId, table.memoryId),
    uniqueIndex('memory_sources_message').on(table.ownerId, table.messageId, table.memoryId)
  ]
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
