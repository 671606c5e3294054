import { setImmediate as nextLoop } from 'node:timers/promises'
import { v7 as uuidv7 } from 'uuid'
import type { Carried } from '../consolidation/carried.ts'
import type { Database, Tx } from '../db/client.ts'
import { claim, findAnswer, type IdempotentCall, toClaim } from '../db/idempotency.ts'
import { ask } from '../db/statement.ts'
import type { GiveWay } from '../jobs/give-way.ts'
import type { Hiding } from '../memory/forgetting/hide-forgotten.ts'
import type { RecallItem, RecallQuery } from '../memory/recall/recall.ts'
import { type Accepted, acceptAgain, acceptMessage, readAccepted, refusePlace } from './accept-message.ts'
import { attachTo, hasImages } from './attachments.ts'
import { loadConversation, loadMessage, type MessageRow } from './conversation-store.ts'
import { ConversationNotTemporary, MessageNotFound, TurnNotCutOff } from './errors.ts'
import { firstEvent, type LoggedEvent, toLogged } from './events.ts'
import { storeConversation } from './import-store.ts'
import { type AcceptedTurn, recallQuery, type Wishes } from './run-turn.ts'
import type { Runner } from './runner.ts'
import type { ChatBody, TurnStatus } from './schemas.ts'
import { createTakeUp, type KnownAgain, type ToBegin } from './take-up.ts'
import { toTitle } from './title.ts'
import { findOptions, loadTurn, type TurnRow } from './turn-store.ts'
import { type ChatModels, findModel, isListed, refuseUnseen, whoAnswers } from './who-answers.ts'

export interface StartedTurn {
  turnId: string
  /** The log so far, where this call made the turn: who watches it need not read it back. */
  events: LoggedEvent[]
}

const OFFLINE = 'offline'
/** What a turn that was cut off has ended as. */
const CUT_OFF = new Set<TurnStatus>(['stopped', 'interrupted', 'failed'])

/** A conversation that another keeps. */
export interface BroughtAlong {
  /** Oldest first; the last one is the owner's, and is answered. */
  said: { role: 'user' | 'assistant'; content: string }[]
  model: string | undefined
  wishes: Wishes
}

/** What another way in than PAI's own brings along with a message. */
export interface Brought {
  /** For this turn alone, and not kept. */
  wishes?: Wishes
  /** As in `IdempotentCall`. */
  isRetry?: boolean | undefined
}

export type StartTurn = ReturnType<typeof createStartTurn>

/**
 * Stores the owner's message and the turn, then runs it. When this returns, the message is in the database; everything
 * that can be refused has been refused. The same key makes one turn, which runs once, whichever of its calls begins it.
 */
