import { beforeAll, expect, onTestFinished, test } from 'vitest'
import type { Embedder } from '../../../src/llm/model.ts'
import { createOfflineEmbedder } from '../../../src/llm/offline-embedder.ts'
import type { Embedders } from '../../../src/memory/recall/embedders.ts'
import { createRecall } from '../../../src/memory/recall/recall.ts'
import { keepMemory } from '../../../src/memory/store.ts'
import { callAs } from '../../chat/talk.ts'
import { buildTestApp } from '../../support/app.ts'
import { createOwner, describeEachDatabase } from '../../support/database.ts'

const BEES = 'My sister Ada keeps bees in Tromsø'
const offline = createOfflineEmbedder(64)
/** Owners who are on this embedder, as far as anybody knows. */
const only = (current: Embedder): Embedders => ({
  current,
  known: () => ({ large: [] }),
  readSettings: () => Promise.reject(new Error('Nothing need be read')),
  forSearch: () => current,
  inUse: async () => current,
  forWriting: async () => [current]
})
const broken = async () => {
  throw new Error('The embedder is broken')
}
const never = () => new Promise<never>(() => {})
const untilAborted = (_texts: string[], signal: AbortSignal) =>
  new Promise<never>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)))

describeEachDatabase('recall with an embedder that fails', (database) => {
  let ownerId = ''

  beforeAll(async () => {
    ownerId = await createOwner(database())
    await database().inOwner(ownerId, (tx) =>
      keepMemory(
        tx,
        ownerId,
        { text: BEES, category: 'note', importance: 0.5 },
        { kind: 'owner', messageId: null, quote: BEES, quoteStart: null, saidBy: 'owner', saidAt: new Date() }
      )
    )
  })

  const recallWith = (embed: Embedder['embed'], signal = new AbortController().signal) =>
    createRecall({ database: database(), embedders: only({ ...offline, embed }) })(
      ownerId,
      { query: 'Ada bees' },
      signal
    )

  test.each([
    ['throws', broken],
    ['gives nothing', async () => []]
  ])('one that %s leaves the words to find it', async (_how, embed) => {
    expect(await recallWith(embed)).toMatchObject([{ text: BEES, matchedBy: ['lexical', 'entity'] }])
  })

  test.each([
    ['hangs until it is told to stop', untilAborted],
    ['hangs and does not listen', never]
  ])('one that %s is waited for two seconds, not more', async (_how, embed) => {
    const started = performance.now()
    expect(await recallWith(embed)).toMatchObject([{ text: BEES, matchedBy: ['lexical', 'entity'] }])
    const seconds = (performance.now() - started) / 1_000
    expect(seconds).toBeGreaterThan(1.9)
    expect(seconds).toBeLessThan(10)
  })

  test.each([
    ['listens', untilAborted],
    ['does not', never]
  ])('whoever asked can give up while it hangs, whether it %s', async (_how, embed) => {
    const caller = new AbortController()
    const recalled = recallWith(embed, caller.signal)
    caller.abort(new Error('The caller has gone'))
    await expect(recalled).rejects.toThrow('The caller has gone')
  })

  test('the lexical way alone does not ask it at all', async () => {
    const recall = createRecall({ database: database(), embedders: only({ ...offline, embed: never }) })
    const query = { query: 'Ada bees', ways: ['lexical' as const] }
    expect(await recall(ownerId, query, new AbortController().signal)).toMatchObject([{ text: BEES }])
  })

  test('vectors of another model are not compared', async () => {
    const house = await buildTestApp(database(), {
      llm: { embedder: { ...offline, id: 'other', embed: offline.embed } }
    })
    onTestFinished(() => house.close())
    const owner = await house.register()
    const call = callAs(house, owner)
    await call('POST', '/memories', { text: BEES })
    const embedded = {
      ownerId: owner.id,
      model: 'yet another',
      embedding: JSON.stringify(Array(32).fill(0.1))
    }
    await database().pool.query(
      'INSERT INTO memory_vectors (owner_id, id, model, embedding) SELECT owner_id, id, $2, $3 FROM memories WHERE owner_id = $1',
      Object.values(embedded)
    )
    // Of 32 dimensions where the query has 64, it could not be.
    const { status, data } = await call('POST', '/recall', { query: 'Ada bees' })
    expect([status, data.items.map(({ matchedBy }: { matchedBy: string[] }) => matchedBy)]).toEqual([
      200,
      [['lexical', 'entity']]
    ])
  })
})
