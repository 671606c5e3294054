import { type Consolidation, unwrap } from '@pai/sdk'
import { useInfiniteQuery, useMutation, useQuery } from '@tanstack/react-query'
import { useEffect } from 'react'
import { keys, profileQuery, tidyingQuery } from '../queries.ts'
import { useClient, useServices } from '../services.ts'
import { ScreenHeader } from '../shell/screen-header.tsx'
import { Button } from '../ui/button.tsx'
import { formatDay } from '../ui/dates.ts'
import { detailOf, Problem } from '../ui/problem.tsx'
import { Skeleton } from '../ui/skeleton.tsx'
import { useNotify } from '../ui/toast.tsx'
import { StepMemories } from './step-memories.tsx'

/** What PAI does with the memory by itself, and taking it back. */
export function TidyingScreen() {
  const tidy = useTidy()
  return (
    <>
      <ScreenHeader title="Tidying">
        <Button small look="primary" disabled={tidy.isPending} onClick={() => tidy.mutate()}>
          Tidy now
        </Button>
      </ScreenHeader>
      <div className="relative min-h-0 grow overflow-y-auto">
        <div className="mx-auto max-w-3xl space-y-8 px-4 pt-3 pb-16">
          <p className="text-muted">
            Each night PAI joins memories that say the same, marks what is over, and makes its idea of you
            again. Here is what it did; all of it can be undone.
          </p>
          <Profile />
          <Reports />
        </div>
      </div>
    </>
  )
}

function Profile() {
  const profile = useQuery(profileQuery(useClient()))
  if (!profile.data || profile.data.text === '') return null
  return (
    <section
      aria-label="Who you are to PAI"
      className="rounded-card border border-line bg-surface px-4 py-3.5"
    >
      <h2 className="text-sm font-semibold text-muted">Who you are to PAI, in every conversation</h2>
      <ul className="mt-2 space-y-1 wrap-anywhere">
        {profile.data.text
          .split('\n')
          .filter((line) => line.trim() !== '')
          .map((line, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: two lines may say the same
            <li key={index}>{line.replace(/^\s*[-*•]\s+/, '')}</li>
          ))}
      </ul>
    </section>
  )
}

function Reports() {
  const list = useInfiniteQuery(tidyingQuery(useClient()))
  useFreshAfter(list.data?.pages[0]?.items[0])
  if (list.isPending) return <Skeleton label="Loading reports" lines={['w-1/3', 'w-4/5', 'w-3/5']} />
  if (list.data === undefined) {
    return (
      <Problem title="The reports could not be loaded" error={list.error} onRetry={() => list.refetch()} />
    )
  }
  const runs = list.data.pages.flatMap((page) => page.items)
  if (runs.length === 0) return <p className="text-center text-muted">Nothing has been tidied yet.</p>
  return (
    <>
      <ul className="space-y-2.5">
        {runs.map((run) => (
          <Report key={run.id} run={run} />
        ))}
      </ul>
      {list.hasNextPage && (
        <Button
          className="mx-auto flex"
          disabled={list.isFetchingNextPage}
          onClick={() => list.fetchNextPage()}
        >
          Show older
        </Button>
      )}
    </>
  )
}

const STATES: Record<Consolidation['status'], string> = {
  running: 'at work',
  completed: '',
  failed: 'not finished',
  undone: 'undone'
}

function Report({ run }: { run: Consolidation }) {
  const { id, status, report, startedAt } = run
  const undo = useUndoTidying(id)
  return (
    <li className="rounded-card border border-line bg-surface px-4 py-3.5">
      <div className="flex min-h-9 items-center gap-3">
        <h2 className="font-semibold">
          <time dateTime={startedAt}>{formatDay(startedAt)}</time>
        </h2>
        <span className="grow text-sm text-muted">{STATES[status]}</span>
        {(status === 'completed' || status === 'failed') && report.steps.length > 0 && (
          <Button small disabled={undo.isPending} onClick={() => undo.mutate()}>
            Undo
          </Button>
        )}
      </div>
      {report.steps.length === 0 ? (
        <p className="mt-1 text-muted">
          {status === 'running' ? 'Not ready yet.' : 'There was nothing to do.'}
        </p>
      ) : (
        <ul className={`mt-2 space-y-2 ${status === 'undone' ? 'text-muted' : ''}`}>
          {report.steps.map((step, index) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: a report only grows
            <li key={index}>
              {step.text}
              {step.memoryIds.length > 0 && <StepMemories ids={step.memoryIds} />}
            </li>
          ))}
        </ul>
      )}
    </li>
  )
}

/** A run at its end has changed the memories, their topics and the profile that were read while it worked. */
function useFreshAfter(latest: Consolidation | undefined) {
  const { queryClient } = useServices()
  const state = latest && `${latest.id} ${latest.status}`
  useEffect(() => {
    if (state === undefined) return
    for (const queryKey of [keys.profile, keys.memories]) queryClient.invalidateQueries({ queryKey })
  }, [state, queryClient])
}

function useTidy() {
  const { session, queryClient } = useServices()
  const notify = useNotify()
  return useMutation({
    mutationFn: () => unwrap(session.client.POST('/v1/consolidations')),
    onSuccess: () => notify({ text: 'At work: the report is here in a moment' }),
    onError: (error) => notify({ tone: 'danger', text: `Not tidied: ${detailOf(error)}` }),
    onSettled: () => queryClient.invalidateQueries({ queryKey: keys.tidying })
  })
}

function useUndoTidying(id: string) {
  const { session, queryClient } = useServices()
  const notify = useNotify()
  return useMutation({
    mutationFn: () =>
      unwrap(session.client.POST('/v1/consolidations/{id}/undo', { params: { path: { id } } })),
    onSuccess: () => notify({ text: 'As it was before' }),
    onError: (error) => notify({ tone: 'danger', text: `Not undone: ${detailOf(error)}` }),
    onSettled: () =>
      Promise.all([
        queryClient.invalidateQueries({ queryKey: keys.tidying }),
        queryClient.invalidateQueries({ queryKey: keys.memories })
      ])
  })
}
