import { getEnvironmentData, isMainThread, setEnvironmentData } from 'node:worker_threads'

/**
 * Loaded into a process ahead of PAI: a wall clock that another process can set. All threads share it, the embedded
 * database's too. What counts time that has passed, such as timers, goes on as it does when an operator sets a clock.
 */

/** By how much the clock is set, and where it stands still (0: it does not), in milliseconds. */
const NAME = 'the clock of faults'
if (isMainThread) setEnvironmentData(NAME, new SharedArrayBuffer(16))
const [SET_BY, STANDS_AT] = [0, 1]
const hands = new Float64Array(getEnvironmentData(NAME) as SharedArrayBuffer)

const RealDate = Date
const now = () => hands[STANDS_AT] || Math.floor(RealDate.now() + (hands[SET_BY] ?? 0))

globalThis.Date = new Proxy(RealDate, {
  construct: (date, given, target) => Reflect.construct(date, given.length === 0 ? [now()] : given, target),
  apply: () => new RealDate(now()).toString(),
  get: (date, name, receiver) => (name === 'now' ? now : Reflect.get(date, name, receiver))
})

/** What the process is asked: to set its clock. */
export interface SetClock {
  setBy: number
  standsStill: boolean
}

if (isMainThread) {
  process.on('message', ({ setBy, standsStill }: SetClock) => {
    hands[SET_BY] = setBy
    hands[STANDS_AT] = 0
    if (standsStill) hands[STANDS_AT] = now()
    process.send?.(now())
  })
  // PAI looks whether its launcher is there by listening itself.
  process.channel?.unref()
}
