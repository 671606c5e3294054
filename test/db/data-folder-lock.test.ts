import { join } from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import { lockDataFolder } from '../../src/db/data-folder-lock.ts'
import { openEmbedded } from '../../src/db/embedded.ts'
import { DataFolderInUse } from '../../src/db/errors.ts'
import { type Child, startChild } from '../support/child.ts'
import { createDataFolder } from '../support/database.ts'

const HOLDER = join(import.meta.dirname, 'processes', 'hold-data-folder.ts')

const undo: (() => unknown)[] = []
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step()
})

function newFolder(): string {
  const folder = createDataFolder({ migrated: false })
  undo.push(folder.remove)
  return folder.path
}

async function startHolder(dataDir: string): Promise<Child> {
  const holder = startChild(['--expose-gc', HOLDER, dataDir])
  undo.push(holder.kill)
  await holder.line((line) => line === 'locked')
  return holder
}

test('a second process is refused within a second, and told who has the folder', async () => {
  const dataDir = newFolder()
  const holder = await startHolder(dataDir)
  const started = performance.now()
  expect(() => lockDataFolder(dataDir)).toThrow(DataFolderInUse)
  expect(() => lockDataFolder(dataDir)).toThrow(`${dataDir} is in use by process ${holder.pid}`)
  await expect(openEmbedded(dataDir)).rejects.toThrow(`process ${holder.pid}`)
  expect(performance.now() - started).toBeLessThan(1_000)
})

test('a second process that is refused says so on its way out', async () => {
  const dataDir = newFolder()
  const holder = await startHolder(dataDir)
  const second = startChild(['--expose-gc', HOLDER, dataDir])
  await expect(second.line(() => true)).rejects.toThrow(`in use by process ${holder.pid}`)
})

test('within one process it is taken once', () => {
  const dataDir = newFolder()
  const lock = lockDataFolder(dataDir)
  expect(() => lockDataFolder(dataDir)).toThrow(`process ${process.pid}`)
  lock.release()
  lockDataFolder(dataDir).release()
})

test.skipIf(process.platform === 'win32')('a holder that stands still is not robbed', async () => {
  const dataDir = newFolder()
  const holder = await startHolder(dataDir)
  holder.process.kill('SIGSTOP')
  undo.push(() => holder.process.kill('SIGCONT'))
  const started = performance.now()
  expect(() => lockDataFolder(dataDir)).toThrow(`process ${holder.pid}`)
  expect(performance.now() - started).toBeLessThan(1_000)
})

test('a holder that was killed is followed at once', async () => {
  const dataDir = newFolder()
  const holder = await startHolder(dataDir)
  await holder.kill()
  const started = performance.now()
  lockDataFolder(dataDir).release()
  expect(performance.now() - started).toBeLessThan(1_000)
})

test('of many processes that start at once, one gets the folder and the others name it', async () => {
  const dataDir = newFolder()
  const children = Array.from({ length: 4 }, () => startChild(['--expose-gc', HOLDER, dataDir]))
  undo.push(() => Promise.all(children.map((child) => child.kill())))
  await vi.waitFor(
    () => {
      expect(children.filter(({ lines }) => lines.includes('locked'))).toHaveLength(1)
      expect(children.filter(({ process }) => process.exitCode !== null)).toHaveLength(3)
    },
    { timeout: 20_000 }
  )
})
