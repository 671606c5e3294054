import type { Consolidation } from '../../src/consolidation/schemas.ts'
import type { Database } from '../../src/db/client.ts'
import type { Memory } from '../../src/memory/schemas.ts'
import { callAs } from '../chat/talk.ts'
import { runJobs } from '../memory/jobs.ts'
import type { TestApp } from '../support/app.ts'

/** An owner whose memory is written by hand and tidied on demand. */
export async function tidyOwner(database: Database, house: TestApp) {
  const owner = await house.register()
  const call = callAs(house, owner)

  async function change(id: string, columns: Record<string, unknown>): Promise<void> {
    const names = Object.keys(columns)
    await database.pool.query(
      `UPDATE memories SET ${names.map((name, index) => `${name} = $${index + 3}`).join(', ')}
        WHERE owner_id = $1 AND id = $2`,
      [owner.id, id, ...Object.values(columns)]
    )
  }

  return {
    owner,
    call,
    change,
    /** Writes a memory down; `columns` are set in the database itself, as extraction would have. */
    async remember(text: string, columns: Record<string, unknown> = {}): Promise<string> {
      const { status, data } = await call('POST', '/memories', { text })
      if (status !== 201) throw new Error(`Remembering answered ${status}`)
      if (Object.keys(columns).length > 0) await change(data.id, columns)
      return data.id
    },
    /** Runs one consolidation to its end, and answers it. */
    async tidy(): Promise<Consolidation> {
      const { data } = await call('POST', '/consolidations')
      await runJobs(house, owner.id)
      return (await call('GET', `/consolidations/${data.id}`)).data
    },
    /** Runs the job of a consolidation once more, as the queue does after a failure. */
    again(consolidationId: string): Promise<void> {
      const payload = { ownerId: owner.id, consolidationId }
      return house.services.jobs['consolidation.run'](payload, new AbortController().signal)
    },
    async memory(id: string): Promise<Memory> {
      return (await call('GET', `/memories/${id}`)).data
    },
    /** The rows of a table that are the owner's. */
    async rows(table: string, columns = '*'): Promise<Record<string, unknown>[]> {
      const { rows } = await database.pool.query(
        `SELECT ${columns} FROM ${table} WHERE owner_id = $1 ORDER BY 1`,
        [owner.id]
      )
      return rows
    }
  }
}

export function stepsOf(consolidation: Consolidation, action: string): string[][] {
  return consolidation.report.steps.filter((step) => step.action === action).map(({ memoryIds }) => memoryIds)
}
