import { type Placeholder, type SQL, sql } from 'drizzle-orm'
import type { Tx } from '../db/client.ts'
import { type Claim, claiming } from '../db/idempotency.ts'
import { ask, fixed, type Statement } from '../db/statement.ts'
import { loadConversation } from './conversation-store.ts'
import { MessageNotFound } from './errors.ts'
import { firstEvent } from './events.ts'
import type { TurnOptions } from './schemas.ts'

/** How long a runner owns a turn without renewing. */
const LEASE = sql`now() + interval '15 seconds'`

export interface NewTurn {
  id: string
  /** The model that answers, unless its conversation has one of its own. */
  model: string
  options: TurnOptions
  runnerId: string
  userMessageId: string
  conversationId: string
}

/** What was stored with a message: what its conversation says of its turn. */
export interface Accepted {
  temporary: boolean
  model: string
}

/** What a turn answers: a message to be stored with it, in a conversation that is there or begins with it. */
export interface NewTurnMessage {
  text: string
  /** undefined: the conversation's newest message; null: none, beside the message the conversation began with. */
  parentId: string | null | undefined
  /** Set when the conversation begins with this message. */
  begins: { title: string; temporary: boolean } | null
}

interface AcceptedRow extends Record<string, unknown> {
  /** Whether the turn is new, and not that of an earlier request with the key. */
  mine: boolean
  /** null: the conversation, or the parent in it, is not the owner's. */
  temporary: boolean | null
  model: string | null
}

/**
 * Stores a message, its turn and the first event of the log, once for a key where there is one: one statement, since the person
 * waits for it.
 */
export function acceptMessage(
  ownerId: string,
  turn: NewTurn,
  { text, parentId, begins }: NewTurnMessage,
  claim: Claim | null
): Statement<AcceptedRow> {
  const accept = ACCEPT[begins ? 'begins' : 'goesOn'][claim ? 'once' : 'always']
  return accept({
    ...valuesOf(ownerId, turn),
    ...claim,
    text,
    title: begins?.title,
    temporary: begins?.temporary,
    parentId: parentId ?? null,
    followsNewest: parentId === undefined
  })
}

/** What was stored; null when the key was taken before, undefined where there is no place for the message: then nothing was. */
export function readAccepted([stored]: AcceptedRow[], { model }: NewTurn): Accepted | null | undefined {
  if (!stored?.mine) return null
  return stored.temporary === null ? undefined : { temporary: stored.temporary, model: stored.model ?? model }
}

/** Says why there is no place for a message. */
export async function refusePlace(
  tx: Tx,
  ownerId: string,
  { conversationId }: NewTurn,
  { parentId }: NewTurnMessage
): Promise<never> {
  await loadConversation(tx, ownerId, conversationId)
  throw new MessageNotFound(parentId ?? '')
}

/** Stores a turn for a message that is there, with the first event of its log. What is archived comes back. */
export async function acceptAgain(tx: Tx, ownerId: string, turn: NewTurn): Promise<void> {
  await ask(tx, acceptTurn(valuesOf(ownerId, turn)))
}

const acceptTurn = fixed<TurnValues>(
  (value) => sql`WITH unarchived AS (
      UPDATE conversations SET archived_at = NULL
       WHERE owner_id = ${value.ownerId} AND id = ${value.conversationId} AND archived_at IS NOT NULL
    ), ${insertTurn(value, sql`SELECT NULL::text AS model`)} SELECT`
)

interface TurnValues extends Record<string, unknown> {
  ownerId: string
  turnId: string
  conversationId: string
  userMessageId: string
  runnerId: string
  options: string
  firstEvent: string
  model: string
  /** Whether that model was asked for, for this turn. */
  modelAsked: boolean
}

interface MessageValues extends TurnValues, Partial<Claim> {
  text: string
  title: string | undefined
  temporary: boolean | undefined
  parentId: string | null
  followsNewest: boolean
}

function valuesOf(ownerId: string, turn: NewTurn): TurnValues {
  const { id: turnId, conversationId, userMessageId, model, options, runnerId } = turn
  return {
    ownerId,
    turnId,
    conversationId,
    userMessageId,
    runnerId,
    options: JSON.stringify(options),
    firstEvent: JSON.stringify(firstEvent(turn).data),
    model,
    modelAsked: options.model !== undefined
  }
}