export function createStartTurn({
  database,
  runner,
  hiding,
  readCarried,
  recallFor,
  giveWay,
  models
}: {
  database: Database
  runner: Runner
  hiding: Pick<Hiding, 'messages'>
  readCarried: (ownerId: string, conversationId: string, messageId: string) => Promise<Carried | undefined>
  /** Recalls on the owner's account. */
  recallFor: (
    ownerId: string,
    query: RecallQuery,
    conversationId: string,
    signal: AbortSignal
  ) => Promise<RecallItem[]>
  giveWay: Pick<GiveWay, 'begin'>
  models: ChatModels
}) {
  function begin(accepted: ToBegin): StartedTurn {
    const turn = { ...accepted, onFirstWord: accepted.onFirstWord ?? giveWay.begin() }
    runner.run(turn)
    return { turnId: turn.id, events: [toLogged(firstEvent(turn), 1)] }
  }

  const takeUp = createTakeUp({ database, runner })

  /** Stores a turn of this id and begins it, or answers what an earlier call with the key has stored. */
  async function acceptOnce(
    ownerId: string,
    id: string,
    accept: () => Promise<ToBegin | { turnId: string }>,
    know: (tx: Tx, turn: TurnRow) => Promise<KnownAgain> = async () => ({})
  ): Promise<StartedTurn> {
    // A retry may find it stored before this call hears of it.
    const release = runner.claim(id)
    try {
      const accepted = await accept()
      if (!('turnId' in accepted)) return begin(accepted)
      const { turnId } = accepted
      return (await takeUp(ownerId, turnId, know, begin)) ?? { turnId, events: [] }
    } finally {
      release?.()
    }
  }

  function recallAhead(ownerId: string, text: string, conversationId: string): AcceptedTurn['recalled'] {
    const leave = new AbortController()
    const { signal } = leave
    // What is to be stored is sent first: taking the words apart takes as long as storing them.
    const items = nextLoop(undefined, { signal }).then(() =>
      recallFor(ownerId, recallQuery(text), conversationId, signal)
    )
    // Whoever waits for it hears of a failure; nobody may.
    items.catch(() => {})
    return { items, leave }
  }

  /** Accepts another turn for a message that is there, asked for as it was last. */
  async function acceptFor(tx: Tx, ownerId: string, id: string, asked: MessageRow): Promise<ToBegin> {
    const { id: userMessageId, conversationId, content: text } = asked
    const { temporary, model } = await loadConversation(tx, ownerId, conversationId)
    const options = (await findOptions(tx, ownerId, userMessageId)) ?? { useMemory: true }
    // Of two that were chosen, the message's own goes first, for as long as it is there.
    const chosen = [options.model, model].find((name) => name && isListed(models, name)) ?? model ?? undefined
    const { model: answers, isGone } = whoAnswers(models, chosen)
    const turn = {
      id,
      conversationId,
      userMessageId,
      model: isGone && chosen ? chosen : answers.id,
      options,
      runnerId: runner.id
    }
    if (await hasImages(tx, ownerId, userMessageId)) refuseUnseen(answers)
    await acceptAgain(tx, ownerId, turn)
    return { ...turn, ownerId, text, temporary, hasImages: false, begins: false }
  }

  return {
    /** Answers a new message. */
    async chat(
      ownerId: string,
      body: ChatBody,
      key?: string,
      { wishes, isRetry }: Brought = {}
    ): Promise<StartedTurn> {
      const { message: text, parentId, useMemory = true, temporary = false, model, attachmentIds = [] } = body
      const turn = {
        id: uuidv7(),
        conversationId: body.conversationId ?? uuidv7(),
        userMessageId: uuidv7(),
        model: findModel(models, model).id,
        options: { useMemory, ...(model && { model }) },
        runnerId: runner.id
      }
      const begins = body.conversationId ? null : { title: toTitle(text), temporary }
      if (parentId && begins) throw new MessageNotFound(parentId)
      // What is wished for is a part of what is asked.
      const asked = wishes ? { ...body, wishes } : body
      const call: IdempotentCall = { ownerId, key, call: 'POST /v1/chat', body: asked, isRetry }
      const message = { text, parentId, begins }
      /** Nothing that is there already has a say in it. */
      const isAlone = begins && attachmentIds.length === 0
      const onFirstWord = giveWay.begin()
      let recalled: AcceptedTurn['recalled']
      const hasImages = attachmentIds.length > 0
      const know = async () => ({ wishes, hasImages, begins: begins !== null })
      return acceptOnce(ownerId, turn.id, store, know)

      async function store(): Promise<ToBegin | { turnId: string }> {
        // Whatever is thrown from here on, nobody waits any longer.
        try {
          const accept = acceptMessage(ownerId, turn, message, toClaim(call, { turnId: turn.id }))
          const storing = isAlone
            ? database.oneInOwner(ownerId, accept).then((rows) => readAccepted(rows, turn) ?? null)
            : storeAmongOthers(accept)
          // Storing waits for the disk, and reading need not wait for that. Who is refused, or was answered before, has no use for it.
          const carried = isAlone ? readCarried(ownerId, turn.conversationId, turn.userMessageId) : undefined
          carried?.catch(() => {})
          recalled = useMemory ? recallAhead(ownerId, text, turn.conversationId) : undefined
          const accepted = await storing
          if (accepted) {
            const ready = { ...turn, ...accepted, ownerId, text, wishes, hasImages, begins: begins !== null }
            return { ...ready, carried, recalled, onFirstWord }
          }
          const earlier = await database.readInOwner(ownerId, (tx) =>
            findAnswer<{ turnId: string }>(tx, call)
          )
          giveUp()
          return earlier
        } catch (error) {
          giveUp()
          throw error
        }
      }
      async function storeAmongOthers(accept: ReturnType<typeof acceptMessage>): Promise<Accepted | null> {
        return database.inOwner(ownerId, async (tx) => {
          const stored = readAccepted(await ask(tx, accept), turn)
          if (stored === null) return null
          if (!stored) return refusePlace(tx, ownerId, turn, message)
          if (temporary && !stored.temporary) throw new ConversationNotTemporary(turn.conversationId)
          // Refused before it is stored, also where nobody may answer in place of a model that is gone.
          const { model: answers } = whoAnswers(models, stored.model)
          if (attachmentIds.length > 0) {
            refuseUnseen(answers)
            await attachTo(tx, ownerId, turn.userMessageId, attachmentIds)
          }
          return stored
        })
      }
      function giveUp(): void {
        onFirstWord()
        recalled?.leave.abort()
      }
    },

    /**
     * Answers the end of a conversation that its caller keeps, and brings along whole each time. Here it is a temporary
     * one, of which nothing is remembered, and which is gone after a day.
     */
    async answerOnce(
      ownerId: string,
      { said, model, wishes }: BroughtAlong,
      call: Omit<IdempotentCall, 'ownerId'>
    ): Promise<StartedTurn> {
      const messageIds = said.map(() => uuidv7())
      const options = { useMemory: true, ...(model && { model }) }
      const turn = {
        id: uuidv7(),
        conversationId: uuidv7(),
        userMessageId: messageIds.at(-1) as string,
        model: findModel(models, model).id,
        options,
        runnerId: runner.id
      }
      const now = new Date().toISOString()
      const text = said.at(-1)?.content ?? ''
      const accept = async (tx: Tx): Promise<ToBegin | { turnId: string }> => {
        const earlier = await claim<{ turnId: string }>(tx, { ...call, ownerId }, { turnId: turn.id })
        if (earlier) return earlier.answer
        const conversation = {
          id: turn.conversationId,
          title: '',
          titledBy: 'words' as const,
          temporary: true
        }
        const messages = said.map((message) => ({ ...message, createdAt: now }))
        await storeConversation(tx, ownerId, conversation, messages, messageIds)
        await acceptAgain(tx, ownerId, turn)
        return { ...turn, ownerId, text, wishes, temporary: true, hasImages: false, begins: false }
      }
      const store = () => database.inOwner(ownerId, accept)
      return acceptOnce(ownerId, turn.id, store, async () => ({ wishes }))
    },

    /** Answers an earlier message once more, as a new branch. `messageId` is that message, or a reply to it. */
    async regenerate(ownerId: string, messageId: string, key?: string): Promise<StartedTurn> {
      const id = uuidv7()
      const call = { ownerId, key, call: `POST /v1/messages/${messageId}/regenerate`, body: {} }
      const accept = async (tx: Tx): Promise<ToBegin | { turnId: string }> => {
        const earlier = await claim<{ turnId: string }>(tx, call, { turnId: id })
        if (earlier) return earlier.answer
        const message = await loadMessage(tx, ownerId, messageId)
        const asked =
          message.role === 'user' ? message : await loadMessage(tx, ownerId, message.parentId ?? messageId)
        if (asked.role !== 'user') throw new MessageNotFound(messageId)
        return acceptFor(tx, ownerId, id, asked)
      }
      return acceptOnce(ownerId, id, () => database.inOwner(ownerId, accept))
    },

    /** Goes on from the words of a turn that was cut off, as a new branch that begins with them. */
    async continueTurn(ownerId: string, turnId: string, key?: string): Promise<StartedTurn> {
      const id = uuidv7()
      const call = { ownerId, key, call: `POST /v1/turns/${turnId}/continue`, body: {} }
      const accept = async (tx: Tx): Promise<ToBegin | { turnId: string }> => {
        const earlier = await claim<{ turnId: string }>(tx, call, { turnId: id })
        if (earlier) return earlier.answer
        const cutOff = await loadTurn(tx, ownerId, turnId)
        if (!CUT_OFF.has(cutOff.status) && cutOff.usage?.finishReason !== 'length')
          throw new TurnNotCutOff(turnId)
        const asked = await loadMessage(tx, ownerId, cutOff.userMessageId)
        const turn = await acceptFor(tx, ownerId, id, asked)
        return { ...turn, ...(await begunBy(tx, cutOff, turn.model)) }
      }
      const know = async (tx: Tx, { model }: TurnRow) =>
        begunBy(tx, await loadTurn(tx, ownerId, turnId), model)
      return acceptOnce(ownerId, id, () => database.inOwner(ownerId, accept), know)

      async function begunBy(tx: Tx, { replyMessageId }: TurnRow, model: string): Promise<KnownAgain> {
        // What quotes instead of writing says the whole of it anew.
        if (!replyMessageId || whoAnswers(models, model).model.id === OFFLINE) return {}
        const reply = await loadMessage(tx, ownerId, replyMessageId)
        const [begun] = await hiding.messages(tx, ownerId, [reply])
        return begun ? { begun } : {}
      }
    }
  }
}
