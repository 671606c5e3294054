import { type Attachment, type TurnError, unwrap } from '@pai/sdk'
import { useCallback, useEffect, useRef, useState } from 'react'
import { keys } from '../queries.ts'
import { useServices } from '../services.ts'
import { useNotify } from '../ui/toast.tsx'
import { asTurnError } from './live-turn.ts'

const MAX_IMAGES = 8
const MAX_BYTES = 5 * 1_048_576
export const IMAGE_TYPES = 'image/png,image/jpeg,image/webp,image/gif'
/** String.fromCharCode takes its characters as arguments, of which there may not be too many. */
const CHUNK = 32_768

/** An image on its way into a message. */
export interface Draft {
  key: number
  file: File
  /** What the server calls it, once it is there. */
  stored: Attachment | null
  error: TurnError | null
}

/** The images that go with the next message. Each is sent to the server as soon as it is chosen. */
export function useAttachments(slot: string) {
  const { session, queryClient } = useServices()
  const notify = useNotify()
  const [drafts, setDrafts] = useState<Draft[]>([])
  const next = useRef(0)

  // biome-ignore lint/correctness/useExhaustiveDependencies: what was chosen belongs to one conversation
  useEffect(() => setDrafts([]), [slot])

  const change = useCallback(
    (key: number, changed: Partial<Draft>) =>
      setDrafts((all) => all.map((draft) => (draft.key === key ? { ...draft, ...changed } : draft))),
    []
  )

  const store = useCallback(
    async (key: number, file: File) => {
      change(key, { error: null })
      try {
        const data = toBase64(new Uint8Array(await file.arrayBuffer()))
        const body = { data, ...(file.name && { name: file.name.slice(0, 255) }) }
        const stored = await unwrap(session.client.POST('/v1/attachments', { body }))
        queryClient.setQueryData(keys.attachment(stored.id), file)
        change(key, { stored })
      } catch (error) {
        change(key, { error: asTurnError(error) })
      }
    },
    [session, queryClient, change]
  )

  return {
    drafts,
    add(files: File[]) {
      const images = files.filter((file) => IMAGE_TYPES.split(',').includes(file.type))
      const fitting = images.filter((file) => file.size <= MAX_BYTES)
      const taken = fitting.slice(0, MAX_IMAGES - drafts.length)
      if (images.length < files.length)
        notify({ tone: 'danger', text: 'Only PNG, JPEG, WebP and GIF images can be sent' })
      else if (fitting.length < images.length)
        notify({ tone: 'danger', text: 'An image may have 5 MB at most' })
      else if (taken.length < fitting.length)
        notify({ tone: 'danger', text: `A message takes ${MAX_IMAGES} images at most` })
      const added = taken.map((file) => ({ key: next.current++, file, stored: null, error: null }))
      setDrafts((all) => [...all, ...added])
      for (const { key, file } of added) void store(key, file)
    },
    /** Takes back images that the server has already, of a message that was not sent. */
    putBack(attachments: Attachment[]) {
      const back = attachments.flatMap((stored) => {
        const data = queryClient.getQueryData<Blob>(keys.attachment(stored.id))
        return data
          ? [{ key: next.current++, file: new File([data], stored.name ?? ''), stored, error: null }]
          : []
      })
      setDrafts((all) => [...all, ...back])
    },
    retry: ({ key, file }: Draft) => void store(key, file),
    remove({ key, stored }: Draft) {
      setDrafts((all) => all.filter((draft) => draft.key !== key))
      // One that is left behind goes after a day.
      if (stored) {
        const params = { path: { id: stored.id } }
        session.client.DELETE('/v1/attachments/{id}', { params }).catch(() => undefined)
      }
    },
    clear: () => setDrafts([])
  }
}

function toBase64(bytes: Uint8Array): string {
  let text = ''
  for (let start = 0; start < bytes.length; start += CHUNK) {
    text += String.fromCharCode(...bytes.subarray(start, start + CHUNK))
  }
  return btoa(text)
}
