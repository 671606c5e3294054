import { v7 as uuidv7 } from 'uuid'
import type { Database } from '../db/client.ts'
import { once } from '../db/idempotency.ts'
import { readPage } from '../http/cursor.ts'
import type { PageQuery } from '../http/schemas.ts'
import type { SignedIn } from './authenticate.ts'
import { ApiKeyNotFound, ExpiryInvalid } from './errors.ts'
import type { Revocations } from './revocations.ts'
import {
  type ApiKey,
  type ApiKeyBody,
  type ApiKeyPage,
  DEFAULT_SCOPES,
  type NewApiKey,
  type Scope
} from './schemas.ts'
import { derivedSecret, hashSecret, randomSecret } from './secrets.ts'
import { assertLiveSession } from './sessions.ts'
import { type ApiKeyRow, createApiKey, listApiKeys, removeApiKey } from './store.ts'

export const API_KEY_PREFIX = 'pai_'
/** Enough to tell one key from another, too little to guess the rest by. */
const SHOWN_CHARACTERS = API_KEY_PREFIX.length + 6

interface Dependencies {
  database: Database
  revocations: Revocations
  /** Derives a key made under an `Idempotency-Key`, so that a retry can show it again though it is not stored. */
  replayKey: Buffer
}

export interface ApiKeys {
  create(by: SignedIn, body: ApiKeyBody, idempotencyKey: string | undefined): Promise<NewApiKey>
  list(ownerId: string, query: PageQuery): Promise<ApiKeyPage>
  remove(ownerId: string, id: string): Promise<void>
}

export function createApiKeys({ database, revocations, replayKey }: Dependencies): ApiKeys {
  return {
    create(by, body, idempotencyKey) {
      const expiresAt = body.expiresAt === undefined ? null : new Date(body.expiresAt)
      const secretOf = (id: string) =>
        idempotencyKey === undefined
          ? randomSecret(API_KEY_PREFIX)
          : derivedSecret(API_KEY_PREFIX, replayKey, 'api-key', id, idempotencyKey)
      const call = { ownerId: by.id, key: idempotencyKey, call: 'POST /v1/api-keys', body }

      return database.inOwner(by.id, async (tx) => {
        await assertLiveSession(tx, by)
        let key: string | undefined
        // What is kept for a retry is the answer without the key.
        const apiKey = await once(tx, call, async () => {
          if (expiresAt && expiresAt <= new Date()) throw new ExpiryInvalid()
          const id = uuidv7()
          key = secretOf(id)
          const row = await createApiKey(tx, by.id, {
            id,
            name: body.name.trim(),
            prefix: key.slice(0, SHOWN_CHARACTERS),
            keyHash: hashSecret(key),
            scopes: body.scopes ?? [...DEFAULT_SCOPES],
            expiresAt
          })
          return toApiKey(row)
        })
        return { ...apiKey, key: key ?? secretOf(apiKey.id) }
      })
    },

    list(ownerId, query) {
      return readPage(
        query,
        (limit, after) => database.readInOwner(ownerId, (tx) => listApiKeys(tx, ownerId, limit, after?.id)),
        ({ createdAt, id }) => ({ at: createdAt, id }),
        toApiKey
      )
    },

    async remove(ownerId, id) {
      await database.inOwner(ownerId, async (tx) => {
        if (!(await removeApiKey(tx, ownerId, id))) throw new ApiKeyNotFound(id)
        await revocations.announce(tx, id)
      })
    }
  }
}

function toApiKey({ scopes, expiresAt, lastUsedAt, createdAt, ...rest }: ApiKeyRow): ApiKey {
  return {
    ...rest,
    scopes: scopes as Scope[],
    expiresAt: expiresAt?.toISOString() ?? null,
    lastUsedAt: lastUsedAt?.toISOString() ?? null,
    createdAt: createdAt.toISOString()
  }
}
