import type { Message } from '@pai/sdk'
import { memo } from 'react'
import { CopyButton } from '../ui/copy-button.tsx'
import { Branches } from './branches.tsx'
import { Images } from './images.tsx'
import type { ReplyActions } from './reply.tsx'

interface UserMessageProps {
  message: Message
  siblings?: string[]
  position?: number
  actions: ReplyActions
}

export const UserMessage = memo(function UserMessage(props: UserMessageProps) {
  const { message, siblings = [], position = 0, actions } = props
  const { content: text, parentId, attachments } = message
  return (
    <article aria-label="You" className="group flex flex-col items-end gap-1">
      <div className="flex w-full items-start justify-end gap-1">
        <div className="pt-1.5 opacity-0 group-focus-within:opacity-100 group-hover:opacity-100 pointer-coarse:hidden">
          <CopyButton label="Copy message" text={() => text} />
        </div>
        <div className="flex max-w-[85%] flex-col items-end gap-2">
          {attachments.length > 0 && <Images attachments={attachments} />}
          <div className="max-w-full rounded-card rounded-br-md bg-bubble px-4 py-2.5 wrap-anywhere whitespace-pre-wrap">
            {text}
          </div>
        </div>
      </div>
      <Branches siblings={siblings} position={position} onChoose={(id) => actions.choose(parentId, id)} />
    </article>
  )
})
