import { type Conversation, unwrap } from '@pai/sdk'
import {
  ArchiveIcon,
  CounterClockwiseClockIcon,
  DotsHorizontalIcon,
  DownloadIcon,
  Pencil1Icon,
  TrashIcon
} from '@radix-ui/react-icons'
import { useMutation } from '@tanstack/react-query'
import { Link, useNavigate, useParams } from '@tanstack/react-router'
import { DropdownMenu } from 'radix-ui'
import { type FormEvent, memo, useEffect, useRef, useState, useSyncExternalStore } from 'react'
import { isBusy } from '../chat/live-turn.ts'
import { lacksForgotten } from '../memories/forgotten-words.ts'
import { conversationTitle, keys } from '../queries.ts'
import { useServices } from '../services.ts'
import { Confirm } from '../ui/dialog.tsx'
import { detailOf } from '../ui/problem.tsx'
import { saveFile } from '../ui/save-file.ts'
import { useNotify } from '../ui/toast.tsx'

const MENU_ITEM =
  'flex min-h-9 items-center gap-2.5 rounded-lg px-2.5 outline-none select-none data-highlighted:bg-hover'

interface ItemProps {
  conversation: Conversation
  onNavigate: (() => void) | undefined
}

export const ConversationItem = memo(function ConversationItem({ conversation, onNavigate }: ItemProps) {
  const { id, archived } = conversation
  const title = conversationTitle(conversation)
  const { liveTurns } = useServices()
  const busy = useSyncExternalStore(liveTurns.subscribe, () => isBusy(liveTurns.get(id)))
  const [renaming, setRenaming] = useState(false)
  const [deleting, setDeleting] = useState(false)
  const rename = useRename(id)
  const remove = useRemove(id)
  const archive = useArchive(id)
  const take = useExport(id, title)

  // Gone at once; it comes back if the server refuses.
  if (remove.isPending || archive.isPending) return null

  if (renaming) {
    return (
      <li>
        <RenameForm
          title={title}
          onDone={(name) => {
            setRenaming(false)
            if (name !== title && name !== '') rename.mutate(name)
          }}
        />
      </li>
    )
  }

  return (
    <li className="group relative">
      <Link
        to="/c/$conversationId"
        params={{ conversationId: id }}
        onClick={onNavigate}
        className="flex min-h-9 items-center gap-2 rounded-control px-3 py-1.5 group-focus-within:pr-9 group-hover:pr-9 group-has-data-[state=open]:pr-9 pointer-coarse:pr-9 text-[0.9375rem] transition-colors hover:bg-hover"
        activeProps={{ className: 'bg-hover font-medium' }}
      >
        <span className="truncate">{rename.variables && rename.isPending ? rename.variables : title}</span>
        {busy && (
          <span
            role="img"
            aria-label="replying"
            className="size-2 shrink-0 animate-breathe rounded-full bg-honey-strong"
          />
        )}
      </Link>
      <DropdownMenu.Root modal={false}>
        <DropdownMenu.Trigger
          aria-label={`Options for ${title}`}
          className="absolute top-1 right-1 grid size-7 place-items-center rounded-lg text-muted opacity-0 group-focus-within:opacity-100 group-hover:opacity-100 hover:text-ink data-[state=open]:opacity-100 pointer-coarse:opacity-100"
        >
          <DotsHorizontalIcon />
        </DropdownMenu.Trigger>
        <DropdownMenu.Portal>
          <DropdownMenu.Content
            align="end"
            sideOffset={4}
            className="z-50 min-w-40 animate-appear rounded-control border border-line bg-surface p-1 shadow-float"
          >
            <DropdownMenu.Item className={MENU_ITEM} onSelect={() => setRenaming(true)}>
              <Pencil1Icon /> Rename
            </DropdownMenu.Item>
            <DropdownMenu.Item className={MENU_ITEM} onSelect={() => archive.mutate(!archived)}>
              {archived ? <CounterClockwiseClockIcon /> : <ArchiveIcon />}
              {archived ? 'Bring back' : 'Archive'}
            </DropdownMenu.Item>
            {FORMATS.map((choice) => (
              <DropdownMenu.Item
                key={choice.format}
                className={MENU_ITEM}
                onSelect={() => take.mutate(choice)}
              >
                <DownloadIcon /> {choice.label}
              </DropdownMenu.Item>
            ))}
            <DropdownMenu.Item className={`${MENU_ITEM} text-danger`} onSelect={() => setDeleting(true)}>
              <TrashIcon /> Delete
            </DropdownMenu.Item>
          </DropdownMenu.Content>
        </DropdownMenu.Portal>
      </DropdownMenu.Root>
      <Confirm
        title="Delete this conversation?"
        description={`“${title}” and all its messages go for good. Memories made from it stay until you delete them.`}
        action="Delete"
        open={deleting}
        onOpenChange={setDeleting}
        onConfirm={() => remove.mutate()}
      />
    </li>
  )
})

