import type { Citation } from '@pai/sdk'
import { Popover } from 'radix-ui'
import { createContext, type ReactNode, useContext } from 'react'
import { formatDay } from '../ui/dates.ts'

/** The sources of the reply that is being rendered, so that a number deep in its Markdown finds its own. */
export const CitationsContext = createContext<readonly Citation[]>([])

const KINDS: Record<Citation['kind'], string> = {
  memory: 'From your memories',
  message: 'From what was said',
  passage: 'From a document'
}

/** `[1]` in the text: a chip when there is such a source, else the characters as they were written. */
export function CitationMark({ index, children }: { index: number; children: ReactNode }) {
  const citation = useContext(CitationsContext).find((candidate) => candidate.index === index)
  return citation ? <CitationChip citation={citation} /> : children
}

/** The sources that the text itself does not point at. */
export function OtherCitations({ text, citations }: { text: string; citations: readonly Citation[] }) {
  const others = citations.filter(({ index }) => !text.includes(`[${index}]`))
  if (others.length === 0) return null
  return (
    <p className="mt-3 flex flex-wrap items-center gap-1 text-sm text-muted">
      Sources
      {others.map((citation) => (
        <CitationChip key={citation.index} citation={citation} />
      ))}
    </p>
  )
}

function CitationChip({ citation }: { citation: Citation }) {
  const { index, kind, quote, at, page } = citation
  return (
    <Popover.Root>
      <Popover.Trigger
        aria-label={`Source ${index}`}
        className="mx-0.5 inline-grid min-w-5 place-items-center rounded-md bg-honey px-1 align-[0.12em] text-xs leading-5 font-semibold text-on-honey no-underline transition-colors hover:bg-honey-strong hover:text-black data-[state=open]:bg-honey-strong data-[state=open]:text-black"
      >
        {index}
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Content
          sideOffset={6}
          collisionPadding={16}
          aria-label={`Source ${index}`}
          className="z-50 w-80 max-w-[calc(100vw-2rem)] animate-appear rounded-card border border-line bg-surface p-4 shadow-float outline-none"
        >
          <p className="flex items-baseline justify-between gap-3 text-sm text-muted">
            <span>{page === undefined ? KINDS[kind] : `${KINDS[kind]}, page ${page}`}</span>
            {at !== undefined && <time dateTime={at}>{formatDay(at)}</time>}
          </p>
          <blockquote className="mt-2 max-h-60 overflow-y-auto border-l-2 border-honey-strong pl-3">
            {quote}
          </blockquote>
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  )
}
