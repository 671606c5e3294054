import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

export interface Child {
  process: ChildProcess
  pid: number
  /** Every whole line it has printed so far. */
  lines: string[]
  /** The first line that is, or comes, and fits; throws when the process ends without one. */
  line(fits: (line: string) => boolean): Promise<string>
  /** Ends it at once, whatever it is doing. */
  kill(): Promise<void>
}

/** Runs Node with these arguments, a script of ours and its own. */
export function startChild(args: string[], env: NodeJS.ProcessEnv = process.env): Child {
  const child = spawn(process.execPath, args, { env, stdio: ['ignore', 'pipe', 'pipe'] })
  const lines: string[] = []
  const errors: string[] = []
  const output = createInterface(child.stdout).on('line', (line) => lines.push(line))
  child.stderr.on('data', (chunk: Buffer) => errors.push(chunk.toString()))
  const ended = once(child, 'close')
  return {
    process: child,
    pid: child.pid ?? 0,
    lines,
    line(fits) {
      const seen = lines.find(fits)
      if (seen !== undefined) return Promise.resolve(seen)
      return new Promise((resolve, reject) => {
        output.on('line', (line) => {
          if (fits(line)) resolve(line)
        })
        ended.then(() => reject(new Error(`The process ended: ${errors.join('')}`)))
      })
    },
    async kill() {
      child.kill('SIGKILL')
      await ended
    }
  }
}
