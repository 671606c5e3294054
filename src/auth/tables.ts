import {
  boolean,
  foreignKey,
  integer,
  pgTable,
  primaryKey,
  text,
  uniqueIndex,
  uuid
} from 'drizzle-orm/pg-core'
import { bytes, moment } from '../db/columns.ts'

/** An account. Its id is the owner id of everything it has. */
export const users = pgTable(
  'users',
  {
    id: uuid('id').primaryKey(),
    /** Lower case: sign-in ignores case. */
    email: text('email').notNull(),
    name: text('name').notNull(),
    role: text('role', { enum: ['admin', 'member'] }).notNull(),
    passwordHash: text('password_hash').notNull(),
    timezone: text('timezone').notNull().default('UTC'),
    locale: text('locale').notNull().default('en'),
    instructions: text('instructions').notNull().default(''),
    memoryPaused: boolean('memory_paused').notNull().default(false),
    /** What models may cost in a month, in US cents, by the owner's own wish; null: as much as the deployment allows. */
    monthlyBudgetCents: integer('monthly_budget_cents'),
    createdAt: moment('created_at').notNull().defaultNow()
  },
  (table) => [uniqueIndex('users_email').on(table.email)]
)

/** Whose a row is: the start of every owner's key. */
export const owner = () =>
  uuid('owner_id')
    .notNull()
    .references(() => users.id, { onDelete: 'cascade' })

/** One sign-in. Its refresh tokens are a family: reuse of a spent one revokes them all. */
export const sessions = pgTable(
  'sessions',
  {
    ownerId: owner(),
    id: uuid('id').notNull(),
    createdAt: moment('created_at').notNull().defaultNow(),
    revokedAt: moment('revoked_at')
  },
  (table) => [primaryKey({ columns: [table.ownerId, table.id] })]
)

export const refreshTokens = pgTable(
  'refresh_tokens',
  {
    ownerId: uuid('owner_id').notNull(),
    id: uuid('id').notNull(),
    sessionId: uuid('session_id').notNull(),
    /** SHA-256. The token itself is never stored. */
    tokenHash: bytes('token_hash').notNull(),
    expiresAt: moment('expires_at').notNull(),
    usedAt: moment('used_at')
  },
  (table) => [
    primaryKey({ columns: [table.ownerId, table.id] }),
    uniqueIndex('refresh_tokens_hash').on(table.tokenHash),
    foreignKey({
      columns: [table.ownerId, table.sessionId],
      foreignColumns: [sessions.ownerId, sessions.id]
    }).onDelete('cascade')
  ]
)

export const apiKeys = pgTable(
  'api_keys',
  {
    ownerId: owner(),
    id: uuid('id').notNull(),
    name: text('name').notNull(),
    /** The first characters of the key, to tell keys apart in a list. */
    prefix: text('prefix').notNull(),
    keyHash: bytes('key_hash').notNull(),
    scopes: text('scopes').array().notNull(),
    expiresAt: moment('expires_at'),
    lastUsedAt: moment('last_used_at'),
    createdAt: moment('created_at').notNull().defaultNow()
  },
  (table) => [
    primaryKey({ columns: [table.ownerId, table.id] }),
    uniqueIndex('api_keys_hash').on(table.keyHash)
  ]
)

/** A one-time permission to register, given out by an administrator. */
export const invitations = pgTable(
  'invitations',
  {
    ownerId: owner(),
    id: uuid('id').notNull(),
    codeHash: bytes('code_hash').notNull(),
    expiresAt: moment('expires_at').notNull(),
    usedAt: moment('used_at'),
    createdAt: moment('created_at').notNull().defaultNow()
  },
  (table) => [
    primaryKey({ columns: [table.ownerId, table.id] }),
    uniqueIndex('invitations_code_hash').on(table.codeHash)
  ]
)
