import type { Message } from '@pai/sdk'
import { UpdateIcon } from '@radix-ui/react-icons'
import { memo } from 'react'
import { ModelName } from '../shell/model-badge.tsx'
import { IconButton } from '../ui/button.tsx'
import { CopyButton } from '../ui/copy-button.tsx'
import { Mark } from '../ui/mark.tsx'
import { Branches } from './branches.tsx'
import { CitationsContext, OtherCitations } from './citations.tsx'
import { CutShort } from './cut-short.tsx'
import type { ToolUse } from './live-turn.ts'
import { Markdown } from './markdown.tsx'
import { MemoriesUsed } from './memories-used.tsx'

/** What can be done with the messages of a conversation; stable, so that a new word does not render the old ones. */
export interface ReplyActions {
  choose: (parentId: string | null, id: string) => void
  regenerate: (reply: Message) => void
  /** Goes on from where a reply was cut off. */
  goOn: (reply: Message) => void
  /** Says a message of the owner's otherwise. */
  edit: (message: Message, text: string) => void
}

interface ReplyProps {
  message: Message
  actions: ReplyActions
  streaming?: boolean
  reasoning?: string
  tools?: ToolUse[]
  notice?: string
  siblings?: string[]
  position?: number
}

const NO_TOOLS: ToolUse[] = []
const NO_SIBLINGS: string[] = []

export const Reply = memo(function Reply(props: ReplyProps) {
  const { message, actions, streaming = false, reasoning = '', tools = NO_TOOLS } = props
  const { siblings = NO_SIBLINGS, position = 0, notice = '' } = props
  const text = message.content

  return (
    <article
      aria-label="PAI"
      aria-busy={streaming}
      className="group flex flex-col gap-2 sm:flex-row sm:gap-4"
    >
      <Mark className={`mt-0.5 size-7 shrink-0 ${streaming ? 'animate-breathe' : ''}`} />
      <div className="min-w-0 grow">
        {notice !== '' && <p className="mb-2 text-sm text-muted">{notice}.</p>}
        {reasoning !== '' && <Reasoning text={reasoning} />}
        {tools.map((tool) => (
          <ToolLine key={tool.callId} tool={tool} />
        ))}
        {streaming && text === '' && <p className="animate-breathe text-muted">Thinking…</p>}
        <CitationsContext value={message.citations}>
          <div className="prose" data-streaming={streaming && text !== '' ? true : undefined}>
            <Markdown text={text} />
          </div>
          <OtherCitations text={text} citations={message.citations} />
        </CitationsContext>
        {!streaming && (
          <>
            <CutShort message={message} onContinue={actions.goOn} />
            <MemoriesUsed messageId={message.id} turnId={message.turnId} />
            <div className="mt-2 -ml-2 flex h-8 items-center gap-0.5">
              <CopyButton label="Copy reply" text={() => text} />
              <IconButton label="Regenerate" className="size-8" onClick={() => actions.regenerate(message)}>
                <UpdateIcon />
              </IconButton>
              <Branches
                siblings={siblings}
                position={position}
                onChoose={(id) => actions.choose(message.parentId, id)}
              />
              <span className="ml-2 flex min-w-0 items-center">
                {message.model !== null && <ModelName model={message.model} />}
              </span>
            </div>
          </>
        )}
      </div>
    </article>
  )
})

function Reasoning({ text }: { text: string }) {
  return (
    <details className="mb-3 text-sm text-muted">
      <summary className="w-fit cursor-pointer rounded-md hover:text-ink">How PAI thought about it</summary>
      <p className="mt-2 border-l-2 border-line pl-3.5 whitespace-pre-wrap">{text}</p>
    </details>
  )
}

const TOOL_STATES: Record<ToolUse['state'], string> = {
  running: 'Using',
  done: 'Used',
  failed: 'Could not use'
}

function ToolLine({ tool }: { tool: ToolUse }) {
  return (
    <p className="mb-2 text-sm text-muted">
      {TOOL_STATES[tool.state]} <code className="font-mono text-xs">{tool.name}</code>
    </p>
  )
}
