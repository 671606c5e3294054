import { randomBytes } from 'node:crypto'
import { mkdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { findPostgres, startPostgres } from '../../support/postgres-server.ts'
import { type Api, connect } from '../clients.ts'
import { saidIn, unfinishedTurns } from '../conversations.ts'
import type { PaiProcess, Settings } from '../pai-process.ts'
import type { FaultProgram, Tally } from '../program.ts'
import type { Rig } from '../rig.ts'
import { mountSmallDisk, noSmallDisk, type SmallDisk } from '../small-disk.ts'

/** A database does not fit on eight megabytes; a log does. */
const DATABASE_MB = 256
const LOG_MB = 8
const WRITERS = 8
/** Random, so that it takes the room it has. */
const MESSAGE_BYTES = 12_000
/** More than a page of the disk holds, which may have been begun. */
const LINES = 100
const PAGE_BYTES = 4_096
/** How long there is room, and how long there is none. */
const EMPTY_MS = 1_000
const FULL_MS = 3_000
/** PostgreSQL makes room for its log ahead, 16 MB at a time: until that is used up nobody is refused. */
const FULL_AT_LAST_MS = 180_000
/** From the moment there is room again until the first message is taken, and until all that ran has ended. */
const RECOVERED_MS = 5_000
const ENDED_MS = 60_000

/** R8: the disk is full, under the database or under the log. Nothing is lost, what can be read is, and it goes on by itself. */
export const diskFull: FaultProgram = {
  id: 'R8',
  title: 'the disk of the database, or of the log, is full',
  databases: ['postgres', 'embedded'],
  rounds: { quick: 1, full: 5 },
  minutes: 2,
  impossible: noSmallDisk,
  reply: () => 'Noted.',
  async run(rig, rounds, tally) {
    const disk = mountSmallDisk(rig, 'small', DATABASE_MB)
    const logDisk = mountSmallDisk(rig, 'log', LOG_MB)
    const settings = await settingsOn(rig, disk.path)
    const how = { output: join(logDisk.path, 'pai.log') }
    const node = await rig.startNode({ ...settings, LOG_LEVEL: 'info' }, how)
    const accessToken = await rig.register(node)
    const api = connect(node.url, accessToken)
    for (; tally.played < rounds; tally.played++) {
      await fillLog(api, logDisk, how.output, tally)
      const state: State = { over: false, full: false, kept: [], refused: 0, firstAgainAt: 0 }
      const writers = Array.from({ length: WRITERS }, (_, writer) =>
        write(node, accessToken, `Round ${tally.played} writer ${writer}`, state, tally)
      )
      await wait(EMPTY_MS)
      disk.fill()
      state.full = true
      await readWhileFull(api, state, tally)
      state.firstAgainAt = 0
      state.full = false
      disk.free()
      const freedAt = performance.now()
      while (state.firstAgainAt === 0 && performance.now() - freedAt < 6 * RECOVERED_MS) await wait(5)
      const tookMs = (state.firstAgainAt || performance.now()) - freedAt
      tally.recoveredMs.push(tookMs)
      if (tookMs > RECOVERED_MS)
        tally.broken.push(`taken again ${Math.round(tookMs)} ms after there was room`)
      await wait(EMPTY_MS)
      state.over = true
      await Promise.all(writers)
      await check(api, state, tally)
    }
    if (!node.isUp()) tally.broken.push('the process ended')
  }
}

interface State {
  over: boolean
  full: boolean
  /** What was acknowledged. */
  kept: string[]
  refused: number
  firstAgainAt: number
}

/** A database on the small disk, and nothing else there. */
async function settingsOn(rig: Rig, path: string): Promise<Settings> {
  if (rig.kind === 'embedded') {
    const folder = join(path, 'data')
    mkdirSync(folder)
    return { PAI_DATA_DIR: folder }
  }
  const found = findPostgres()
  if ('missing' in found) throw new Error(found.missing)
  const server = await startPostgres(found.bin, join(path, 'postgres'), true)
  rig.whenOver(() => server.stop())
  return { DATABASE_URL: server.url }
}

/** Everything is served as always while nothing can be logged, and logged again once it can. */
async function fillLog(api: Api, disk: SmallDisk, path: string, tally: Tally): Promise<void> {
  disk.fill()
  const full = statSync(path).size
  for (let count = 0; count < LINES; count++) await api.get('/me')
  const text = `The log is full ${tally.played}`
  await api.send({ key: text, text, conversationId: undefined, streams: false })
  tally.acknowledged++
  if (statSync(path).size > full + PAGE_BYTES) tally.broken.push('the log had room all the same')
  disk.free()
  const room = statSync(path).size
  const freedAt = performance.now()
  // An answer is logged once it is on its way.
  do await api.get('/me')
  while (statSync(path).size === room && performance.now() - freedAt < RECOVERED_MS)
  if (statSync(path).size === room) tally.broken.push('nothing is logged any more')
}

/** What is there is read all the time, and before it is over somebody was told that there is no room. */
async function readWhileFull(api: Api, state: State, tally: Tally): Promise<void> {
  const began = performance.now()
  const lasts = () => performance.now() - began
  while (lasts() < FULL_MS || (state.refused === 0 && lasts() < FULL_AT_LAST_MS)) {
    const { items } = await api.get('/conversations?limit=1').catch((error) => {
      tally.broken.push(`while the disk is full, reading fails: ${error}`)
      return { items: [{}] }
    })
    if (items.length === 0) tally.broken.push('while the disk is full, a list is empty')
    await wait(50)
  }
  if (state.refused === 0) tally.broken.push('nobody was refused though the disk was full')
}

/** Sends one message after the other, each until it is acknowledged, with its own key. */
async function write(
  { url }: PaiProcess,
  accessToken: string,
  name: string,
  state: State,
  tally: Tally
): Promise<void> {
  for (let count = 0; !state.over; count++) {
    const text = `${name} message ${count} ${randomBytes(MESSAGE_BYTES / 2).toString('hex')}`
    for (;;) {
      const response = await fetch(`${url}/v1/chat`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${accessToken}`,
          'content-type': 'application/json',
          'idempotency-key': `${name} message ${count}`
        },
        body: JSON.stringify({ message: text })
      })
      const answer = await response.text()
      if (response.ok) {
        state.kept.push(text)
        state.firstAgainAt ||= performance.now()
        tally.acknowledged++
        break
      }
      if (response.status !== 503 && response.status !== 507)
        tally.broken.push(`a message was answered ${response.status} ${answer}`)
      if (state.full) state.refused++
      await wait(100)
      if (state.over) return
    }
  }
}

async function check(api: Api, state: State, tally: Tally): Promise<void> {
  const deadline = performance.now() + ENDED_MS
  while ((await unfinishedTurns(api)).length > 0 && performance.now() < deadline) await wait(200)
  const left = await unfinishedTurns(api)
  if (left.length > 0) tally.broken.push(`${left.length} turns are still under way`)
  const said = await saidIn(api)
  const kept = new Set(said)
  tally.doubled += said.length - kept.size
  tally.lost += state.kept.filter((text) => !kept.has(text)).length
}
