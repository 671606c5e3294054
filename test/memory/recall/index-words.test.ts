import { expect, onTestFinished, test } from 'vitest'
import type { Embedder } from '../../../src/llm/model.ts'
import { createOfflineEmbedder } from '../../../src/llm/offline-embedder.ts'
import { createIndexWords } from '../../../src/memory/recall/index-words.ts'
import { setUp } from '../../chat/talk.ts'
import { describeEachDatabase } from '../../support/database.ts'
import { runJobs, takeJobs } from '../jobs.ts'

const BEES = 'My sister Ada keeps bees in Tromsø'
const GOATS = 'My brother Bob breeds goats in Narvik'
const offline = createOfflineEmbedder(64)
const never = new AbortController().signal

/** The offline embedder, which says what it was asked and waits where a test wants it to. */
function watchedEmbedder(before: () => Promise<unknown> = async () => {}) {
  const asked: string[][] = []
  const embedder: Embedder = {
    ...offline,
    async embed(texts, signal) {
      asked.push(texts)
      await before()
      return offline.embed(texts, signal)
    }
  }
  return { asked, embedder }
}

describeEachDatabase('the job that makes words findable', (database) => {
  async function setUpWith(embedder: Embedder = offline) {
    const { house, owner, call } = await setUp(database(), ['Noted.'], { llm: { embedder } })
    const remember = async (text: string): Promise<string> =>
      (await call('POST', '/memories', { text })).data.id
    return {
      house,
      owner,
      call,
      remember,
      run: createIndexWords({
        database: database(),
        embedders: { forWriting: async () => [embedder] },
        checkSize: async () => {}
      }),
      /** The memories near the query in meaning; the words count for nothing. */
      async near(query: string): Promise<string[]> {
        const { data } = await call('POST', '/recall', { query, ways: ['vector'], kinds: ['memory'] })
        return data.items.map(({ text }: { text: string }) => text)
      },
      async vectorsOf(table: string): Promise<{ id: string; model: string; size: number }[]> {
        const { rows } = await database().pool.query(
          `SELECT id, model, vector_dims(embedding) AS size FROM ${table} WHERE owner_id = $1 ORDER BY id`,
          [owner.id]
        )
        return rows
      }
    }
  }

  test('gives what was remembered and what was said a vector, with the name of its maker', async () => {
    const { house, owner, call, remember, vectorsOf, near } = await setUpWith()
    const id = await remember(BEES)
    await call('POST', '/chat', { message: 'It rains' })
    expect(await vectorsOf('memory_vectors')).toEqual([])
    await runJobs(house, owner.id)
    expect(await vectorsOf('memory_vectors')).toEqual([{ id, model: offline.id, size: 64 }])
    expect((await vectorsOf('message_vectors')).map(({ size }) => size)).toEqual([64, 64])
    expect(await near('beekeeping sisters')).toEqual([BEES])
  })

  test('leaves alone what has a vector, so it can be repeated', async () => {
    const { asked, embedder } = watchedEmbedder()
    const { owner, remember, run, vectorsOf } = await setUpWith(embedder)
    const payload = {
      ownerId: owner.id,
      memoryIds: [await remember(BEES), await remember(GOATS)],
      messageIds: []
    }
    await run(payload, never)
    const before = await vectorsOf('memory_vectors')
    await run(payload, never)
    await run({ ...payload, memoryIds: payload.memoryIds.slice(0, 1) }, never)
    expect(asked).toEqual([[BEES, GOATS]])
    expect(await vectorsOf('memory_vectors')).toEqual(before)
  })

  test('asks nobody where there is nothing to do: ids that are gone, or none', async () => {
    const { asked, embedder } = watchedEmbedder()
    const { owner, call, remember, run } = await setUpWith(embedder)
    const id = await remember(BEES)
    await call('DELETE', `/memories/${id}`)
    await run({ ownerId: owner.id, memoryIds: [id], messageIds: [crypto.randomUUID()] }, never)
    await run({ ownerId: owner.id, memoryIds: [], messageIds: [] }, never)
    expect(asked).toEqual([])
  })

  test('after a correction the new words find it by meaning and the old ones do not', async () => {
    const { house, owner, call, remember, near } = await setUpWith()
    const id = await remember(BEES)
    await runJobs(house, owner.id)
    await call('PATCH', `/memories/${id}`, { text: GOATS })
    expect(await near('sister bees')).toEqual([])
    await runJobs(house, owner.id)
    expect(await near('sister bees')).toEqual([])
    expect(await near('goat breeding brothers')).toEqual([GOATS])
  })

  test('a correction that comes while a vector is made keeps the old words’ vector out', async () => {
    let correct: () => Promise<unknown> = async () => null
    const { embedder } = watchedEmbedder(() => correct())
    const { owner, call, remember, run, near, vectorsOf } = await setUpWith(embedder)
    const id = await remember(BEES)
    correct = async () => {
      correct = async () => null
      await call('PATCH', `/memories/${id}`, { text: GOATS })
    }
    const payload = { ownerId: owner.id, memoryIds: [id], messageIds: [] }
    await run(payload, never)
    expect(await vectorsOf('memory_vectors')).toEqual([])
    // The correction's own job.
    await run(payload, never)
    expect(await near('sister bees')).toEqual([])
    expect(await near('goat breeding brothers')).toEqual([GOATS])
  })

  test('what is forgotten while its vector is made stays forgotten, and the others get theirs', async () => {
    const gone: string[] = []
    const forget = async () => {
      for (const id of gone.splice(0)) await call('DELETE', `/memories/${id}`)
    }
    const { embedder } = watchedEmbedder(forget)
    const { owner, call, remember, run, vectorsOf } = await setUpWith(embedder)
    const [bees, goats] = [await remember(BEES), await remember(GOATS)]
    gone.push(bees)
    await run({ ownerId: owner.id, memoryIds: [bees, goats], messageIds: [] }, never)
    expect((await vectorsOf('memory_vectors')).map(({ id }) => id)).toEqual([goats])
  })

  test('a message that is hidden, before or while its vector is made, gets none until that is undone', async () => {
    let hide: () => Promise<unknown> = async () => null
    const { embedder } = watchedEmbedder(() => hide())
    const { owner, call, remember, run, vectorsOf } = await setUpWith(embedder)
    const id = await remember(BEES)
    const { data } = await call('POST', '/chat', { message: BEES, useMemory: false })
    const messageIds: string[] = [data.message.parentId, data.message.id]
    hide = async () => {
      hide = async () => null
      await call('DELETE', `/memories/${id}`)
    }
    const payload = { ownerId: owner.id, memoryIds: [], messageIds }
    await run(payload, never)
    expect((await vectorsOf('message_vectors')).map((vector) => vector.id)).toEqual([data.message.id])
    await run(payload, never)
    expect((await vectorsOf('message_vectors')).map((vector) => vector.id)).toEqual([data.message.id])
    await call('POST', `/memories/${id}/undo`)
    await run(payload, never)
    expect((await vectorsOf('message_vectors')).map((vector) => vector.id)).toEqual(messageIds.toSorted())
  })

  test('an embedder that fails leaves everything to the next try', async () => {
    let isDown = true
    const { embedder } = watchedEmbedder(async () => {
      if (isDown) throw new Error('The embedder is down')
    })
    const { house, owner, remember, vectorsOf, run } = await setUpWith(embedder)
    await remember(BEES)
    const [job] = await takeJobs(house.services.database, owner.id)
    const payload = job?.data as Parameters<typeof run>[0]
    await expect(run(payload, never)).rejects.toThrow('The embedder is down')
    expect(await vectorsOf('memory_vectors')).toEqual([])
    isDown = false
    await run(payload, never)
    expect(await vectorsOf('memory_vectors')).toHaveLength(1)
  })

  test('of a very long text its beginning is embedded, well-formed', async () => {
    const { asked, embedder } = watchedEmbedder()
    const { owner, call, run } = await setUpWith(embedder)
    const message = `${'🐝'.repeat(3_999)}b🐝${'a'.repeat(50_000)}`
    const { data } = await call('POST', '/chat', { message, useMemory: false })
    const { rows } = await database().pool.query('SELECT user_message_id AS id FROM turns WHERE id = $1', [
      data.turnId
    ])
    await run({ ownerId: owner.id, memoryIds: [], messageIds: [rows[0].id] }, never)
    expect(asked[0]?.[0]?.length).toBe(8_000)
    expect(asked[0]?.[0]?.isWellFormed()).toBe(true)
  })

  test('a worker does all of it by itself', async () => {
    const { house, owner, call } = await setUp(database(), ['Noted.'], { works: true })
    onTestFinished(() => expect(house.failures).toEqual([]))
    await call('POST', '/memories', { text: BEES })
    const isFound = async () => {
      const { data } = await call('POST', '/recall', { query: 'beekeeping sisters', ways: ['vector'] })
      return data.items.length > 0
    }
    // Woken by the commit; a poll would come after seconds.
    await expect.poll(isFound, { timeout: 20_000, interval: 20 }).toBe(true)
    expect(owner.id).toBeTruthy()
  })
})
