import { expect, test } from 'vitest'
import { closeMemory } from '../../src/memory/extraction/reconcile-store.ts'
import { setUp } from '../chat/talk.ts'
import { describeEachDatabase } from '../support/database.ts'
import { runJobs } from './jobs.ts'

const MARCH = 'My blood group is A positive.'
const JUNE = 'My blood group is B negative.'
const OTHER = 'Group A runs in my veins'

describeEachDatabase('the end of a memory that contradicts another', (database) => {
  async function contradict() {
    const { house, owner, call } = await setUp(database())
    for (const [content, createdAt] of [
      [MARCH, '2025-03-01T10:00:00Z'],
      [JUNE, '2025-06-01T10:00:00Z']
    ]) {
      await call('POST', '/conversations/import', {
        messages: [{ role: 'user', content, createdAt }],
        extract: true
      })
      await runJobs(house, owner.id)
    }
    const other = (await call('POST', '/memories', { text: OTHER })).data.id
    const list = async (): Promise<{ id: string; text: string; status: string }[]> =>
      (await call('GET', '/memories?limit=200')).data.items
    const idOf = async (text: string) => (await list()).find((memory) => memory.text === text)?.id ?? ''
    return {
      house,
      owner,
      call,
      other,
      march: await idOf(MARCH),
      june: await idOf(JUNE),
      undo: (id: string) => call('POST', `/memories/${id}/undo`),
      /** How each stands, and between which there is something to decide. */
      async state() {
        const conflicts = (await call('GET', '/memory-conflicts')).data.items
        return {
          ...Object.fromEntries((await list()).map(({ text, status }) => [text, status])),
          between: conflicts.map(({ first, second }: Record<string, { text: string }>) =>
            [first?.text, second?.text].sort()
          )
        }
      }
    }
  }
  const BOTH = {
    [MARCH]: 'conflicting',
    [JUNE]: 'conflicting',
    [OTHER]: 'active',
    between: [[MARCH, JUNE].sort()]
  }

  test('one merged into the other leaves nothing to decide, until that is undone', async () => {
    const { call, march, june, state, undo } = await contradict()
    expect(await state()).toEqual(BOTH)
    await call('POST', `/memories/${june}/merge`, { ids: [march] })
    expect(await state()).toMatchObject({ [JUNE]: 'active', between: [] })
    expect((await undo(june)).status).toBe(200)
    expect(await state()).toEqual(BOTH)
  })

  test('one merged into a third leaves the third to decide about, until that is undone', async () => {
    const { call, march, other, state, undo } = await contradict()
    await call('POST', `/memories/${other}/merge`, { ids: [march] })
    expect(await state()).toMatchObject({
      [MARCH]: 'superseded',
      [JUNE]: 'conflicting',
      [OTHER]: 'conflicting',
      between: [[OTHER, JUNE].sort()]
    })
    expect((await undo(other)).status).toBe(200)
    expect(await state()).toEqual(BOTH)
  })

  test('one that is forgotten leaves the other to hold at once, until that is undone', async () => {
    const { call, march, state, undo } = await contradict()
    expect((await call('DELETE', `/memories/${march}`)).status).toBe(204)
    expect(await state()).toEqual({ [JUNE]: 'active', [OTHER]: 'active', between: [] })
    expect((await undo(march)).status).toBe(200)
    expect(await state()).toEqual(BOTH)
    await call('DELETE', `/memories/${march}`)
    await call('DELETE', `/memories/${june(await call('GET', '/memories'))}?purge=true`)
    expect((await undo(march)).status).toBe(200)
    expect(await state()).toEqual({ [MARCH]: 'active', [OTHER]: 'active', between: [] })
  })
  const june = ({ data }: { data: { items: { id: string; text: string }[] } }) =>
    data.items.find(({ text }) => text === JUNE)?.id

  test('one that is said to be over leaves the other to hold, until that is undone', async () => {
    const { owner, march, state, undo } = await contradict()
    const closing = {
      status: 'expired' as const,
      supersededBy: null,
      validTo: new Date('2025-04-01'),
      closedAt: new Date()
    }
    await database().inOwner(owner.id, (tx) =>
      closeMemory(tx, owner.id, march, closing, {
        action: 'expired',
        by: 'extraction',
        reason: 'said to be over'
      })
    )
    expect(await state()).toMatchObject({ [MARCH]: 'expired', [JUNE]: 'active', between: [] })
    expect((await undo(march)).status).toBe(200)
    expect(await state()).toEqual(BOTH)
  })

  test('words that were merged into another memory, told again, prove that one', async () => {
    const { house, owner, call, other, march } = await contradict()
    await call('POST', `/memories/${other}/merge`, { ids: [march] })
    const proofs = async () =>
      (
        await database().pool.query(
          'SELECT text, status, proof_count AS proofs FROM memories WHERE owner_id = $1 ORDER BY text',
          [owner.id]
        )
      ).rows
    const before = await proofs()
    await call('POST', '/conversations/import', {
      messages: [{ role: 'user', content: MARCH, createdAt: '2025-07-01T10:00:00Z' }],
      extract: true
    })
    await runJobs(house, owner.id)
    expect(await proofs()).toEqual(
      before.map((row) => (row.text === OTHER ? { ...row, proofs: row.proofs + 1 } : row))
    )
  })
})
