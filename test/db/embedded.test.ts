import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test, vi } from 'vitest'
import { conversations } from '../../src/chat/tables.ts'
import { openEmbedded } from '../../src/db/embedded.ts'
import { startChild } from '../support/child.ts'
import { createDataFolder, createOwner } from '../support/database.ts'

const WRITER = join(import.meta.dirname, 'processes', 'write-until-killed.ts')
const ROUNDS = 10
/** Has no account: what is written for it is refused, once the schema is there. */
const NOBODY = '01990000-0000-7000-8000-000000000000'

test('what was acknowledged is there after the process is killed, again and again', async () => {
  const folder = createDataFolder()
  const before = await openEmbedded(folder.path)
  const owner = await createOwner(before)
  await before.close()
  const acknowledged: string[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const writer = startChild([WRITER, folder.path, owner])
    await writer.line((line) => line === 'ready')
    // At any moment of any statement, sooner or later, and in one round before the first is told of.
    const most = round === 0 ? 0 : Math.random() * 20
    await vi.waitFor(() => expect(writer.lines.length).toBeGreaterThan(most), {
      timeout: 20_000,
      interval: 1
    })
    await sleep(Math.random() * 20)
    await writer.kill()
    acknowledged.push(...writer.lines.filter((line) => line !== 'ready'))
  }
  expect(acknowledged.length).toBeGreaterThan(ROUNDS)
  const after = await openEmbedded(folder.path)
  const rows = await after.inOwner(owner, (tx) => tx.select({ id: conversations.id }).from(conversations))
  const kept = new Set(rows.map(({ id }) => id))
  expect(acknowledged.filter((id) => !kept.has(id))).toEqual([])
  // Each round may have had one row that was safe before anybody could be told.
  expect(kept.size - acknowledged.length).toBeLessThanOrEqual(ROUNDS)
  await after.close()
  folder.remove()
}, 120_000)

test('killed while it makes a new data folder, the next start makes it whole', async () => {
  const moments: [path: string, afterMs: number][] = [
    ['database.new', 0],
    ['database.new', 20],
    ['database', 0],
    ['database', 400]
  ]
  for (const [path, afterMs] of moments) {
    const folder = createDataFolder({ migrated: false })
    const first = startChild([WRITER, folder.path, NOBODY, 'new'])
    while (!existsSync(join(folder.path, path))) await sleep(1)
    await sleep(afterMs)
    await first.kill()
    const next = startChild([WRITER, folder.path, NOBODY, 'new'])
    await expect(
      next.line((line) => line === 'ready'),
      `${path}, ${afterMs} ms`
    ).resolves.toBe('ready')
    await next.kill()
    folder.remove()
  }
}, 120_000)

test('a killed process leaves no socket behind once the next one has started', async () => {
  if (process.platform === 'win32') return
  const folder = createDataFolder()
  const writer = startChild([WRITER, folder.path, NOBODY])
  await writer.line((line) => line === 'ready')
  await writer.kill()
  const left = readFileSync(join(folder.path, 'socket-folder'), 'utf8')
  expect(readdirSync(left)).toEqual(['socket'])
  const database = await openEmbedded(folder.path)
  expect(existsSync(left)).toBe(false)
  const own = readFileSync(join(folder.path, 'socket-folder'), 'utf8')
  expect(dirname(own)).toBe(dirname(left))
  await database.close()
  expect(existsSync(own)).toBe(false)
  folder.remove()
})

test('a long query does not hold up the thread that asked', async () => {
  const folder = createDataFolder()
  const database = await openEmbedded(folder.path)
  let longest = 0
  let last = performance.now()
  const pulse = setInterval(() => {
    longest = Math.max(longest, performance.now() - last)
    last = performance.now()
  }, 10)
  const started = performance.now()
  await database.pool.query(
    `SELECT count(*) FROM generate_series(1, 3000000) AS a WHERE md5(a::text) LIKE 'abc%'`
  )
  const took = performance.now() - started
  clearInterval(pulse)
  expect(took).toBeGreaterThan(1_000)
  expect(longest).toBeLessThan(took / 3)
  await database.close()
  folder.remove()
})
