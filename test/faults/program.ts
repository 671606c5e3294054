import type { DatabaseKind } from '../support/database.ts'
import type { ScriptedOpenAiOptions } from '../support/scripted-openai.ts'
import type { Rig } from './rig.ts'

/** What a program has seen so far. */
export interface Tally {
  /** Rounds that are over: how far a long program is. */
  played: number
  /** Turns whose acknowledgement was seen. */
  acknowledged: number
  /** Of those, how many could not be found again. */
  lost: number
  /** Messages or effects that are there more than once. */
  doubled: number
  /** How long each recovery took, in milliseconds. */
  recoveredMs: number[]
  /** What else went against the promise, in words. */
  broken: string[]
}

/** One row of the list of faults: what is done to PAI, and what it promises all the same. */
export interface FaultProgram {
  /** As in the list of tests: R1 … R22. */
  id: string
  title: string
  databases: DatabaseKind[]
  /** How often it is done: in `npm test`, and by `npm run faults`. */
  rounds: { quick: number; full: number }
  /** What it needs while it is played whole, since it waits, or can wait, or measures; absent: a core. */
  needs?: 'little' | 'half a core' | 'leftovers' | 'the machine'
  /** About how long that takes by itself on two cores. */
  minutes?: number
  /** Takes so long that it is played only when it is named. */
  byName?: true
  /** Its turns are not acknowledged by a whole PAI, and do not count with the others. */
  simulated?: true
  /** Why it cannot be played on this machine; undefined: it can. */
  impossible?: () => string | undefined
  /** What the model says; absent: a few words, some milliseconds apart. */
  reply?: ScriptedOpenAiOptions['reply']
  run(rig: Rig, rounds: number, tally: Tally): Promise<void>
}

export function newTally(): Tally {
  return { played: 0, acknowledged: 0, lost: 0, doubled: 0, recoveredMs: [], broken: [] }
}

export function isKept({ lost, doubled, broken }: Tally): boolean {
  return lost === 0 && doubled === 0 && broken.length === 0
}
