import { sql } from 'drizzle-orm'
import {
  boolean,
  foreignKey,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  real,
  text,
  uniqueIndex,
  uuid
} from 'drizzle-orm/pg-core'
import { owner } from '../auth/tables.ts'
import { messages } from '../chat/tables.ts'
import { bytes, moment } from '../db/columns.ts'

/** What can happen to a memory. */
export type MemoryAction =
  | 'created'
  | 'proven'
  | 'refined'
  | 'superseded'
  | 'conflicted'
  | 'resolved'
  | 'edited'
  | 'merged'
  | 'expired'
  | 'questioned'
  | 'confirmed'
  | 'approved'
  | 'rejected'
  | 'forgotten'
  | 'restored'

/** Columns of a memory by their names in the code, dates as ISO 8601. */
export type MemoryState = Record<string, unknown>

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
    /** What the owner sorted by hand stays so, and teaches the next extraction. */
    sortedBy: text('sorted_by', { enum: ['pai', 'owner'] })
      .notNull()
      .default('pai'),
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
    /** When PAI learned that it ended: until then `knownAt` sees it open. */
    closedAt: moment('closed_at'),
    /** Told in conversation, written by the owner, brought from elsewhere, or inferred by PAI from other memories. */
    origin: text('origin', { enum: ['told', 'written', 'imported', 'inferred'] })
      .notNull()
      .default('told'),
    /** Set when the owner forgets it: hidden from that moment everywhere. */
    forgottenAt: moment('forgotten_at'),
    /** When forgetting becomes final. */
    purgeAt: moment('purge_at'),
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
    // What has ended, is merged or was turned down is looked up by its words as well.
    index('memories_words').on(table.ownerId, table.textHash),
    index('memories_newest').on(table.ownerId, table.createdAt.desc(), table.id.desc()),
    index('memories_superseded_by').on(table.ownerId, table.supersededBy),
    index('memories_changed').on(table.ownerId, table.updatedAt),
    index('memories_slot').on(table.ownerId, table.subject, table.slot)
  ]
)

/** Where a memory comes from: a message and the words in it, the owner's own hand, or something the owner was shown. */
export const memorySources = pgTable(
  'memory_sources',
  {
    ownerId: uuid('owner_id').notNull(),
    id: uuid('id').notNull(),
    memoryId: uuid('memory_id').notNull(),
    kind: text('kind', { enum: ['message', 'owner', 'web', 'document', 'tool', 'import'] }).notNull(),
    messageId: uuid('message_id'),
    /** What it is called elsewhere: an address, a file's name; null for what was said here. */
    reference: text('reference'),
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

/** What a memory was derived from: when that changes it needs confirming, and when that is forgotten it goes too. */
export const memoryDependencies = pgTable(
  'memory_dependencies',
  {
    ownerId: uuid('owner_id').notNull(),
    memoryId: uuid('memory_id').notNull(),
    dependsOn: uuid('depends_on').notNull()
  },
  (table) => [
    primaryKey({ columns: [table.ownerId, table.memoryId, table.dependsOn] }),
    foreignKey({
      columns: [table.ownerId, table.memoryId],
      foreignColumns: [memories.ownerId, memories.id]
    }).onDelete('cascade'),
    foreignKey({
      columns: [table.ownerId, table.dependsOn],
      foreignColumns: [memories.ownerId, memories.id]
    }).onDelete('cascade'),
    index('memory_dependencies_depends_on').on(table.ownerId, table.dependsOn)
  ]
)

/** Everything that ever happened to a memory, oldest first by id: nothing is overwritten without a trace. */
export const memoryHistory = pgTable(
  'memory_history',
  {
    ownerId: uuid('owner_id').notNull(),
    id: uuid('id').notNull(),
    memoryId: uuid('memory_id').notNull(),
    action: text('action').$type<MemoryAction>().notNull(),
    by: text('by', { enum: ['owner', 'extraction', 'consolidation'] }).notNull(),
    reason: text('reason'),
    /** The columns that changed, as they were and as they became; null where the memory was not there. */
    before: jsonb('before').$type<MemoryState>(),
    after: jsonb('after').$type<MemoryState>(),
    /** The work it is a part of, such as one night's consolidation, undone together. */
    batchId: uuid('batch_id'),
    createdAt: moment('created_at').notNull().defaultNow(),
    undoneAt: moment('undone_at')
  },
  (table) => [
    primaryKey({ columns: [table.ownerId, table.id] }),
    foreignKey({
      columns: [table.ownerId, table.memoryId],
      foreignColumns: [memories.ownerId, memories.id]
    }).onDelete('cascade'),
    index('memory_history_memory').on(table.ownerId, table.memoryId, table.id),
    index('memory_history_batch').on(table.ownerId, table.batchId)
  ]
)

/** Two memories that cannot both be true, kept until the owner says which is. */
export const memoryConflicts = pgTable(
  'memory_conflicts',
  {
    ownerId: uuid('owner_id').notNull(),
    id: uuid('id').notNull(),
    memoryId: uuid('memory_id').notNull(),
    otherId: uuid('other_id').notNull(),
    reason: text('reason').notNull(),
    createdAt: moment('created_at').notNull().defaultNow(),
    resolvedAt: moment('resolved_at')
  },
  (table) => [
    primaryKey({ columns: [table.ownerId, table.id] }),
    foreignKey({
      columns: [table.ownerId, table.memoryId],
      foreignColumns: [memories.ownerId, memories.id]
    }).onDelete('cascade'),
    foreignKey({
      columns: [table.ownerId, table.otherId],
      foreignColumns: [memories.ownerId, memories.id]
    }).onDelete('cascade'),
    uniqueIndex('memory_conflicts_pair').on(table.ownerId, table.memoryId, table.otherId),
    index('memory_conflicts_other').on(table.ownerId, table.otherId)
  ]
)

/** Messages that extraction could not read: visible to the owner, and never taken for done. */
export const memoryExtractions = pgTable(
  'memory_extractions',
  {
    ownerId: uuid('owner_id').notNull(),
    messageId: uuid('message_id').notNull(),
    status: text('status', { enum: ['failing', 'parked'] }).notNull(),
    attempts: integer('attempts').notNull(),
    errorCode: text('error_code').notNull(),
    updatedAt: moment('updated_at').notNull().defaultNow()
  },
  (table) => [
    primaryKey({ columns: [table.ownerId, table.messageId] }),
    foreignKey({
      columns: [table.ownerId, table.messageId],
      foreignColumns: [messages.ownerId, messages.id]
    }).onDelete('cascade')
  ]
)

/** Proof that something was forgotten: what was looked through after the purge, without a word of what it was. */
export const memoryPurges = pgTable(
  'memory_purges',
  {
    ownerId: owner(),
    /** The id of the memory that was; nothing else is left of it. */
    id: uuid('id').notNull(),
    purgedAt: moment('purged_at').notNull().defaultNow(),
    /** Rows looked through and rows found holding it, by table or place. */
    checked: jsonb('checked').$type<Record<string, { looked: number; found: number }>>().notNull()
  },
  (table) => [primaryKey({ columns: [table.ownerId, table.id] })]
)
