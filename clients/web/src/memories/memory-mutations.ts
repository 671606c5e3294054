import { type Memory, type PaiClient, PaiError, unwrap } from '@pai/sdk'
import { useMutation } from '@tanstack/react-query'
import { keys } from '../queries.ts'
import { useServices } from '../services.ts'
import { detailOf } from '../ui/problem.tsx'
import { useNotify } from '../ui/toast.tsx'
import { dropForgotten, noteForgotten } from './recently-forgotten.ts'

/** What cannot be brought back any more, whether this device knew it or not. */
const GONE = new Set(['PAI_MEMORY_NOT_FOUND', 'PAI_MEMORY_NOTHING_TO_UNDO'])

export function useAddMemory() {
  const { session, queryClient } = useServices()
  return useMutation({
    mutationFn: (text: string) => unwrap(session.client.POST('/v1/memories', { body: { text } })),
    onSuccess: () => queryClient.invalidateQueries({ queryKey: keys.memories })
  })
}

export function useChangeMemory({ id }: Memory) {
  const { session, queryClient } = useServices()
  const notify = useNotify()
  return useMutation({
    mutationFn: (body: { text?: string; pinned?: boolean }) =>
      unwrap(session.client.PATCH('/v1/memories/{id}', { params: { path: { id } }, body })),
    onError: (error) => notify({ tone: 'danger', text: `Not changed: ${detailOf(error)}` }),
    // Returned, so that the change stays on the screen until the list has it.
    onSettled: () => queryClient.invalidateQueries({ queryKey: keys.memories })
  })
}

/** Forgets at once, with ten minutes to think better of it. */
export function useForgetMemory({ id }: Memory) {
  const { session, queryClient } = useServices()
  const notify = useNotify()
  const undo = useUndoMemory(id)
  return useMutation({
    mutationFn: () => unwrap(session.client.DELETE('/v1/memories/{id}', { params: { path: { id } } })),
    onSuccess: () => {
      noteForgotten(id)
      notify({ text: 'Forgotten; gone for good in ten minutes', undo: () => undo.mutate() })
    },
    onError: (error) => notify({ tone: 'danger', text: `Not forgotten: ${detailOf(error)}` }),
    // The conversations that told it show it no more either.
    onSettled: () => queryClient.invalidateQueries()
  })
}

/** Takes back the latest change of a memory. */
export function useUndoMemory(id: string) {
  const { session, queryClient } = useServices()
  const notify = useNotify()
  return useMutation({
    mutationFn: () => unwrap(session.client.POST('/v1/memories/{id}/undo', { params: { path: { id } } })),
    onSuccess: () => {
      dropForgotten(id)
      notify({ text: 'As it was before' })
    },
    onError: (error) => {
      if (error instanceof PaiError && GONE.has(error.code)) dropForgotten(id)
      notify({ tone: 'danger', text: `Not undone: ${detailOf(error)}` })
    },
    onSettled: () => queryClient.invalidateQueries()
  })
}

export type Decision =
  | { about: 'proposal'; id: string; verdict: 'approve' | 'reject' }
  | { about: 'conflict'; id: string; keep: 'first' | 'second' | 'both' | 'neither' }
  | { about: 'inference'; id: string; text: string; verdict: 'confirm' | 'forget' }
  | { about: 'extractions'; messageIds: string[] }

/** The owner's word on what waits for it. */
export function useDecide() {
  const { session, queryClient } = useServices()
  const notify = useNotify()
  return useMutation({
    mutationFn: (decision: Decision) => decide(session.client, decision),
    onError: (error) => notify({ tone: 'danger', text: `Not saved: ${detailOf(error)}` }),
    onSettled: () => queryClient.invalidateQueries({ queryKey: keys.memories })
  })
}

async function decide(client: PaiClient, decision: Decision): Promise<void> {
  switch (decision.about) {
    case 'proposal': {
      const params = { path: { id: decision.id } }
      await unwrap(
        decision.verdict === 'approve'
          ? client.POST('/v1/memory-proposals/{id}/approve', { params })
          : client.POST('/v1/memory-proposals/{id}/reject', { params })
      )
      return
    }
    case 'conflict': {
      const { id, keep } = decision
      await unwrap(
        client.POST('/v1/memory-conflicts/{id}/resolve', { params: { path: { id } }, body: { keep } })
      )
      return
    }
    case 'inference': {
      const { id, text, verdict } = decision
      const params = { path: { id } }
      // A memory that its owner has written is no longer only inferred, be it in the same words.
      if (verdict === 'confirm') await unwrap(client.PATCH('/v1/memories/{id}', { params, body: { text } }))
      else await unwrap(client.DELETE('/v1/memories/{id}', { params }))
      return
    }
    case 'extractions': {
      const retry = (messageId: string) =>
        unwrap(client.POST('/v1/memory-extractions/{messageId}/retry', { params: { path: { messageId } } }))
      await Promise.all(decision.messageIds.map(retry))
    }
  }
}
