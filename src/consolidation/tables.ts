import { foreignKey, index, integer, jsonb, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core'
import { owner } from '../auth/tables.ts'
import { conversations } from '../chat/tables.ts'
import { moment } from '../db/columns.ts'
import { memories } from '../memory/tables.ts'
import type { ConsolidationReport } from './schemas.ts'

/** A report as it is stored, with what a run that is repeated need not do again. */
export interface StoredReport extends ConsolidationReport {
  finished: string[]
  /** How often each part has failed. */
  failures?: Record<string, number>
  /** What stood where it wrote anew, for undo. */
  before?: {
    topics?: { id: string; topic: string; memoryIds: string[] }[]
    summaries?: Record<string, { text: string; throughSequence: number; builtAt: string }>
    /** The profile keeps what it said itself, but not since when it says so. */
    profileBuiltAt?: string
  }
}

/** One night's tidying of an owner's memory, with its report. */
export const consolidations = pgTable(
  'consolidations',
  {
    ownerId: owner(),
    id: uuid('id').notNull(),
    status: text('status', { enum: ['running', 'completed', 'failed', 'undone'] }).notNull(),
    report: jsonb('report').$type<StoredReport>().notNull(),
    startedAt: moment('started_at').notNull().defaultNow(),
    finishedAt: moment('finished_at'),
    undoneAt: moment('undone_at')
  },
  (table) => [
    primaryKey({ columns: [table.ownerId, table.id] }),
    index('consolidations_newest').on(table.ownerId, table.startedAt.desc(), table.id.desc())
  ]
)

/** Memories that belong together, under a topic with a name. */
export const memoryClusters = pgTable(
  'memory_clusters',
  {
    ownerId: owner(),
    id: uuid('id').notNull(),
    topic: text('topic').notNull(),
    size: integer('size').notNull(),
    updatedAt: moment('updated_at').notNull().defaultNow()
  },
  (table) => [primaryKey({ columns: [table.ownerId, table.id] })]
)

export const memoryClusterMembers = pgTable(
  'memory_cluster_members',
  {
    ownerId: uuid('owner_id').notNull(),
    memoryId: uuid('memory_id').notNull(),
    clusterId: uuid('cluster_id').notNull()
  },
  (table) => [
    primaryKey({ columns: [table.ownerId, table.memoryId] }),
    foreignKey({
      columns: [table.ownerId, table.memoryId],
      foreignColumns: [memories.ownerId, memories.id]
    }).onDelete('cascade'),
    foreignKey({
      columns: [table.ownerId, table.clusterId],
      foreignColumns: [memoryClusters.ownerId, memoryClusters.id]
    }).onDelete('cascade'),
    index('memory_cluster_members_cluster').on(table.ownerId, table.clusterId)
  ]
)

/** Who the owner is, in a few lines made from memories; read by every prompt. */
export const profiles = pgTable(
  'profiles',
  {
    ownerId: owner(),
    text: text('text').notNull(),
    /** What it said before, for undo. */
    previousText: text('previous_text'),
    /** The memories it was made from: when one is forgotten it is made again. */
    memoryIds: uuid('memory_ids').array().notNull().default([]),
    /** And those of what it said before. */
    previousMemoryIds: uuid('previous_memory_ids').array(),
    builtAt: moment('built_at').notNull().defaultNow()
  },
  (table) => [primaryKey({ columns: [table.ownerId] })]
)

/** A long conversation in short, up to a message: prompts read it in place of what is older. */
export const conversationSummaries = pgTable(
  'conversation_summaries',
  {
    ownerId: uuid('owner_id').notNull(),
    conversationId: uuid('conversation_id').notNull(),
    throughSequence: integer('through_sequence').notNull(),
    text: text('text').notNull(),
    builtAt: moment('built_at').notNull().defaultNow()
  },
  (table) => [
    primaryKey({ columns: [table.ownerId, table.conversationId] }),
    foreignKey({
      columns: [table.ownerId, table.conversationId],
      foreignColumns: [conversations.ownerId, conversations.id]
    }).onDelete('cascade')
  ]
)
