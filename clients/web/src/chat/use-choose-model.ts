import { unwrap } from '@pai/sdk'
import { useMutation } from '@tanstack/react-query'
import { keys } from '../queries.ts'
import { useServices } from '../services.ts'
import { detailOf } from '../ui/problem.tsx'
import { useNotify } from '../ui/toast.tsx'

interface Choice {
  conversationId: string
  /** null: the deployment's own. */
  model: string | null
}

/** Has another model answer in a conversation from now on. */
export function useChooseModel() {
  const { session, queryClient } = useServices()
  const notify = useNotify()
  return useMutation({
    mutationFn: ({ conversationId: id, model }: Choice) =>
      unwrap(session.client.PATCH('/v1/conversations/{id}', { params: { path: { id } }, body: { model } })),
    onMutate: ({ conversationId, model }) =>
      queryClient.setQueryData<{ model: string | null }>(
        keys.conversation(conversationId),
        (known) => known && { ...known, model }
      ),
    onError: (error) => notify({ tone: 'danger', text: `The model was not changed: ${detailOf(error)}` }),
    onSettled: () => queryClient.invalidateQueries({ queryKey: keys.conversations })
  })
}
