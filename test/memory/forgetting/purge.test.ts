import { expect, onTestFinished, test } from 'vitest'
import { keepMemory } from '../../../src/memory/store.ts'
import { gate, setUp } from '../../chat/talk.ts'
import { tablesOf } from '../../http/tables.ts'
import { describeEachDatabase } from '../../support/database.ts'
import { eventually } from '../../support/eventually.ts'
import { everyWordOf } from '../every-word.ts'
import { runJob, takeJobs } from '../jobs.ts'

const BEES = 'My sister Ada keeps bees in Tromsø'

describeEachDatabase('purging', (database) => {
  async function house(script: Parameters<typeof setUp>[1] = ['Noted.']) {
    let time = Date.now()
    const { house, owner, call } = await setUp(database(), script, { now: () => new Date(time) })
    const remember = async (text: string): Promise<string> =>
      (await call('POST', '/memories', { text })).data.id
    return {
      house,
      owner,
      call,
      remember,
      pass(minutes: number): void {
        time += minutes * 60_000
      },
      purge: (id: string) => house.services.purge(owner.id, id),
      words: () => everyWordOf(database(), owner.id),
      isThere: async (id: string): Promise<boolean> =>
        ((await database().pool.query('SELECT FROM memories WHERE id = $1', [id])).rowCount ?? 0) > 0
    }
  }

  test('does nothing before its time, nor after an undo', async () => {
    const { call, remember, pass, purge, isThere } = await house()
    const id = await remember(BEES)
    await purge(id)
    await call('DELETE', `/memories/${id}`)
    pass(9)
    await purge(id)
    await call('POST', `/memories/${id}/undo`)
    pass(2)
    await purge(id)
    expect((await call('GET', `/memories/${id}`)).status).toBe(200)
    await call('DELETE', `/memories/${id}`)
    pass(11)
    await purge(id)
    expect(await isThere(id)).toBe(false)
    await purge(id)
  })

  test('that found something it cannot clean changes nothing, and is tried again', async () => {
    const { owner, call, remember, pass, purge, isThere } = await house()
    const id = await remember(BEES)
    await call('DELETE', `/memories/${id}`)
    pass(11)
    const hidden = `INSERT INTO term_counts (owner_id, kind, term, count) VALUES ($1, 'memory', $2, 1)`
    await database().pool.query(hidden, [owner.id, BEES])
    const before = await tablesOf(database())
    await expect(purge(id)).rejects.toMatchObject({ code: 'PAI_MEMORY_PURGE_INCOMPLETE' })
    expect(await tablesOf(database())).toEqual(before)
    await database().pool.query('DELETE FROM term_counts WHERE owner_id = $1 AND term = $2', [owner.id, BEES])
    await purge(id)
    expect(await isThere(id)).toBe(false)
  })

  test('cleans places it was not written for, and leaves other people’s alone', async () => {
    const { house: one, owner, call, remember, words } = await house()
    const other = await one.register()
    await database().pool.query(`CREATE TABLE scraps (owner_id uuid, note text, more jsonb, list text[])`)
    onTestFinished(() =>
      database()
        .pool.query('DROP TABLE scraps')
        .then(() => {})
    )
    await database().pool.query('GRANT ALL ON scraps TO pai_app')
    const scrap = `INSERT INTO scraps VALUES ($1, $2, $3, $4)`
    for (const id of [owner.id, other.id]) {
      const note = `Note: ${BEES.toUpperCase()}; and more.`
      await database().pool.query(scrap, [id, note, JSON.stringify([{ a: [BEES], b: 1 }]), [BEES, 'x']])
    }
    const id = await remember(BEES)
    await database().inOwner(owner.id, (tx) =>
      one.services.queue.enqueue(tx, 'memory.index', { ownerId: owner.id, memoryIds: [id], messageIds: [] })
    )
    await database().pool.query(`UPDATE pgboss.job SET output = $2 WHERE data ->> 'ownerId' = $1::text`, [
      owner.id,
      JSON.stringify({ message: BEES })
    ])
    await call('DELETE', `/memories/${id}?purge=true`)
    expect((await words()).filter((text) => /bees/i.test(text))).toEqual([])
    const { rows } = await database().pool.query(
      'SELECT note, more, list FROM scraps ORDER BY owner_id = $1',
      [owner.id]
    )
    expect(rows).toEqual([
      { note: `Note: ${BEES.toUpperCase()}; and more.`, more: [{ a: [BEES], b: 1 }], list: [BEES, 'x'] },
      {
        note: 'Note: [forgotten]; and more.',
        more: [{ a: ['[forgotten]'], b: 1 }],
        list: ['[forgotten]', 'x']
      }
    ])
  })

  test('waits for a turn that may still say it', async () => {
    const { step, open } = gate()
    const {
      house: one,
      owner,
      call,
      remember,
      words,
      purge
    } = await house(({ sources }) => ['You told me: ', step, sources[0]?.text ?? ''])
    const id = await remember(BEES)
    const turn = call('POST', '/chat', { message: 'What does my sister Ada keep?' })
    await eventually(async () => {
      const { rows } = await database().pool.query('SELECT FROM turn_events WHERE owner_id = $1 AND id > 1', [
        owner.id
      ])
      expect(rows.length).toBeGreaterThan(0)
    })
    await call('DELETE', `/memories/${id}?purge=true`)
    expect((await call('GET', `/memories/${id}`)).status).toBe(404)
    expect((await call('GET', '/memory-purges')).data.items).toEqual([])
    open()
    expect((await turn).data.message.content).toBe('[forgotten]')
    expect((await words()).join('\n')).toContain(`You told me: ${BEES}`)
    const jobs = (await takeJobs(database(), owner.id)).filter(({ name }) => name === 'memory.purge')
    expect(jobs).toHaveLength(1)
    for (const job of jobs) await runJob(one, job)
    expect((await words()).filter((text) => /bees/.test(text))).toEqual([])
    expect((await call('GET', '/memory-purges')).data.items).toHaveLength(1)
    await purge(id)
  })

  test('whose job was lost is found by the sweep, and one that fails holds up no other', async () => {
    const { house: one, owner, call, remember, pass, isThere } = await house()
    const [first, second] = [await remember(BEES), await remember('My brother Bob breeds goats')]
    for (const id of [first, second]) await call('DELETE', `/memories/${id}`)
    await database().pool.query(`DELETE FROM pgboss.job WHERE name = 'memory.purge'`)
    const sweep = () => one.services.jobs['memory.sweep-purges']({}, new AbortController().signal)
    await sweep()
    expect(await isThere(first)).toBe(true)
    pass(11)
    const hidden = `INSERT INTO term_counts (owner_id, kind, term, count) VALUES ($1, 'memory', $2, 1)`
    await database().pool.query(hidden, [owner.id, BEES])
    await expect(sweep()).rejects.toMatchObject({ code: 'PAI_MEMORY_PURGE_INCOMPLETE' })
    expect([await isThere(first), await isThere(second)]).toEqual([true, false])
    await database().pool.query('DELETE FROM term_counts WHERE owner_id = $1 AND term = $2', [owner.id, BEES])
    await sweep()
    expect(await isThere(first)).toBe(false)
  })

  test('takes the other of a conflict out of it, and a memory that says the same in more words along', async () => {
    const { owner, call, remember } = await house()
    const ids = [
      await remember('I live in Oslo'),
      await remember('I live in Bergen'),
      await remember('I know that I live in Oslo')
    ]
    await database().pool.query(`UPDATE memories SET status = 'conflicting' WHERE id = ANY($1)`, [
      ids.slice(0, 2)
    ])
    await database().pool.query(
      `INSERT INTO memory_conflicts (owner_id, id, memory_id, other_id, reason) VALUES ($1, $2, $2, $3, 'two homes')`,
      [owner.id, ids[0], ids[1]]
    )
    await call('DELETE', `/memories/${ids[0]}?purge=true`)
    expect((await call('GET', '/memories')).data.items).toMatchObject([{ id: ids[1], status: 'active' }])
    expect((await call('GET', '/memory-purges')).data.items).toHaveLength(2)
  })

  test('at once is done by the request, and by a job where there is much to look through', async () => {
    const { house: one, owner, call, remember, isThere } = await house()
    const [first, second] = [await remember(BEES), await remember('My brother Bob breeds goats')]
    const purges = async () =>
      (await takeJobs(database(), owner.id)).filter(({ name }) => name === 'memory.purge')
    await call('DELETE', `/memories/${first}?purge=true`)
    expect(await isThere(first)).toBe(false)
    expect(await purges()).toEqual([])
    await database().pool.query(`UPDATE term_counts SET count = 50000 WHERE owner_id = $1 AND term = ''`, [
      owner.id
    ])
    await call('DELETE', `/memories/${second}?purge=true`)
    expect(await isThere(second)).toBe(true)
    const [job, ...others] = await purges()
    expect(others).toEqual([])
    if (job) await runJob(one, job)
    expect(await isThere(second)).toBe(false)
  })

  test('of one word leaves that word where others said it', async () => {
    const { owner, call } = await house()
    const { message } = (await call('POST', '/chat', { message: 'Bees! All about bees.' })).data
    const messageId = message.parentId
    const id = await database().inOwner(owner.id, (tx) =>
      keepMemory(
        tx,
        owner.id,
        { text: 'Bees', category: 'fact', importance: 0.5 },
        { kind: 'message', messageId, quote: 'Bees', quoteStart: 0, saidBy: 'owner', saidAt: new Date() }
      )
    )
    await call('DELETE', `/memories/${id}?purge=true`)
    const { items } = (await call('GET', `/conversations/${message.conversationId}/messages`)).data
    expect(items[0].content).toBe('[forgotten]! All about bees.')
  })

  test.each([
    ['an emoji', '🐝🐝🐝 and honey 🐝'],
    ['another script', '私の姉はトロムソで蜂を飼っています'],
    ['right to left', 'أختي تربي النحل في ترومسو'],
    ['a pattern', 'My pass (phrase) is .* [a-z]+ \\d $^ |'],
    ['quotes and backslashes', `Ada's "best" \\ bees %s \${x} {{y}}`],
    ['lines', 'Ada\nkeeps\tbees \u2028 in Tromsø'],
    ['what is taken apart', 'Zoe\u0308 keeps be\u0301es']
  ])('a memory of %s is found and gone', async (_what, text) => {
    const { call, remember, words } = await house()
    await call('POST', '/chat', { message: `So: ${text}; right?` })
    const id = await remember(text)
    await call('DELETE', `/memories/${id}?purge=true`)
    const wanted = text.normalize('NFKC').replace(/[^\p{L}\p{M}\p{N}]+/gu, '')
    const left = (await words()).filter((held) =>
      held
        .normalize('NFKC')
        .replace(/[^\p{L}\p{M}\p{N}]+/gu, '')
        .includes(wanted)
    )
    expect(left).toEqual([])
  })
})
