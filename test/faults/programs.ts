import type { FaultProgram } from './program.ts'
import { killNode } from './programs/kill-node.ts'

/** Every program, in the order of their numbers. */
export const PROGRAMS: FaultProgram[] = [killNode]
