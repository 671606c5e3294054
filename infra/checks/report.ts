export type Status = 'passed' | 'failed' | 'SKIPPED'

/** What became of one check. */
export interface Outcome {
  name: string
  status: Status
  /** Why it was skipped, what is wrong, or what was looked at. */
  detail: string
}

export const passed = (name: string, detail: string): Outcome => ({ name, status: 'passed', detail })
export const skipped = (name: string, why: string): Outcome => ({ name, status: 'SKIPPED', detail: why })
export const failed = (name: string, problems: string[] | string): Outcome => ({
  name,
  status: 'failed',
  detail: [problems].flat().join('\n')
})

export function judged(name: string, problems: string[], looked: string): Outcome {
  return problems.length > 0 ? failed(name, problems) : passed(name, looked)
}

/** One line each; what failed is said in full, and what was skipped is never passed over in silence. */
export function printOutcome({ name, status, detail }: Outcome): void {
  const lines = detail.split('\n')
  if (status === 'failed') {
    console.log(`failed   ${name}`)
    for (const line of lines.slice(0, 80)) console.log(`           ${line}`)
    if (lines.length > 80) console.log(`           … and ${lines.length - 80} more lines`)
  } else {
    console.log(`${status.padEnd(8)} ${name}: ${lines[0]}`)
  }
}
