import { type Me, unwrap } from '@pai/sdk'
import { useMutation } from '@tanstack/react-query'
import { type ChangeEvent, useRef, useState } from 'react'
import { keys } from '../queries.ts'
import { useServices } from '../services.ts'
import { Button } from '../ui/button.tsx'
import { detailOf } from '../ui/problem.tsx'
import { saveFile } from '../ui/save-file.ts'
import { useNotify } from '../ui/toast.tsx'

/** What is remembered is its owner's: to pause, to take along, to bring from elsewhere. */
export function YourMemory({ me }: { me: Me }) {
  return (
    <div className="space-y-6">
      <PauseMemory paused={me.memoryPaused} />
      <TakeAlong />
      <BringAlong />
    </div>
  )
}

function PauseMemory({ paused }: { paused: boolean }) {
  const { session, queryClient } = useServices()
  const notify = useNotify()
  // A state of its own: the mutation tells that it began only after React has drawn, and the mark just set would jump back.
  const [wanted, setWanted] = useState<boolean>()
  const pause = useMutation({
    mutationFn: (memoryPaused: boolean) => unwrap(session.client.PATCH('/v1/me', { body: { memoryPaused } })),
    onError: (error) => notify({ tone: 'danger', text: `Not changed: ${detailOf(error)}` }),
    onSettled: async (_me, _error, asked) => {
      await queryClient.invalidateQueries({ queryKey: keys.me })
      setWanted((now) => (now === asked ? undefined : now))
    }
  })
  return (
    <label className="flex cursor-pointer items-start gap-3">
      <input
        type="checkbox"
        className="mt-1 size-4.5 accent-pine"
        checked={wanted ?? paused}
        onChange={(event) => {
          setWanted(event.target.checked)
          pause.mutate(event.target.checked)
        }}
      />
      <span>
        Pause remembering
        <span className="block text-sm text-muted">
          What you say while this is set never becomes a memory. Conversations are kept all the same: their
          words can still be found and quoted in other chats. What PAI knows already stays.
        </span>
      </span>
    </label>
  )
}

const counted = (count: number, one: string, many: string) => `${count} ${count === 1 ? one : many}`

const FORMATS = [
  { format: 'json', label: 'Export as JSON', ending: 'json' },
  { format: 'markdown', label: 'Export as Markdown', ending: 'md' }
] as const

function TakeAlong() {
  const { session } = useServices()
  const notify = useNotify()
  const take = useMutation({
    mutationFn: async ({ format, ending }: (typeof FORMATS)[number]) => {
      const file = await unwrap(
        session.client.GET('/v1/export', { params: { query: { format } }, parseAs: 'blob' })
      )
      saveFile(file as unknown as Blob, `pai-${new Date().toISOString().slice(0, 10)}.${ending}`)
    },
    onError: (error) => notify({ tone: 'danger', text: `Not exported: ${detailOf(error)}` })
  })
  return (
    <div>
      <p className="text-sm text-muted">
        Everything PAI holds of you: conversations, memories, where they come from.
      </p>
      <div className="mt-3 flex flex-wrap gap-2">
        {FORMATS.map((choice) => (
          <Button key={choice.format} disabled={take.isPending} onClick={() => take.mutate(choice)}>
            {choice.label}
          </Button>
        ))}
      </div>
    </div>
  )
}

function BringAlong() {
  const { session, queryClient } = useServices()
  const notify = useNotify()
  const input = useRef<HTMLInputElement>(null)
  const bring = useMutation({
    mutationFn: async (file: File) =>
      unwrap(session.client.POST('/v1/import', { body: JSON.parse(await file.text()) })),
    onSuccess: (done) => {
      notify({
        text:
          'importId' in done
            ? 'The file is here, and is brought in over the next minutes'
            : `Imported: ${counted(done.conversations, 'new conversation', 'new conversations')}, ${counted(done.memories, 'new memory', 'new memories')}`
      })
      return queryClient.invalidateQueries()
    },
    onError: (error) =>
      notify({
        tone: 'danger',
        text: `Not imported: ${error instanceof SyntaxError ? 'this file is not JSON' : detailOf(error)}`
      })
  })

  function choose(event: ChangeEvent<HTMLInputElement>) {
    const file = event.target.files?.[0]
    // Emptied, so that the same file can be chosen again.
    event.target.value = ''
    if (file) bring.mutate(file)
  }

  return (
    <div>
      <p className="text-sm text-muted">
        Bring conversations along: an export of PAI, or the conversations.json of ChatGPT or Claude.
      </p>
      <input
        ref={input}
        type="file"
        accept="application/json,.json"
        aria-label="File to import"
        className="sr-only"
        tabIndex={-1}
        onChange={choose}
      />
      <Button className="mt-3" disabled={bring.isPending} onClick={() => input.current?.click()}>
        {bring.isPending ? 'Importing…' : 'Import a file'}
      </Button>
    </div>
  )
}
