import type { FaultProgram } from './program.ts'
import { busyDatabase } from './programs/busy-database.ts'
import { clock } from './programs/clock.ts'
import { dataFolder } from './programs/data-folder.ts'
import { databaseDown } from './programs/database-down.ts'
import { degradedStart } from './programs/degraded-start.ts'
import { diskFull } from './programs/disk-full.ts'
import { duplicates } from './programs/duplicates.ts'
import { killMemory } from './programs/kill-memory.ts'
import { killMigration } from './programs/kill-migration.ts'
import { killNode } from './programs/kill-node.ts'
import { killWorker } from './programs/kill-worker.ts'
import { lostAnswer } from './programs/lost-answer.ts'
import { resume } from './programs/resume.ts'
import { rollingRestart } from './programs/rolling-restart.ts'
import { simulation } from './programs/simulation.ts'
import { soak } from './programs/soak.ts'
import { stop } from './programs/stop.ts'
import { twoNodes } from './programs/two-nodes.ts'
import { upstream } from './programs/upstream.ts'

/** Every program, in the order of their numbers. */
export const PROGRAMS: FaultProgram[] = [
  killNode,
  resume,
  databaseDown,
  upstream,
  duplicates,
  twoNodes,
  killWorker,
  diskFull,
  clock,
  soak,
  rollingRestart,
  killMigration,
  dataFolder,
  stop,
  busyDatabase,
  simulation,
  degradedStart,
  lostAnswer,
  killMemory
]
