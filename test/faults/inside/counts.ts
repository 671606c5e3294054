import { readdirSync, readlinkSync } from 'node:fs'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

/** Loaded into a process ahead of PAI: counts what the process holds, and how much its heap does after a collection. */
setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

export interface Counts {
  /** Timers, sockets and the like, by their kind. */
  resources: Record<string, number>
  /** Listeners of the process itself. */
  listeners: number
  /** Open files and sockets; 0 where the system does not say. Of the embedded database's tables it is known how many can be open. */
  files: number
  heapBytes: number
}

process.on('message', () => {
  collect()
  const resources: Record<string, number> = {}
  for (const kind of process.getActiveResourcesInfo()) resources[kind] = (resources[kind] ?? 0) + 1
  const listeners = process.eventNames().reduce((sum, name) => sum + process.listenerCount(name), 0)
  process.send?.({ resources, listeners, files: openFiles(), heapBytes: process.memoryUsage().heapUsed })
})
process.channel?.unref()

/** The embedded database opens each file of a table or an index when it first needs it, and keeps it: bounded, and no leak. */
const OF_A_TABLE = /\/(?:base|global)\/(?:\d+\/)?\d+(?:_[a-z]+)?(?:\.\d+)?$/

function openFiles(): number {
  try {
    return readdirSync('/proc/self/fd').filter((name) => !OF_A_TABLE.test(target(name))).length
  } catch {
    return 0
  }
}

function target(name: string): string {
  try {
    return readlinkSync(`/proc/self/fd/${name}`)
  } catch {
    // The one that the folder itself was read through is closed again.
    return ''
  }
}
