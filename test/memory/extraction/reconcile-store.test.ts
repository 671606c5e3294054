import { beforeAll, expect, test } from 'vitest'
import { migrate } from '../../../src/db/migrate.ts'
import { findMentioned, findStanding } from '../../../src/memory/extraction/reconcile-store.ts'
import { keepMemory } from '../../../src/memory/store.ts'
import { createOwner, describeEachDatabase } from '../../support/database.ts'

describeEachDatabase('the memories that a message is held against', (database) => {
  let ownerId: string
  const ids: string[] = []
  beforeAll(async () => {
    await migrate(database())
    ownerId = await createOwner(database())
    for (let number = 0; number < 32; number++) ids.push(await keep(ownerId, `I like song${number}.`))
  })

  const keep = (owner: string, text: string) =>
    database().inOwner(owner, (tx) =>
      keepMemory(
        tx,
        owner,
        {
          text,
          category: 'preference',
          tags: [],
          importance: 0.5,
          importanceReason: 'a test',
          subject: null,
          slot: null,
          validFrom: null,
          validTo: null
        },
        { kind: 'owner', messageId: null, quote: text, quoteStart: null, saidBy: 'owner', saidAt: new Date() }
      )
    )

  test('all those that it ends are among them, its owner’s alone, and those near in words besides', async () => {
    const others = await keep(await createOwner(database()), 'I like song0.')
    const ended = ids.slice(0, 30)
    const near = { subject: null, slots: [], terms: ['song31'], ids: [...ended, others], vector: null }
    const standing = await database().inOwner(ownerId, (tx) => findStanding(tx, ownerId, near))
    expect(standing.map(({ id }) => id).sort()).toEqual([...ended, ids[31]].sort())
  })

  test('of a message without end, its first words are looked up', async () => {
    const words = Array.from({ length: 5_000 }, (_, index) => `word${index}`)
    const find = (terms: string[]) => database().inOwner(ownerId, (tx) => findMentioned(tx, ownerId, terms))
    // The twenty latest are held against any message.
    const mentions = async (terms: string[]) => (await find(terms)).some(({ id }) => id === ids[0])
    expect(await mentions(words)).toBe(false)
    expect(await mentions(words.with(999, 'song0'))).toBe(true)
    expect(await mentions(words.with(1_000, 'song0'))).toBe(false)
  })
})