type Placeholders<Values> = { [Name in keyof Values]-?: Placeholder }

const ACCEPT = {
  begins: {
    once: accepting(beginConversation, claiming),
    always: accepting(beginConversation, () => sql`SELECT`)
  },
  goesOn: { once: accepting(goOn, claiming), always: accepting(goOn, () => sql`SELECT`) }
}

/** Where a message goes: the conversation's statement, and the message it answers. */
type Place = (value: Placeholders<MessageValues>) => { conversation: SQL; parent: SQL }

function accepting(place: Place, claimed: (value: Placeholders<MessageValues>) => SQL) {
  return fixed<MessageValues, AcceptedRow>((given) => {
    const value = given as Placeholders<MessageValues>
    const { conversation, parent } = place(value)
    return sql`
    WITH claimed AS (${claimed(value)}), conversation AS (${conversation}),
    message AS (
      INSERT INTO messages (owner_id, id, conversation_id, parent_id, sequence, role, content)
      SELECT ${value.ownerId}::uuid, ${value.userMessageId}::uuid, ${value.conversationId}::uuid, ${parent}, sequence, 'user', ${value.text}
        FROM conversation
    ), ${insertTurn(value, sql`SELECT model FROM conversation`)}
    SELECT EXISTS (SELECT FROM claimed) AS mine, (SELECT temporary FROM conversation),
           (SELECT model FROM turn)`
  })
}

/** A conversation that begins has no message yet. */
function beginConversation(value: Placeholders<MessageValues>): ReturnType<Place> {
  return {
    conversation: sql`INSERT INTO conversations (owner_id, id, title, temporary, next_sequence)
          SELECT ${value.ownerId}::uuid, ${value.conversationId}::uuid, ${value.title}, ${value.temporary}::boolean, 2 FROM claimed
          RETURNING 1 AS sequence, temporary, model`,
    parent: sql`NULL::uuid`
  }
}

function goOn({
  ownerId,
  conversationId,
  parentId,
  followsNewest
}: Placeholders<MessageValues>): ReturnType<Place> {
  return {
    conversation: sql`UPDATE conversations SET next_sequence = next_sequence + 1, updated_at = now(), archived_at = NULL
           WHERE owner_id = ${ownerId} AND id = ${conversationId} AND EXISTS (SELECT FROM claimed)
             AND (${parentId}::uuid IS NULL OR EXISTS (SELECT FROM messages
                  WHERE owner_id = ${ownerId} AND id = ${parentId} AND conversation_id = ${conversationId}))
          RETURNING next_sequence - 1 AS sequence, temporary, model`,
    parent: sql`CASE WHEN ${followsNewest}::boolean THEN (SELECT id FROM messages
        WHERE owner_id = ${ownerId} AND conversation_id = ${conversationId} ORDER BY sequence DESC LIMIT 1)
        ELSE ${parentId}::uuid END`
  }
}

/**
 * A turn, once for the row of `from`, owned by its runner from the start; its log begins with who it is. A model that the
 * turn was asked to be answered by goes before the one that `from` names, and that before the deployment's.
 */
function insertTurn(value: Placeholders<TurnValues>, from: SQL): SQL {
  return sql`turn AS (
      INSERT INTO turns (owner_id, id, conversation_id, user_message_id, status, model, options, runner_id, lease_until)
      SELECT ${value.ownerId}::uuid, ${value.turnId}::uuid, ${value.conversationId}::uuid, ${value.userMessageId}::uuid, 'running',
             CASE WHEN ${value.modelAsked}::boolean THEN ${value.model} ELSE coalesce(once.model, ${value.model}) END,
             ${value.options}::jsonb, ${value.runnerId}::uuid, ${LEASE} FROM (${from}) AS once
      RETURNING model
    ), event AS (
      INSERT INTO turn_events (owner_id, turn_id, id, type, data)
      SELECT ${value.ownerId}::uuid, ${value.turnId}::uuid, 1, 'turn', jsonb_set(${value.firstEvent}::jsonb, '{model}', to_jsonb(model)) FROM turn
    )`
}
