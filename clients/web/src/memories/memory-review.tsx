import type { Memory, MemoryConflict } from '@pai/sdk'
import { useQuery } from '@tanstack/react-query'
import { type ReactNode, useState } from 'react'
import { memoryReviewQuery } from '../queries.ts'
import { useClient } from '../services.ts'
import { Button } from '../ui/button.tsx'
import { formatDay } from '../ui/dates.ts'
import { toldAt } from './memory-card.tsx'
import { type Decision, useDecide } from './memory-mutations.ts'
import { WhyMemory } from './why-memory.tsx'

/** What only the owner can decide: nothing is shown where nothing waits. */
export function MemoryReview() {
  const review = useQuery(memoryReviewQuery(useClient()))
  const decide = useDecide()
  if (review.data === undefined) return null
  const { proposals, conflicts, extractions, inferences } = review.data
  if (proposals.length + conflicts.length + extractions.length + inferences.length === 0) return null
  const onDecide = (decision: Decision) => decide.mutate(decision)
  return (
    <section aria-label="Waiting for you" className="mt-5">
      <h2 className="px-1 text-sm font-semibold text-muted">Waiting for you</h2>
      <ul className="mt-2 space-y-2.5" inert={decide.isPending}>
        {conflicts.map((conflict) => (
          <Conflict key={conflict.id} conflict={conflict} onDecide={onDecide} />
        ))}
        {proposals.map((memory) => (
          <Proposal key={memory.id} memory={memory} onDecide={onDecide} />
        ))}
        {inferences.map((memory) => (
          <Inference key={memory.id} memory={memory} onDecide={onDecide} />
        ))}
        {extractions.length > 0 && (
          <Waiting title={unreadTitle(extractions.length)}>
            <div className="mt-3 flex justify-end">
              <Button
                small
                onClick={() =>
                  onDecide({
                    about: 'extractions',
                    messageIds: extractions.map(({ messageId }) => messageId)
                  })
                }
              >
                Try again
              </Button>
            </div>
          </Waiting>
        )}
      </ul>
    </section>
  )
}

function unreadTitle(count: number): string {
  const what = count === 1 ? 'A message' : `${count} messages`
  return `${what} could not be read for what is worth remembering`
}

interface Deciding {
  onDecide: (decision: Decision) => void
}

function Conflict({ conflict, onDecide }: Deciding & { conflict: MemoryConflict }) {
  const { id, first, second } = conflict
  const keep = (which: 'first' | 'second' | 'both' | 'neither') =>
    onDecide({ about: 'conflict', id, keep: which })
  return (
    <Waiting title="These two cannot both be true. Which one is?">
      <Choice memory={first} onChoose={() => keep('first')} />
      <Choice memory={second} onChoose={() => keep('second')} />
      <div className="mt-3 flex flex-wrap justify-end gap-2">
        <Button small look="quiet" onClick={() => keep('neither')}>
          Neither
        </Button>
        <Button small look="quiet" onClick={() => keep('both')}>
          Both are
        </Button>
      </div>
    </Waiting>
  )
}

function Choice({ memory, onChoose }: { memory: Memory; onChoose: () => void }) {
  return (
    <button
      type="button"
      onClick={onChoose}
      className="mt-2 flex w-full items-baseline justify-between gap-3 rounded-control border border-line bg-surface px-3.5 py-2.5 text-left hover:bg-hover"
    >
      <span className="wrap-anywhere">{memory.text}</span>
      <time dateTime={toldAt(memory)} className="shrink-0 text-sm text-muted">
        {formatDay(toldAt(memory))}
      </time>
    </button>
  )
}

function Proposal({ memory, onDecide }: Deciding & { memory: Memory }) {
  const { id, text, sources } = memory
  const origin = sources[0]?.reference
  const say = (verdict: 'approve' | 'reject') => onDecide({ about: 'proposal', id, verdict })
  return (
    <Waiting
      title={
        origin ? `Read in ${origin}: is it true of you?` : 'Read in something you shared: is it true of you?'
      }
    >
      <p className="mt-2 font-medium wrap-anywhere">{text}</p>
      <div className="mt-3 flex justify-end gap-2">
        <Why memoryId={id} />
        <Button small look="quiet" onClick={() => say('reject')}>
          Do not remember
        </Button>
        <Button small look="primary" onClick={() => say('approve')}>
          Remember it
        </Button>
      </div>
    </Waiting>
  )
}

function Inference({ memory: { id, text }, onDecide }: Deciding & { memory: Memory }) {
  const say = (verdict: 'confirm' | 'forget') => onDecide({ about: 'inference', id, text, verdict })
  return (
    <Waiting title="PAI is not sure of this: is it true?">
      <p className="mt-2 font-medium wrap-anywhere">{text}</p>
      <div className="mt-3 flex justify-end gap-2">
        <Why memoryId={id} />
        <Button small look="quiet" onClick={() => say('forget')}>
          Forget it
        </Button>
        <Button small look="primary" onClick={() => say('confirm')}>
          It is true
        </Button>
      </div>
    </Waiting>
  )
}

/** What is to be decided can be looked into first. */
function Why({ memoryId }: { memoryId: string }) {
  const [asking, setAsking] = useState(false)
  return (
    <>
      <Button small look="quiet" className="mr-auto -ml-3" onClick={() => setAsking(true)}>
        Why?
      </Button>
      <WhyMemory memoryId={memoryId} open={asking} onOpenChange={setAsking} />
    </>
  )
}

function Waiting({ title, children }: { title: string; children: ReactNode }) {
  return (
    <li className="rounded-card border border-line bg-honey/30 px-4 py-3.5">
      <p className="text-[0.9375rem]">{title}</p>
      {children}
    </li>
  )
}