function RenameForm({ title, onDone }: { title: string; onDone: (name: string) => void }) {
  const [name, setName] = useState(lacksForgotten(title) ? '' : title)
  const input = useRef<HTMLInputElement>(null)
  useEffect(() => {
    input.current?.focus()
    input.current?.select()
  }, [])
  const finish = (event?: FormEvent) => {
    event?.preventDefault()
    onDone(name.trim())
  }
  return (
    <form onSubmit={finish}>
      <input
        ref={input}
        aria-label="Conversation name"
        maxLength={200}
        value={name}
        onChange={(event) => setName(event.target.value)}
        onBlur={() => finish()}
        onKeyDown={(event) => event.key === 'Escape' && onDone(title)}
        className="min-h-9 w-full rounded-control border border-line-strong bg-surface px-3 text-[0.9375rem]"
      />
    </form>
  )
}

function useRename(id: string) {
  const { session, queryClient } = useServices()
  const notify = useNotify()
  return useMutation({
    mutationFn: (title: string) =>
      unwrap(session.client.PATCH('/v1/conversations/{id}', { params: { path: { id } }, body: { title } })),
    onError: (error) => notify({ tone: 'danger', text: `Not renamed: ${detailOf(error)}` }),
    // Returned, so that the new name stays on the screen until the list has it.
    onSettled: () => queryClient.invalidateQueries({ queryKey: keys.conversations })
  })
}

/** Off the list, or back on it. What is archived is still searched and remembered from. */
function useArchive(id: string) {
  const { session, queryClient } = useServices()
  const notify = useNotify()
  return useMutation({
    mutationFn: (archived: boolean) =>
      unwrap(
        session.client.PATCH('/v1/conversations/{id}', { params: { path: { id } }, body: { archived } })
      ),
    onSuccess: (_, archived) => notify({ text: archived ? 'Archived' : 'Back in the list' }),
    onError: (error) => notify({ tone: 'danger', text: `Not changed: ${detailOf(error)}` }),
    onSettled: () => queryClient.invalidateQueries({ queryKey: keys.conversations })
  })
}

const FORMATS = [
  { format: 'markdown', label: 'Export as Markdown', ending: 'md' },
  { format: 'json', label: 'Export as JSON', ending: 'json' }
] as const

function useExport(id: string, title: string) {
  const { session } = useServices()
  const notify = useNotify()
  return useMutation({
    mutationFn: async ({ format, ending }: (typeof FORMATS)[number]) => {
      const params = { path: { id }, query: { format } }
      const file = await unwrap(
        session.client.GET('/v1/conversations/{id}/export', { params, parseAs: 'blob' })
      )
      const name = title.replace(/[^\p{L}\p{M}\p{N}]+/gu, '-').replace(/^-+|-+$/g, '')
      saveFile(file as unknown as Blob, `${name || 'conversation'}.${ending}`)
    },
    onError: (error) => notify({ tone: 'danger', text: `Not exported: ${detailOf(error)}` })
  })
}

function useRemove(id: string) {
  const { session, queryClient, liveTurns } = useServices()
  const notify = useNotify()
  const navigate = useNavigate()
  const { conversationId } = useParams({ strict: false })
  return useMutation({
    mutationFn: () => unwrap(session.client.DELETE('/v1/conversations/{id}', { params: { path: { id } } })),
    onSuccess: async () => {
      if (conversationId === id) await navigate({ to: '/' })
      liveTurns.dismiss(id)
      queryClient.removeQueries({ queryKey: keys.messages(id) })
      queryClient.removeQueries({ queryKey: keys.conversation(id) })
      notify({ text: 'Conversation deleted' })
    },
    onError: (error) => notify({ tone: 'danger', text: `Not deleted: ${detailOf(error)}` }),
    onSettled: () => queryClient.invalidateQueries({ queryKey: keys.conversations })
  })
}
