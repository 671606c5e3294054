import { expect, onTestFinished, test } from 'vitest'
import { type Bus, openBus } from '../../src/db/bus.ts'
import { createOwner, describeEachDatabase } from '../support/database.ts'
import { eventually } from '../support/eventually.ts'

describeEachDatabase('the bus', (database) => {
  async function join(): Promise<Bus> {
    const bus = await openBus(database())
    onTestFinished(() => bus.close())
    return bus
  }

  test('what is told is heard by every process, on its topic alone, once it is committed', async () => {
    const ownerId = await createOwner(database())
    const [one, other] = [await join(), await join()]
    const heard: string[] = []
    one.hear('turn-stop', (message) => heard.push(`one ${message}`))
    other.hear('turn-stop', (message) => heard.push(`other ${message}`))
    other.hear('turn-log', (message) => heard.push(`log ${message}`))
    await database().inOwner(ownerId, async (tx) => {
      await one.tell(tx, 'turn-stop', 'a turn')
      expect(heard).toEqual([])
    })
    await eventually(() => expect(heard.toSorted()).toEqual(['one a turn', 'other a turn']))
  })

  test('what is taken back is never heard', async () => {
    const ownerId = await createOwner(database())
    const bus = await join()
    const heard: string[] = []
    bus.hear('turn-log', (message) => heard.push(message))
    const taken = database().inOwner(ownerId, async (tx) => {
      await bus.tell(tx, 'turn-log', 'taken back')
      throw new Error('no')
    })
    await expect(taken).rejects.toThrow('no')
    await database().inOwner(ownerId, (tx) => bus.tell(tx, 'turn-log', 'kept'))
    await eventually(() => expect(heard).toEqual(['kept']))
  })
})
