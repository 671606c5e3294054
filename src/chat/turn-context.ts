import type { Carried } from '../consolidation/carried.ts'
import type { Database, Tx } from '../db/client.ts'
import type { ChatModel } from '../llm/model.ts'
import type { Hiding } from '../memory/forgetting/hide-forgotten.ts'
import type { RecallItem } from '../memory/recall/recall.ts'
import { loadImages } from './attachments.ts'
import { type BranchMessage, loadBranch } from './conversation-store.ts'
import type { AcceptedTurn } from './run-turn.ts'

/** How much of a conversation a model reads. */
export const HISTORY_MESSAGES = 100
const NO_IMAGES: Awaited<ReturnType<typeof loadImages>> = new Map()
/** Of an account that was removed while its turn ran. */
const UNKNOWN_OWNER: Carried = { name: '', timezone: 'UTC', instructions: '', aboutOwner: '', summary: null }

export interface ContextDeps {
  database: Database
  findCarried: (
    tx: Tx,
    ownerId: string,
    conversationId: string,
    messageId: string
  ) => Promise<Carried | undefined>
  hiding: Pick<Hiding, 'messages'>
}

/** What its model reads beside what is recalled: the branch it answers, with what is carried from before and the owner's wishes. */
export async function loadContext(
  { database, findCarried, hiding }: ContextDeps,
  turn: AcceptedTurn,
  model: ChatModel
) {
  const { ownerId, userMessageId, text, conversationId, hasImages } = turn
  const seesImages = model.abilities?.images ?? false
  const alone: BranchMessage[] = [{ id: userMessageId, role: 'user', content: text, sequence: 1, hasImages }]
  async function read() {
    // Begun before, and there is nothing else to read.
    if (turn.carried) return [await turn.carried, alone, NO_IMAGES] as const
    return database.readInOwner(ownerId, readMore)
  }
  async function readMore(tx: Tx) {
    const known = await findCarried(tx, ownerId, conversationId, userMessageId)
    const said = turn.begins
      ? alone
      : await hiding.messages(tx, ownerId, loadBranch(tx, ownerId, userMessageId, HISTORY_MESSAGES))
    // What was shown to another model before must not keep one that does not see from answering.
    const shown = said.filter((one) => one.hasImages && (seesImages || one.id === userMessageId))
    const ids = shown.map(({ id }) => id)
    return [known, said, ids.length > 0 ? await loadImages(tx, ownerId, ids) : NO_IMAGES] as const
  }
  const [carried = UNKNOWN_OWNER, branch, images] = await read()
  const { summary, aboutOwner, instructions, ...owner } = carried
  // Past the history's limit the summary ends before it begins.
  const covered = branch.findIndex(({ sequence }) => sequence === summary?.throughSequence) + 1
  // What was said before an edit is as good as unsaid. Past the history's limit it cannot be told from what is only older.
  const ids = branch.length < HISTORY_MESSAGES ? new Set(branch.map(({ id }) => id)) : null
  return {
    ...owner,
    isOnOtherBranch: (item: RecallItem) =>
      item.conversationId === conversationId && ids !== null && !ids.has(item.id),
    instructions: [instructions, turn.wishes?.instructions].filter(Boolean).join('\n\n'),
    aboutOwner: turn.options.useMemory ? aboutOwner : '',
    summary: summary?.text ?? '',
    history: branch.slice(covered).map((message) => {
      const seen = images.get(message.id)
      return seen ? { ...message, images: seen } : message
    })
  }
}
