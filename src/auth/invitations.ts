import { v7 as uuidv7 } from 'uuid'
import type { Database } from '../db/client.ts'
import { once } from '../db/idempotency.ts'
import { readPage } from '../http/cursor.ts'
import type { PageQuery } from '../http/schemas.ts'
import type { SignedIn } from './authenticate.ts'
import { InvitationNotFound } from './errors.ts'
import type { Invitation, InvitationBody, InvitationPage, NewInvitation } from './schemas.ts'
import { derivedSecret, hashSecret, randomSecret } from './secrets.ts'
import { assertLiveSession } from './sessions.ts'
import { createInvitation, type InvitationRow, listInvitations, removeInvitation } from './store.ts'

const CODE_PREFIX = 'inv_'
const WEEK_HOURS = 7 * 24

interface Dependencies {
  database: Database
  /** Derives a code made under an `Idempotency-Key`, as for API keys. */
  replayKey: Buffer
}

export interface Invitations {
  create(by: SignedIn, body: InvitationBody, idempotencyKey: string | undefined): Promise<NewInvitation>
  list(ownerId: string, query: PageQuery): Promise<InvitationPage>
  remove(ownerId: string, id: string): Promise<void>
}

export function createInvitations({ database, replayKey }: Dependencies): Invitations {
  return {
    create(by, body, idempotencyKey) {
      const codeOf = (id: string) =>
        idempotencyKey === undefined
          ? randomSecret(CODE_PREFIX)
          : derivedSecret(CODE_PREFIX, replayKey, 'invitation', id, idempotencyKey)
      const call = { ownerId: by.id, key: idempotencyKey, call: 'POST /v1/invitations', body }

      return database.inOwner(by.id, async (tx) => {
        await assertLiveSession(tx, by)
        let code: string | undefined
        const { id, expiresAt } = await once(tx, call, async () => {
          const newId = uuidv7()
          code = codeOf(newId)
          const row = await createInvitation(tx, by.id, {
            id: newId,
            codeHash: hashSecret(code),
            expiresInHours: body.expiresInHours ?? WEEK_HOURS
          })
          return toInvitation(row)
        })
        return { id, code: code ?? codeOf(id), expiresAt }
      })
    },

    list(ownerId, query) {
      return readPage(
        query,
        (limit, after) =>
          database.readInOwner(ownerId, (tx) => listInvitations(tx, ownerId, limit, after?.id)),
        ({ createdAt, id }) => ({ at: createdAt, id }),
        toInvitation
      )
    },

    async remove(ownerId, id) {
      if (!(await database.inOwner(ownerId, (tx) => removeInvitation(tx, ownerId, id))))
        throw new InvitationNotFound(id)
    }
  }
}

function toInvitation({ id, expiresAt, usedAt, createdAt }: InvitationRow): Invitation {
  return {
    id,
    expiresAt: expiresAt.toISOString(),
    usedAt: usedAt?.toISOString() ?? null,
    createdAt: createdAt.toISOString()
  }
}
