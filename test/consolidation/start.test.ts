import { afterEach, beforeEach, expect, test } from 'vitest'
import { takeJobs } from '../memory/jobs.ts'
import { buildTestApp, type TestApp } from '../support/app.ts'
import { describeEachDatabase } from '../support/database.ts'
import { tidyOwner } from './tidy.ts'

const HOUR = 3_600_000

describeEachDatabase('the nightly schedule', (database) => {
  let house: TestApp
  let now: Date
  let ada: Awaited<ReturnType<typeof tidyOwner>>

  beforeEach(async () => {
    now = new Date(new Date().setUTCHours(24, 30, 0, 0))
    house = await buildTestApp(database(), { now: () => now })
    ada = await tidyOwner(database(), house)
    await ada.call('PATCH', '/me', { timezone: 'Asia/Karachi' })
    // By the database's own clock it began at whatever hour the test runs.
    await database().pool.query('UPDATE users SET created_at = $2 WHERE id = $1', [ada.owner.id, now])
  })
  afterEach(() => house.close())

  /** Half past this hour in Karachi, five hours ahead all year. */
  const atKarachi = (hour: number) => new Date(new Date(now).setUTCHours(hour - 5, 30, 0, 0))
  async function begun(): Promise<number> {
    await house.services.jobs['consolidation.schedule']({}, new AbortController().signal)
    const jobs = await takeJobs(database(), ada.owner.id)
    return jobs.filter(({ name }) => name === 'consolidation.run').length
  }

  test('begins one run in the owner’s own night, and no second', async () => {
    await ada.remember('Ada keeps bees')
    now = atKarachi(26)
    expect(await begun()).toBe(0)
    now = atKarachi(27)
    expect(await begun()).toBe(1)
    expect(await begun()).toBe(0)
    expect((await ada.call('GET', '/consolidations')).data.items).toHaveLength(1)
  })

  test('leaves an owner alone who has nothing, or nothing new', async () => {
    now = atKarachi(27)
    expect(await begun()).toBe(0)
    await ada.remember('Ada keeps bees')
    expect((await ada.tidy()).status).toBe('completed')
    await database().pool.query('UPDATE consolidations SET finished_at = $2 WHERE owner_id = $1', [
      ada.owner.id,
      new Date(now.getTime() + HOUR)
    ])
    now = new Date(now.getTime() + 24 * HOUR)
    expect(await begun()).toBe(0)
    await database().pool.query('UPDATE memories SET updated_at = $2 WHERE owner_id = $1', [
      ada.owner.id,
      now
    ])
    expect(await begun()).toBe(1)
  })

  test('leaves an owner alone whose memory is paused', async () => {
    await ada.remember('Ada keeps bees')
    await ada.call('PATCH', '/me', { memoryPaused: true })
    now = atKarachi(27)
    expect(await begun()).toBe(0)
  })

  test('begins the runs of others where one owner’s fails, and tells of the failure', async ({
    onTestFinished
  }) => {
    const bob = await tidyOwner(database(), house)
    const setZone = (zone: string) =>
      database().pool.query('UPDATE users SET timezone = $2 WHERE id = $1', [ada.owner.id, zone])
    await bob.call('PATCH', '/me', { timezone: 'Asia/Karachi' })
    await bob.remember('Bob keeps goats')
    await database().pool.query('UPDATE users SET created_at = $2 WHERE id = $1', [bob.owner.id, now])
    // Known where it was set, and not to this process.
    await setZone('Nowhere/Atlantis')
    onTestFinished(async () => {
      await setZone('UTC')
    })
    now = atKarachi(27)
    await expect(begun()).rejects.toThrow(RangeError)
    const jobs = await takeJobs(database(), bob.owner.id)
    expect(jobs.map(({ name }) => name)).toContain('consolidation.run')
  })

  test('catches up by day where the nights were missed', async () => {
    await ada.remember('Ada keeps bees')
    now = new Date(atKarachi(14).getTime() + 48 * HOUR)
    expect(await begun()).toBe(1)
    expect(await begun()).toBe(0)
  })
})
