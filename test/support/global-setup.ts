import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import pg from 'pg'
import type { TestProject } from 'vitest/node'
import { findChromium } from './chromium.ts'
import type { KeeperAnswer, KeeperRequest } from './keeper.ts'
import { findPostgres } from './postgres-server.ts'
import { embeddedTemplate, migrateServerTemplate } from './template.ts'

/** What `database.ts` needs to know of this run. */
export interface TestRun {
  /** For everything a test writes; removed at the end, also of a run that is killed. */
  folder: string
  embeddedTemplate: string
  postgres: { url: string; template: string; databasePrefix: string } | null
}

declare module 'vitest' {
  export interface ProvidedContext {
    testRun: TestRun
  }
}

/** Prepares both databases before the first test file; what cannot be tested here is said, or refused where it is required. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const required = (process.env.PAI_TEST_REQUIRE ?? '').split(',')
  const serverUrl = process.env.TEST_DATABASE_URL || null
  const found = serverUrl ? { bin: null } : findPostgres()
  if ('missing' in found) {
    const why = `The PostgreSQL half of the tests is skipped: ${found.missing}, and TEST_DATABASE_URL is not set`
    skip(why, required.includes('postgres'))
  }
  if (!findChromium())
    skip('The browser test is skipped: no Chromium is installed here', required.includes('browser'))
  if (!process.env.PAI_CORPORA) {
    const why =
      'The tests with public sets of strange input are skipped: PAI_CORPORA does not say where they are'
    skip(why, required.includes('corpora'))
  }

  const folder = mkdtempSync(join(tmpdir(), 'pai-test-'))
  const databasePrefix = `${basename(folder).toLowerCase().replaceAll('-', '_')}_`
  const keeper = await startKeeper({
    folder,
    bin: 'bin' in found ? found.bin : null,
    serverUrl,
    databasePrefix
  })
  try {
    const template = `${databasePrefix}template`
    if (keeper.url) await createServerTemplate(keeper.url, template)
    project.provide('testRun', {
      folder,
      embeddedTemplate: await embeddedTemplate(),
      postgres: keeper.url ? { url: keeper.url, template, databasePrefix } : null
    })
  } catch (error) {
    await keeper.stop()
    throw error
  }
  return keeper.stop
}

function skip(why: string, required: boolean): void {
  if (required) throw new Error(`${why} (PAI_TEST_REQUIRE asks for it)`)
  process.stdout.write(`${why}\n`)
}

async function startKeeper(request: KeeperRequest): Promise<{ url: string | null; stop(): Promise<void> }> {
  // In a process group of its own: a Ctrl-C reaches the run alone, which then ends its server in order.
  const keeper = fork(join(import.meta.dirname, 'keeper.ts'), [JSON.stringify(request)], {
    detached: true,
    execArgv: []
  })
  const exited = once(keeper, 'exit')
  async function stop(): Promise<void> {
    if (keeper.connected) keeper.disconnect()
    await exited
  }
  const [answer] = (await once(keeper, 'message')) as [KeeperAnswer]
  if ('error' in answer) {
    await stop()
    throw new Error(`The throwaway PostgreSQL server did not start: ${answer.error}`)
  }
  return { url: answer.url, stop }
}

async function createServerTemplate(url: string, template: string): Promise<void> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query(`CREATE DATABASE ${pg.escapeIdentifier(template)}`)
  await client.end()
  const templateUrl = new URL(url)
  templateUrl.pathname = template
  await migrateServerTemplate(templateUrl.href)
}
