import { boolean, foreignKey, integer, jsonb, pgTable, primaryKey, text, uuid } from 'drizzle-orm/pg-core'
import { owner } from '../auth/tables.ts'
import { moment } from '../db/columns.ts'

/** A file of conversations and memories on its way in, and what of it was new so far. */
export const fileImports = pgTable(
  'file_imports',
  {
    ownerId: owner(),
    id: uuid('id').notNull(),
    source: text('source', { enum: ['pai', 'chatgpt', 'claude'] }).notNull(),
    /** Whether memories are to be found in its conversations. */
    extract: boolean('extract').notNull(),
    /** Parts of the file, and how many of them are worked. */
    total: integer('total').notNull(),
    done: integer('done').notNull().default(0),
    conversations: integer('conversations').notNull().default(0),
    messages: integer('messages').notNull().default(0),
    memories: integer('memories').notNull().default(0),
    /** The memories that it brought, until they are joined to each other; ids in a document, not a list of ids. */
    kept: jsonb('kept').$type<string[]>().notNull().default([]),
    createdAt: moment('created_at').notNull().defaultNow()
  },
  (table) => [primaryKey({ columns: [table.ownerId, table.id] })]
)

/** What is still to be worked of a file: each part goes in the transaction that brings it in. */
export const fileImportParts = pgTable(
  'file_import_parts',
  {
    ownerId: uuid('owner_id').notNull(),
    importId: uuid('import_id').notNull(),
    place: integer('place').notNull(),
    content: jsonb('content').notNull(),
    createdAt: moment('created_at').notNull().defaultNow()
  },
  (table) => [
    primaryKey({ columns: [table.ownerId, table.importId, table.place] }),
    foreignKey({
      columns: [table.ownerId, table.importId],
      foreignColumns: [fileImports.ownerId, fileImports.id]
    }).onDelete('cascade')
  ]
)
