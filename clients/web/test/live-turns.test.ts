import { createPaiClient, type TurnEvent } from '@pai/sdk'
import { QueryClient, QueryObserver } from '@tanstack/react-query'
import { afterEach, expect, onTestFinished, test, vi } from 'vitest'
import { createLiveTurns } from '../src/chat/live-turns.ts'
import { conversationQuery, keys } from '../src/queries.ts'

const TURN = { turnId: 't1', conversationId: 'c1', userMessageId: 'm1', model: 'scripted' }
const CONVERSATION = { id: 'c1', title: 'Where?', temporary: false, createdAt: '', updatedAt: '' }

afterEach(() => void vi.unstubAllGlobals())

test('a turn that has ended is not taken up again by an answer from before its end', async () => {
  vi.stubGlobal('requestAnimationFrame', (run: () => void) => setTimeout(run, 0))
  vi.stubGlobal('cancelAnimationFrame', clearTimeout)
  const stream = new TransformStream<Uint8Array, Uint8Array>()
  const events = stream.writable.getWriter()
  const send = (id: number, type: TurnEvent['type'], data: unknown) =>
    events.write(new TextEncoder().encode(`id: ${id}\nevent: ${type}\ndata: ${JSON.stringify(data)}\n\n`))
  const late = Promise.withResolvers<Response>()
  let conversationReads = 0
  const client = createPaiClient({
    baseUrl: 'http://pai',
    fetch: async ({ method, url }) => {
      if (method === 'POST') return new Response(stream.readable)
      if (!url.endsWith('/conversations/c1')) return Response.json({ items: [], nextCursor: null })
      if (conversationReads++ === 0) return late.promise
      return Response.json({ ...CONVERSATION, activeTurnId: null })
    }
  })
  const queryClient = new QueryClient({ defaultOptions: { queries: { retry: false } } })
  onTestFinished(() => queryClient.clear())
  const liveTurns = createLiveTurns({ client, queryClient })

  liveTurns.start('new', { kind: 'send', body: { message: 'Where?' }, attachments: [] })
  void send(1, 'turn', TURN)
  await vi.waitFor(() => expect(liveTurns.get('c1')?.phase).toBe('running'))
  // The page of the conversation asks for it while the turn runs, and is answered after.
  const active: unknown[] = []
  const conversation = new QueryObserver(queryClient, conversationQuery(client, 'c1'))
  onTestFinished(conversation.subscribe(({ data }) => active.push(data?.activeTurnId)))
  await vi.waitFor(() => expect(conversationReads).toBe(1))
  void send(2, 'text-delta', { text: 'In Tromsø' })
  void send(3, 'done', { status: 'completed', messageId: 'm2' })
  await vi.waitFor(() => expect(liveTurns.get('c1')).toBeUndefined())
  late.resolve(Response.json({ ...CONVERSATION, activeTurnId: 't1' }))

  await vi.waitFor(() => expect(queryClient.getQueryData(keys.conversation('c1'))).toBeDefined())
  expect(active).not.toContain('t1')
  expect(queryClient.getQueryData(keys.conversation('c1'))).toMatchObject({ activeTurnId: null })
  expect(conversationReads).toBe(2)
})
