import {
  bigint,
  boolean,
  foreignKey,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  uniqueIndex,
  uuid
} from 'drizzle-orm/pg-core'
import { owner } from '../auth/tables.ts'
import { bytes, moment } from '../db/columns.ts'
import type { Citation, FinishReason, MemoryUsed, TurnError, TurnOptions, TurnUsage } from './schemas.ts'

export const conversations = pgTable(
  'conversations',
  {
    ownerId: owner(),
    id: uuid('id').notNull(),
    title: text('title').notNull().default(''),
    /** A temporary chat leaves nothing in memory. */
    temporary: boolean('temporary').notNull().default(false),
    /** Nothing new is remembered from here while this is set. */
    memoryPaused: boolean('memory_paused').notNull().default(false),
    /** Who gave it its title: its first words, a model, or its owner, whose title nothing replaces. */
    titledBy: text('titled_by', { enum: ['words', 'model', 'owner'] })
      .notNull()
      .default('words'),
    /** The model that answers here; null: the deployment's. */
    model: text('model'),
    /** Out of the way, and still searched and remembered from; null: in the list. */
    archivedAt: moment('archived_at'),
    /** The number the next message gets: order is by sequence, never by clock. */
    nextSequence: integer('next_sequence').notNull().default(1),
    createdAt: moment('created_at').notNull().defaultNow(),
    updatedAt: moment('updated_at').notNull().defaultNow()
  },
  (table) => [
    primaryKey({ columns: [table.ownerId, table.id] }),
    index('conversations_newest').on(table.ownerId, table.updatedAt.desc(), table.id.desc())
  ]
)

/** A tree: each message has a parent, so an edit or a regenerate is a branch. */
export const messages = pgTable(
  'messages',
  {
    ownerId: uuid('owner_id').notNull(),
    id: uuid('id').notNull(),
    conversationId: uuid('conversation_id').notNull(),
    parentId: uuid('parent_id'),
    sequence: integer('sequence').notNull(),
    role: text('role', { enum: ['user', 'assistant', 'system'] }).notNull(),
    /** Who spoke, where an imported conversation has more than two people. */
    name: text('name'),
    content: text('content').notNull(),
    /** The model that wrote it; null for what people wrote. */
    model: text('model'),
    citations: jsonb('citations').$type<Citation[]>().notNull().default([]),
    /** When memory extraction dealt with it; null: not yet. */
    extractedAt: moment('extracted_at'),
    createdAt: moment('created_at').notNull().defaultNow()
  },
  (table) => [
    primaryKey({ columns: [table.ownerId, table.id] }),
    uniqueIndex('messages_sequence').on(table.ownerId, table.conversationId, table.sequence),
    foreignKey({
      columns: [table.ownerId, table.conversationId],
      foreignColumns: [conversations.ownerId, conversations.id]
    }).onDelete('cascade'),
    foreignKey({ columns: [table.ownerId, table.parentId], foreignColumns: [table.ownerId, table.id] }),
    index('messages_said').on(table.ownerId, table.createdAt),
    index('messages_parent').on(table.ownerId, table.parentId)
  ]
)

/** A long conversation on its way in: its messages are stored, and searchable up to number `done`. */
export const imports = pgTable(
  'imports',
  {
    ownerId: uuid('owner_id').notNull(),
    id: uuid('id').notNull(),
    conversationId: uuid('conversation_id').notNull(),
    total: integer('total').notNull(),
    done: integer('done').notNull().default(0),
    createdAt: moment('created_at').notNull().defaultNow()
  },
  (table) => [
    primaryKey({ columns: [table.ownerId, table.id] }),
    foreignKey({
      columns: [table.ownerId, table.conversationId],
      foreignColumns: [conversations.ownerId, conversations.id]
    }).onDelete('cascade'),
    index('imports_conversation').on(table.ownerId, table.conversationId)
  ]
)

/** One user message and the work it causes. */
export const turns = pgTable(
  'turns',
  {
    ownerId: uuid('owner_id').notNull(),
    id: uuid('id').notNull(),
    conversationId: uuid('conversation_id').notNull(),
    userMessageId: uuid('user_message_id').notNull(),
    replyMessageId: uuid('reply_message_id'),
    status: text('status', {
      enum: ['queued', 'running', 'completed', 'failed', 'stopped', 'interrupted']
    }).notNull(),
    model: text('model').notNull(),
    options: jsonb('options').$type<TurnOptions>().notNull(),
    memoriesUsed: jsonb('memories_used').$type<MemoryUsed[]>().notNull().default([]),
    /** What the model took, and why it ended where it got to. */
    usage: jsonb('usage').$type<TurnUsage & { finishReason?: FinishReason }>(),
    error: jsonb('error').$type<TurnError>(),
    /** Who runs it, and until when nobody else may: a runner that dies stops renewing. */
    runnerId: uuid('runner_id'),
    leaseUntil: moment('lease_until'),
    stopRequestedAt: moment('stop_requested_at'),
    createdAt: moment('created_at').notNull().defaultNow(),
    finishedAt: moment('finished_at')
  },
  (table) => [
    primaryKey({ columns: [table.ownerId, table.id] }),
    foreignKey({
      columns: [table.ownerId, table.conversationId],
      foreignColumns: [conversations.ownerId, conversations.id]
    }).onDelete('cascade'),
    foreignKey({
      columns: [table.ownerId, table.userMessageId],
      foreignColumns: [messages.ownerId, messages.id]
    }).onDelete('cascade'),
    foreignKey({
      columns: [table.ownerId, table.replyMessageId],
      foreignColumns: [messages.ownerId, messages.id]
    }).onDelete('set null'),
    index('turns_conversation').on(table.ownerId, table.conversationId, table.createdAt),
    index('turns_user_message').on(table.ownerId, table.userMessageId),
    index('turns_reply_message').on(table.ownerId, table.replyMessageId)
  ]
)

/**
 * An image the owner sends with a message. It lies in the database, so that it is stored, deleted and backed up with the
 * words around it, and every process sees it.
 */
export const attachments = pgTable(
  'attachments',
  {
    ownerId: owner(),
    id: uuid('id').notNull(),
    /** null until a message takes it along; one that none takes is removed after a day. */
    messageId: uuid('message_id'),
    mediaType: text('media_type').notNull(),
    name: text('name'),
    /** Bytes. */
    size: integer('size').notNull(),
    content: bytes('content').notNull(),
    createdAt: moment('created_at').notNull().defaultNow()
  },
  (table) => [
    primaryKey({ columns: [table.ownerId, table.id] }),
    foreignKey({
      columns: [table.ownerId, table.messageId],
      foreignColumns: [messages.ownerId, messages.id]
    }).onDelete('cascade'),
    index('attachments_message').on(table.ownerId, table.messageId)
  ]
)

/** The turn log: what watchers read, numbered without gaps from 1. */
export const turnEvents = pgTable(
  'turn_events',
  {
    ownerId: uuid('owner_id').notNull(),
    turnId: uuid('turn_id').notNull(),
    id: bigint('id', { mode: 'number' }).notNull(),
    type: text('type').notNull(),
    data: jsonb('data').notNull()
  },
  (table) => [
    primaryKey({ columns: [table.ownerId, table.turnId, table.id] }),
    foreignKey({
      columns: [table.ownerId, table.turnId],
      foreignColumns: [turns.ownerId, turns.id]
    }).onDelete('cascade')
  ]
)
