import type { Api } from './clients.ts'

/** The ids of all conversations of an owner's. */
export async function conversationsOf(api: Api): Promise<string[]> {
  const ids: string[] = []
  for (let cursor: string | null = ''; cursor !== null; ) {
    const page = await api.get(`/conversations?limit=200${cursor && `&cursor=${cursor}`}`)
    ids.push(...page.items.map(({ id }: { id: string }) => id))
    cursor = page.nextCursor
  }
  return ids
}

/** Everything the owner ever said, wherever. */
export async function saidIn(api: Api): Promise<string[]> {
  const said: string[] = []
  for (const id of await conversationsOf(api)) {
    for (let cursor: string | null = ''; cursor !== null; ) {
      const page = await api.get(`/conversations/${id}/messages?limit=200${cursor && `&cursor=${cursor}`}`)
      for (const { role, content } of page.items) if (role === 'user') said.push(content)
      cursor = page.nextCursor
    }
  }
  return said
}

/** The turns that nobody has ended. */
export async function unfinishedTurns(api: Api): Promise<string[]> {
  const active = await Promise.all(
    (await conversationsOf(api)).map(async (id) => (await api.get(`/conversations/${id}`)).activeTurnId)
  )
  return active.filter(Boolean)
}
