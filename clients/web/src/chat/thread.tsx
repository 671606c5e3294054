import type { Attachment, Message } from '@pai/sdk'
import { ArrowDownIcon } from '@radix-ui/react-icons'
import { Fragment, useEffect, useState } from 'react'
import { Problem } from '../ui/problem.tsx'
import { Skeleton } from '../ui/skeleton.tsx'
import { EmptyChat } from './empty-chat.tsx'
import { isBusy, type LiveTurn } from './live-turn.ts'
import { NEW_SLOT } from './live-turns.ts'
import { Reply, type ReplyActions } from './reply.tsx'
import type { PathStep } from './tree.ts'
import { TurnTrouble } from './turn-trouble.tsx'
import type { ConversationView } from './use-conversation.ts'
import { useStickToBottom } from './use-stick-to-bottom.ts'
import { UserMessage } from './user-message.tsx'

interface ThreadProps {
  slot: string
  conversation: ConversationView
  onInsert: (text: string, images?: Attachment[]) => void
  onResume: () => void
}

/** The messages of a conversation, and the one being written. */
export function Thread({ slot, conversation, onInsert, onResume }: ThreadProps) {
  const { path, turn, actions, pending, error } = conversation
  const { scroller, content, atBottom, toBottom } = useStickToBottom(slot)
  const sent = turn?.idempotencyKey

  useEffect(() => {
    // Whoever sends something wants to see the answer.
    if (sent !== undefined) toBottom()
  }, [sent, toBottom])

  const entries = shownEntries(path, turn, slot)
  const last = entries.findLast(({ message }) => message.role === 'user')
  const empty = slot === NEW_SLOT && entries.length === 0 && !turn

  return (
    <div className="relative min-h-0 grow">
      <div ref={scroller} className="relative flex h-full flex-col overflow-y-auto">
        <div
          ref={content}
          className={empty ? 'flex grow flex-col' : 'mx-auto w-full max-w-3xl px-4 pt-4 pb-10'}
        >
          {empty && <EmptyChat onSuggest={onInsert} />}
          {pending && !turn && (
            <Skeleton
              label="Loading the conversation"
              lines={['ml-auto w-2/5', 'w-11/12', 'w-4/5', 'w-3/5']}
            />
          )}
          {Boolean(error) && !turn && (
            <Problem
              title="This conversation could not be opened"
              error={error}
              onRetry={conversation.retry}
            />
          )}
          <div className="space-y-6">
            {entries.map((entry, index) => (
              <Fragment key={keyOf(entry.message)}>
                <Article entry={entry} isLast={entry === last} actions={actions} busy={isBusy(turn)} />
                {entry.message.role === 'user' && entries[index + 1]?.message.role === 'user' && (
                  <NoReply message={entry.message} onAsk={conversation.regenerate} />
                )}
              </Fragment>
            ))}
            <TurnTrouble slot={slot} conversation={conversation} onInsert={onInsert} onResume={onResume} />
          </div>
        </div>
      </div>
      {!atBottom && (
        <button
          type="button"
          aria-label="Jump to latest"
          title="Jump to latest"
          onClick={() => toBottom('smooth')}
          className="absolute bottom-3 left-1/2 grid size-10 -translate-x-1/2 animate-appear place-items-center rounded-full border border-line bg-surface shadow-float hover:bg-hover"
        >
          <ArrowDownIcon />
        </button>
      )}
      <Announcement key={slot} turn={turn} />
    </div>
  )
}

/** The reason of a message that was left without a reply stays with it. */
function NoReply({ message, onAsk }: { message: Message; onAsk: (userMessageId: string) => void }) {
  const reason = message.turnError ? `: ${message.turnError.message}` : ''
  return (
    <p className="text-right text-sm text-muted">
      No reply came{reason}.{' '}
      <button
        type="button"
        className="rounded-md text-pine underline underline-offset-4"
        onClick={() => onAsk(message.id)}
      >
        Ask again
      </button>
    </p>
  )
}

/** A reply read out word by word would be noise: a screen reader hears that it is being written, and that it is there. */
function Announcement({ turn }: { turn: LiveTurn | undefined }) {
  const busy = isBusy(turn)
  const [replied, setReplied] = useState(false)
  if (busy && !replied) setReplied(true)
  return (
    <p role="status" className="sr-only">
      {busy ? 'PAI is replying' : replied && !turn ? 'PAI has replied' : ''}
    </p>
  )
}

interface Entry extends PathStep {
  /** The turn that is writing this reply. */
  writing?: LiveTurn
}

interface ArticleProps {
  entry: Entry
  isLast: boolean
  actions: ReplyActions
  busy: boolean
}

function Article({ entry, isLast, actions, busy }: ArticleProps) {
  const { message, siblings, position, writing } = entry
  if (message.role === 'system') return null
  const shared = { siblings, position, actions }
  if (message.role === 'user') {
    return <UserMessage message={message} busy={busy} isLast={isLast} {...shared} />
  }
  if (!writing) return <Reply message={message} {...shared} />
  const { reasoning, tools, notice } = writing
  const live = { reasoning, tools, notice, streaming: isBusy(writing) }
  return <Reply message={message} {...live} {...shared} />
}

/** A message keeps its element when it is stored and gets its id; only one child of a parent is shown at a time. */
const keyOf = ({ role, parentId }: Message) => `${role}:${parentId}`

const NO_SIBLINGS: string[] = []

/** The stored messages on the branch that is shown, then what the running turn has not stored yet. */
function shownEntries(path: PathStep[], turn: LiveTurn | undefined, conversationId: string): Entry[] {
  if (!turn || turn.messageId !== null) return path
  const { request, phase, userMessageId, text, model, citations } = turn
  const isUnstored = request.kind === 'send' && userMessageId === null
  // What comes after the answered message, or beside one that is edited, is another branch.
  const base = isUnstored ? (request.body.parentId ?? null) : userMessageId
  const last = path.findIndex((step) => step.message.id === base)
  const entries: Entry[] = last === -1 && !isUnstored ? [...path] : path.slice(0, last + 1)
  const alone = { siblings: NO_SIBLINGS, position: 0 }
  const unstored = {
    id: 'unstored',
    conversationId,
    model: null,
    citations: [],
    attachments: [],
    turnId: null,
    finishReason: null,
    turnStatus: null,
    turnError: null,
    createdAt: ''
  }
  if (isUnstored) {
    const parentId = request.body.parentId ?? null
    const { attachments } = request
    const message: Message = {
      ...unstored,
      role: 'user',
      parentId,
      content: request.body.message,
      attachments
    }
    entries.push({ message, ...alone })
  }
  if (phase !== 'unsent' && (isBusy(turn) || text !== '')) {
    const reply = {
      ...unstored,
      role: 'assistant',
      parentId: userMessageId,
      content: text,
      model,
      citations
    } as const
    entries.push({ message: reply, ...alone, writing: turn })
  }
  return entries
}
