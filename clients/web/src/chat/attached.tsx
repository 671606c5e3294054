import { Cross2Icon, UpdateIcon } from '@radix-ui/react-icons'
import { useObjectUrl } from './images.tsx'
import type { Draft } from './use-attachments.ts'

interface AttachedProps {
  drafts: Draft[]
  onRetry: (draft: Draft) => void
  onRemove: (draft: Draft) => void
}

/** The images that go with the next message. */
export function Attached({ drafts, onRetry, onRemove }: AttachedProps) {
  if (drafts.length === 0) return null
  return (
    <ul aria-label="Images to send" className="flex flex-wrap gap-2 px-1 pt-1">
      {drafts.map((draft) => (
        <Preview key={draft.key} draft={draft} onRetry={onRetry} onRemove={onRemove} />
      ))}
    </ul>
  )
}

const CORNER =
  'grid size-6 place-items-center rounded-full border border-line bg-surface text-ink shadow-float hover:bg-hover ' +
  'pointer-coarse:size-8'

interface PreviewProps extends Omit<AttachedProps, 'drafts'> {
  draft: Draft
}

function Preview({ draft, onRetry, onRemove }: PreviewProps) {
  const { file, stored, error } = draft
  const url = useObjectUrl(file)
  const look = error ? 'border-danger text-transparent opacity-45' : 'border-line'
  const busy = !stored && !error
  return (
    <li>
      <div className="relative">
        <img
          src={url ?? undefined}
          alt={file.name}
          aria-busy={busy}
          className={`size-18 rounded-control border object-cover ${look} ${busy ? 'animate-breathe' : ''}`}
        />
        <button
          type="button"
          aria-label={`Remove ${file.name}`}
          title="Remove"
          onClick={() => onRemove(draft)}
          className={`absolute -top-1.5 -right-1.5 ${CORNER}`}
        >
          <Cross2Icon className="size-3.5" />
        </button>
        {error?.retryable && (
          <button
            type="button"
            aria-label={`Send ${file.name} again`}
            title="Try again"
            onClick={() => onRetry(draft)}
            className={`absolute inset-0 m-auto ${CORNER}`}
          >
            <UpdateIcon className="size-3.5" />
          </button>
        )}
      </div>
      {error && (
        <p role="alert" className="mt-1 w-18 text-xs leading-tight text-danger">
          {error.message}
        </p>
      )}
    </li>
  )
}
