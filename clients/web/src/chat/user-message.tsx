import type { Message } from '@pai/sdk'
import { Pencil1Icon } from '@radix-ui/react-icons'
import { memo, useState } from 'react'
import { lacksForgotten } from '../memories/forgotten-words.ts'
import { IconButton } from '../ui/button.tsx'
import { CopyButton } from '../ui/copy-button.tsx'
import { Branches } from './branches.tsx'
import { EditMessage } from './edit-message.tsx'
import { Images } from './images.tsx'
import { Learnt } from './learnt.tsx'
import type { ReplyActions } from './reply.tsx'

interface UserMessageProps {
  message: Message
  /** A reply is being written. */
  busy: boolean
  /** The latest of the conversation: what was learnt from it is told. */
  isLast: boolean
  siblings?: string[]
  position?: number
  actions: ReplyActions
}

/** A message that the server has not named yet. */
const UNSTORED = 'unstored'

export const UserMessage = memo(function UserMessage(props: UserMessageProps) {
  const { message, busy, isLast, siblings = [], position = 0, actions } = props
  const { id, content: text, parentId, attachments } = message
  const [editedId, setEditedId] = useState<string | null>(null)
  const isEditing = editedId === id

  return (
    <article aria-label="You" className="group flex flex-col items-end gap-1">
      {attachments.length > 0 && <Images attachments={attachments} />}
      {isEditing ? (
        <EditMessage
          text={text}
          busy={busy}
          onCancel={() => setEditedId(null)}
          onSend={(edited) => {
            setEditedId(null)
            if (edited !== text) actions.edit(message, edited)
          }}
        />
      ) : (
        <div className="flex w-full items-start justify-end gap-1">
          <div className="flex pt-1.5 opacity-0 group-focus-within:opacity-100 group-hover:opacity-100 pointer-coarse:opacity-100">
            {id !== UNSTORED && !lacksForgotten(text) && (
              <IconButton label="Edit message" className="size-8" onClick={() => setEditedId(id)}>
                <Pencil1Icon />
              </IconButton>
            )}
            <span className="pointer-coarse:hidden">
              <CopyButton label="Copy message" text={() => text} />
            </span>
          </div>
          <div className="max-w-[85%] rounded-card rounded-br-md bg-bubble px-4 py-2.5 wrap-anywhere whitespace-pre-wrap">
            {text}
          </div>
        </div>
      )}
      {isLast && !busy && id !== UNSTORED && <Learnt messageId={id} />}
      <Branches siblings={siblings} position={position} onChoose={(one) => actions.choose(parentId, one)} />
    </article>
  )
})
