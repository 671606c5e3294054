import type { Attachment } from '@pai/sdk'
import { useQuery } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { attachmentQuery } from '../queries.ts'
import { useClient } from '../services.ts'

/** The images of a message. They are asked for with the session's token, so they come as bytes and not by an address. */
export function Images({ attachments }: { attachments: Attachment[] }) {
  return (
    <ul className="flex flex-wrap justify-end gap-2">
      {attachments.map((attachment) => (
        <li key={attachment.id}>
          <Image attachment={attachment} />
        </li>
      ))}
    </ul>
  )
}

function Image({ attachment: { id, name } }: { attachment: Attachment }) {
  const { data, isError } = useQuery(attachmentQuery(useClient(), id))
  const url = useObjectUrl(data)
  const label = name ?? 'Image'
  if (isError) return <p className="rounded-card border border-line px-3 py-2 text-sm text-muted">{label}</p>
  if (!url) return <div role="img" aria-label={label} className="size-40 rounded-card bg-sunken" />
  return (
    <img
      src={url}
      alt={label}
      className="max-h-72 max-w-full rounded-card border border-line bg-sunken object-contain"
    />
  )
}

/** An address for bytes that are in the page, given back when they are shown no more. */
export function useObjectUrl(file: Blob | undefined): string | null {
  const [url, setUrl] = useState<string | null>(null)
  useEffect(() => {
    if (!file) return
    const made = URL.createObjectURL(file)
    setUrl(made)
    return () => URL.revokeObjectURL(made)
  }, [file])
  return url
}
