import type { Memory } from '@pai/sdk'
import { MagnifyingGlassIcon, PlusIcon } from '@radix-ui/react-icons'
import { keepPreviousData, useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useDeferredValue, useState } from 'react'
import { memoryListQuery, memorySearchQuery, topicsQuery } from '../queries.ts'
import { useClient } from '../services.ts'
import { ScreenHeader } from '../shell/screen-header.tsx'
import { Button } from '../ui/button.tsx'
import { INPUT } from '../ui/field.tsx'
import { Mark } from '../ui/mark.tsx'
import { Problem } from '../ui/problem.tsx'
import { Skeleton } from '../ui/skeleton.tsx'
import { AddMemory } from './add-memory.tsx'
import { BringBack } from './bring-back.tsx'
import { MemoryCard } from './memory-card.tsx'
import { MemoryReview } from './memory-review.tsx'
import { Topics } from './topics.tsx'

export function MemoriesScreen() {
  const [typed, setTyped] = useState('')
  const [adding, setAdding] = useState(false)
  const [chosen, setChosen] = useState<string | null>(null)
  const { data: topics = [] } = useQuery(topicsQuery(useClient()))
  // A night may have done away with it.
  const topic = topics.some(({ id }) => id === chosen) ? chosen : null
  const query = useDeferredValue(typed.trim())

  return (
    <>
      <ScreenHeader title="Memories">
        <Link
          to="/tidying"
          className="rounded-control px-3 py-1.5 text-[0.9375rem] font-medium hover:bg-hover"
        >
          Tidying
        </Link>
        <Button look="primary" small onClick={() => setAdding(true)}>
          <PlusIcon /> Add
        </Button>
      </ScreenHeader>
      <div className="relative min-h-0 grow overflow-y-auto">
        <div className="mx-auto max-w-3xl px-4 pt-3 pb-16">
          <search className="relative block">
            <MagnifyingGlassIcon className="pointer-events-none absolute top-1/2 left-4 size-4.5 -translate-y-1/2 text-muted" />
            <input
              type="search"
              aria-label="Search memories"
              placeholder="Search by meaning or by word"
              maxLength={500}
              value={typed}
              onChange={(event) => setTyped(event.target.value)}
              className={`${INPUT} min-h-11 rounded-full pl-11`}
            />
          </search>
          {query === '' && <BringBack />}
          {query === '' && <MemoryReview />}
          {query === '' && <Topics topics={topics} chosen={topic} onChoose={setChosen} />}
          {query === '' ? (
            <EveryMemory topic={topic} onAdd={() => setAdding(true)} />
          ) : (
            <Found query={query} />
          )}
        </div>
      </div>
      <AddMemory open={adding} onOpenChange={setAdding} />
    </>
  )
}

function EveryMemory({ topic, onAdd }: { topic: string | null; onAdd: () => void }) {
  const list = useInfiniteQuery(memoryListQuery(useClient(), topic))
  if (list.isPending) return <MemoriesLoading />
  if (list.data === undefined) {
    return (
      <Problem title="Your memories could not be loaded" error={list.error} onRetry={() => list.refetch()} />
    )
  }
  const memories = list.data.pages.flatMap((page) => page.items)
  if (memories.length === 0 && topic === null) return <NothingYet onAdd={onAdd} />
  return (
    <>
      <MemoryList memories={memories} />
      {list.hasNextPage && (
        <Button
          className="mx-auto mt-6 flex"
          disabled={list.isFetchingNextPage}
          onClick={() => list.fetchNextPage()}
        >
          Show older
        </Button>
      )}
    </>
  )
}

function Found({ query }: { query: string }) {
  const search = useQuery({ ...memorySearchQuery(useClient(), query), placeholderData: keepPreviousData })
  if (search.isPending) return <MemoriesLoading />
  if (search.data === undefined) {
    return <Problem title="The search did not work" error={search.error} onRetry={() => search.refetch()} />
  }
  return (
    <>
      <p role="status" className="mt-5 px-1 text-sm text-muted">
        {search.data.length === 0 ? 'Nothing found' : `${search.data.length} found, best match first`}
      </p>
      <MemoryList memories={search.data} />
    </>
  )
}

function MemoryList({ memories }: { memories: Memory[] }) {
  return (
    <ul className="mt-4 space-y-2.5">
      {memories.map((memory) => (
        <MemoryCard key={memory.id} memory={memory} />
      ))}
    </ul>
  )
}

function MemoriesLoading() {
  return (
    <div className="mt-8">
      <Skeleton label="Loading memories" lines={['w-4/5', 'w-2/5', 'w-11/12', 'w-1/3', 'w-3/5']} />
    </div>
  )
}

function NothingYet({ onAdd }: { onAdd: () => void }) {
  return (
    <div className="mx-auto max-w-md py-16 text-center">
      <Mark className="mx-auto size-12" />
      <h2 className="mt-5 text-xl font-semibold">Nothing to remember yet</h2>
      <p className="mt-2 text-muted">
        As you chat, PAI keeps what is worth knowing about your world and lists it here. You can correct, pin
        or delete all of it at any time.
      </p>
      <Button className="mt-5" onClick={onAdd}>
        Add one yourself
      </Button>
    </div>
  )
}
