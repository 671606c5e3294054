import { AsyncLocalStorage } from 'node:async_hooks'
import { syncBuiltinESMExports } from 'node:module'
import promises from 'node:timers/promises'

/** Work of a simulated process. What it waits for never comes once the process is dead. */
export interface Process {
  dead: boolean
}

/** Whose work the code that runs now is; undefined: the simulation's own, which keeps its real clock. */
const working = new AsyncLocalStorage<Process>()

interface Timer {
  at: number
  /** Set for one that comes again and again. */
  everyMs: number | null
  owner: Process
  ring(): void
}

const RealDate = Date
const real = { setTimeout, setInterval, clearTimeout, clearInterval, wait: promises.setTimeout }
let now = RealDate.now()
const timers = new Set<Timer>()

/** Runs `work` as a part of that process. */
export function as<T>(process: Process, work: () => T): T {
  return working.run(process, work)
}

export function currentProcess(): Process | undefined {
  return working.getStore()
}

/** Goes on to the moment of the next timer, and lets it ring. */
export function passTime(): void {
  for (const timer of timers) if (timer.owner.dead) timers.delete(timer)
  const next = [...timers].toSorted((a, b) => a.at - b.at)[0]
  if (!next) return
  now = Math.max(now, next.at)
  if (next.everyMs === null) timers.delete(next)
  else next.at = now + next.everyMs
  working.run(next.owner, next.ring)
}

/** Forgets the timers of everybody. */
export function forgetTimers(): void {
  timers.clear()
}

function start(ring: () => void, ms: number, everyMs: number | null, owner: Process): NodeJS.Timeout {
  const timer = { at: now + ms, everyMs, owner, ring, unref: () => timer, ref: () => timer }
  timers.add(timer)
  return timer as unknown as NodeJS.Timeout
}

function stop(timer: unknown): boolean {
  return timers.delete(timer as Timer)
}

/** From now on the clock of simulated processes, and of the database in this one, is ours. */
export function takeClock(): void {
  globalThis.Date = new Proxy(RealDate, {
    construct: (date, given, target) => Reflect.construct(date, given.length === 0 ? [now] : given, target),
    get: (date, name, receiver) => (name === 'now' ? () => now : Reflect.get(date, name, receiver))
  })
  const later = (ring: (...given: unknown[]) => void, ms = 0, ...given: unknown[]) => {
    const owner = working.getStore()
    return owner ? start(() => ring(...given), ms, null, owner) : real.setTimeout(ring, ms, ...given)
  }
  const again = (ring: (...given: unknown[]) => void, ms = 0, ...given: unknown[]) => {
    const owner = working.getStore()
    return owner ? start(() => ring(...given), ms, ms, owner) : real.setInterval(ring, ms, ...given)
  }
  const wait = (ms = 0, value?: unknown, options?: { signal?: AbortSignal }) => {
    const owner = working.getStore()
    if (!owner) return real.wait(ms, value, options)
    return new Promise((resolve) => start(() => resolve(value), ms, null, owner))
  }
  Object.assign(globalThis, {
    setTimeout: later,
    setInterval: again,
    clearTimeout: (timer?: NodeJS.Timeout) => stop(timer) || real.clearTimeout(timer),
    clearInterval: (timer?: NodeJS.Timeout) => stop(timer) || real.clearInterval(timer)
  })
  Object.assign(promises, { setTimeout: wait })
  syncBuiltinESMExports()
}
