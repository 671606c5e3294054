import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { setTimeout as wait } from 'node:timers/promises'

const ROOT = join(import.meta.dirname, '..', '..')
const MAIN = join(ROOT, 'src', 'main.ts')
/** Hundreds of nodes are started: each is spared compiling what the ones before have compiled. */
const COMPILED = join(ROOT, 'node_modules', '.cache', 'pai', 'compiled')
const ENVIRONMENT = {
  PATH: process.env.PATH,
  NODE_COMPILE_CACHE: COMPILED,
  PORT: '0',
  PAI_RATE_LIMIT: 'off',
  LOG_LEVEL: 'warn'
}

export interface PaiProcess {
  /** Empty for a worker, which answers nobody. */
  url: string
  pid: number
  /** Whether it has not ended. */
  isUp(): boolean
  /** Nothing in the process hears of it. */
  kill(): Promise<void>
  /** As an operator does it; answers the exit code. */
  stop(): Promise<number | null>
  /** Stands still, as on a machine that is overloaded or put to sleep, until it goes on. */
  pause(): void
  resume(): void
  /** How it ended by itself, and what it said. */
  ended(): Promise<{ code: number | null; output: string }>
  /** Asks the module that was loaded into the process ahead of PAI. */
  ask<Answer>(question: unknown): Promise<Answer>
}

export type Settings = Record<string, string>

/** What is to be done when a test or a program is over, however that ends. */
export type WhenOver = (tidyUp: () => void) => void

export interface Launch {
  /** A module that is loaded into the process ahead of PAI. */
  inside?: string
  /** A file that takes what it says. */
  output?: string
  /** What PAI is told to do instead of serving. */
  args?: string[]
}

/** PAI as an operator runs it, ready to answer. */
export async function startPai(
  settings: Settings,
  whenOver: WhenOver,
  how: Launch = {}
): Promise<PaiProcess> {
  const { child, said, output } = launch(settings, whenOver, how)
  const url = await said(/PAI is (?:ready: open (http:\S+)|working on jobs)/)
  return {
    url,
    pid: child.pid ?? 0,
    isUp: () => child.exitCode === null && child.signalCode === null,
    async kill() {
      if (child.exitCode !== null || child.signalCode !== null) return
      child.kill('SIGKILL')
      await once(child, 'exit')
    },
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
    async ended() {
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
      return { code: child.exitCode, output: output() }
    },
    async ask<Answer>(question: unknown) {
      const answered = once(child, 'message')
      child.send(question as object)
      const [answer] = await answered
      return answer as Answer
    },
    async stop() {
      const exited = once(child, 'exit')
      child.kill('SIGTERM')
      await exited
      return child.exitCode
    }
  }
}

/** A start that ends by itself: what it said, and how it ended; without a code, it was killed. */
export async function runPai(
  settings: Settings,
  whenOver: WhenOver,
  how: Launch = {}
): Promise<{ code: number | null; output: string }> {
  const { child, output } = launch(settings, whenOver, how)
  await once(child, 'close')
  return { code: child.exitCode, output: output() }
}

function launch(settings: Settings, whenOver: WhenOver, { inside, output: file, args = [] }: Launch) {
  const outputTo = file === undefined ? 'pipe' : openSync(file, 'a')
  // Over its channel the child sees this process go, so that a run that is killed leaves nothing behind.
  const child: ChildProcess = fork(MAIN, args, {
    env: { ...ENVIRONMENT, ...settings },
    execArgv: inside ? ['--import', inside] : [],
    stdio: ['ignore', outputTo, outputTo, 'ipc']
  })
  if (typeof outputTo === 'number') closeSync(outputTo)
  let output = ''
  child.stderr?.on('data', (chunk) => (output += chunk))
  whenOver(() => child.kill('SIGKILL'))

  async function said(pattern: RegExp): Promise<string> {
    for await (const line of file === undefined
      ? createInterface({ input: child.stdout as Readable })
      : tail(file)) {
      output += `${line}\n`
      const found = pattern.exec(line)
      if (!found) continue
      // Read on, or the child would one day wait for somebody to take its words.
      child.stdout?.resume()
      return found[1] ?? ''
    }
    throw new Error(`PAI ended before it was ready:\n${output}`)
  }

  /** The lines of a file that grows, for as long as the process lives. */
  async function* tail(path: string): AsyncGenerator<string> {
    for (let seen = 0; child.exitCode === null && child.signalCode === null; await wait(20)) {
      const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1)
      yield* lines.slice(seen)
      seen = lines.length
    }
  }
  return { child, said, output: () => output }
}
