import type { Attachment } from '@pai/sdk'
import { Pencil2Icon } from '@radix-ui/react-icons'
import { useQuery } from '@tanstack/react-query'
import { Link, useParams, useRouter } from '@tanstack/react-router'
import { useRef, useState } from 'react'
import { conversationQuery, conversationTitle, meQuery } from '../queries.ts'
import { useClient, useServices } from '../services.ts'
import { ScreenHeader } from '../shell/screen-header.tsx'
import { Composer, type ComposerHandle } from './composer.tsx'
import { readDraft, writeDraft } from './drafts.ts'
import { isBusy } from './live-turn.ts'
import { NEW_SLOT } from './live-turns.ts'
import { ModelPicker } from './model-picker.tsx'
import { Thread } from './thread.tsx'
import { useChooseModel } from './use-choose-model.ts'
import { useConversation } from './use-conversation.ts'

export function ChatScreen() {
  const { conversationId } = useParams({ strict: false })
  const slot = conversationId ?? NEW_SLOT
  const { liveTurns } = useServices()
  const conversation = useConversation(slot)
  const { turn } = conversation
  const composer = useRef<ComposerHandle>(null)
  const insert = (text: string, images?: Attachment[]) => composer.current?.insert(text, images)
  const moveTo = useMoveTo()
  const chooseModel = useChooseModel()
  /** For a chat that has not begun. */
  const [firstModel, setFirstModel] = useState<string | null>(null)

  async function onBegun(begun: string) {
    // What the first message was sent to is whom the next ones go to.
    const choice = { conversationId: begun, model: firstModel }
    // A failure has been told of.
    if (firstModel !== null) await chooseModel.mutateAsync(choice).catch(() => undefined)
    setFirstModel(null)
    await moveTo(begun)
  }

  function send(message: string, attachments: Attachment[]) {
    const last = conversation.path.at(-1)?.message.id
    const attachmentIds = attachments.map(({ id }) => id)
    const body = {
      message,
      ...(conversationId && { conversationId }),
      ...(last && { parentId: last }),
      ...(!conversationId && firstModel && { model: firstModel }),
      ...(attachmentIds.length > 0 && { attachmentIds })
    }
    liveTurns.start(slot, { kind: 'send', body, attachments }, onBegun)
  }

  return (
    <>
      <ChatHeader
        conversationId={conversationId}
        firstModel={firstModel}
        onChoose={(model) =>
          conversationId ? chooseModel.mutate({ conversationId, model }) : setFirstModel(model)
        }
      />
      <Thread
        slot={slot}
        conversation={conversation}
        onInsert={insert}
        onResume={() => liveTurns.resume(slot, onBegun)}
      />
      <div
        hidden={Boolean(conversation.error) && !turn}
        className="shrink-0 px-3 pb-[max(0.75rem,env(safe-area-inset-bottom))] sm:px-4"
      >
        <div className="mx-auto max-w-3xl">
          <Composer
            ref={composer}
            slot={slot}
            busy={isBusy(turn)}
            stopping={turn?.phase === 'stopping'}
            onSend={send}
            onStop={() => liveTurns.stop(slot)}
          />
          <Footnote />
        </div>
      </div>
    </>
  )
}

interface ChatHeaderProps {
  conversationId: string | undefined
  firstModel: string | null
  onChoose: (model: string | null) => void
}

function ChatHeader({ conversationId, firstModel, onChoose }: ChatHeaderProps) {
  const client = useClient()
  const { data } = useQuery({
    ...conversationQuery(client, conversationId ?? ''),
    enabled: conversationId !== undefined
  })
  const model = conversationId === undefined ? firstModel : (data?.model ?? null)
  const title = conversationId === undefined ? 'New chat' : data ? conversationTitle(data) : 'PAI'
  return (
    <ScreenHeader title={title}>
      {(conversationId === undefined || data) && <ModelPicker model={model} onChoose={onChoose} />}
      {conversationId !== undefined && (
        <Link
          to="/"
          aria-label="New chat"
          className="grid size-9 shrink-0 place-items-center rounded-control text-muted hover:bg-hover lg:hidden"
        >
          <Pencil2Icon />
        </Link>
      )}
    </ScreenHeader>
  )
}

function Footnote() {
  const { data: me } = useQuery(meQuery(useClient()))
  return (
    <p className="mt-2 text-center text-xs text-muted">
      {me?.memoryPaused && (
        <strong>
          Remembering is paused: what you say becomes no memory, but this conversation is kept and can be
          found.{' '}
        </strong>
      )}
      {me?.offline
        ? 'No model is connected, so PAI answers with quotes from its memory. To connect one, set OPENAI_API_KEY or run Ollama, then restart PAI.'
        : 'PAI can be mistaken. Numbers in a reply show its sources.'}
    </p>
  )
}

/** Follows a new chat to the conversation it became, unless the reader has gone elsewhere meanwhile. */
function useMoveTo() {
  const router = useRouter()
  return async (conversationId: string) => {
    if (router.state.location.pathname !== '/') return
    // What was typed since the first message belongs to this conversation.
    writeDraft(conversationId, readDraft(NEW_SLOT))
    writeDraft(NEW_SLOT, '')
    await router.navigate({ to: '/c/$conversationId', params: { conversationId }, replace: true })
  }
}
