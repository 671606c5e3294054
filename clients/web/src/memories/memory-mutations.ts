import { type Memory, unwrap } from '@pai/sdk'
import { useMutation } from '@tanstack/react-query'
import { keys } from '../queries.ts'
import { useServices } from '../services.ts'
import { detailOf } from '../ui/problem.tsx'
import { useNotify } from '../ui/toast.tsx'

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

export function useForgetMemory({ id }: Memory) {
  const { session, queryClient } = useServices()
  const notify = useNotify()
  return useMutation({
    mutationFn: () => unwrap(session.client.DELETE('/v1/memories/{id}', { params: { path: { id } } })),
    onSuccess: () => notify({ text: 'Memory deleted' }),
    onError: (error) => notify({ tone: 'danger', text: `Not deleted: ${detailOf(error)}` }),
    onSettled: () => queryClient.invalidateQueries({ queryKey: keys.memories })
  })
}
