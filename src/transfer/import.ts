import { v7 as uuidv7 } from 'uuid'
import type { Database } from '../db/client.ts'
import { once } from '../db/idempotency.ts'
import type { JobHandlers } from '../jobs/jobs.ts'
import type { Queue } from '../jobs/queue.ts'
import { bringIn, nothingYet } from './bring-in.ts'
import * as files from './file-store.ts'
import type { MemoryWords } from './import-store.ts'
import type { ReadUpload } from './read-upload.ts'
import type { FileImportStarted, ImportReport } from './schemas.ts'
import type { Part } from './split.ts'

export interface Importing {
  database: Database
  queue: Queue
  memory: MemoryWords
}

export type ImportFrom = ReturnType<typeof createImportFrom>

/**
 * Brings in an export of PAI, ChatGPT or Claude. A small one is there when this answers, whole or not at all; a large one is
 * stored in parts, which a job works.
 */
export function createImportFrom(importing: Importing & { readUpload: ReadUpload }) {
  const { database, queue, readUpload } = importing

  return async function importFrom(
    ownerId: string,
    bytes: Uint8Array,
    extract: boolean,
    key: string | undefined
  ): Promise<ImportReport | FileImportStarted> {
    const { source, hash, parts, isSmall } = await readUpload(bytes)
    const call = { ownerId, key, call: 'POST /v1/import', body: { extract, file: hash } }
    return database.inOwner(ownerId, (tx) =>
      once<ImportReport | FileImportStarted>(tx, call, async () => {
        if (isSmall) {
          const count = nothingYet()
          for (const part of parts) {
            await bringIn(tx, importing, { ownerId, source, extract }, toPart(part), count)
          }
          const { kept: _, ...report } = count
          return { source, ...report }
        }
        const importId = uuidv7()
        await files.createFileImport(tx, ownerId, { id: importId, source, extract, total: parts.length })
        await files.storeParts(tx, ownerId, importId, parts)
        await queue.enqueue(tx, 'transfer.import', { ownerId, importId })
        return { importId }
      })
    )
  }
}

function toPart(json: Uint8Array): Part {
  return JSON.parse(new TextDecoder().decode(json))
}

/**
 * Brings a large file in, a part at a time. A part goes in the transaction that brings it in: a run that dies is followed
 * by one that goes on with the next, and nothing comes twice.
 */
export function createImportParts(importing: Importing): JobHandlers['transfer.import'] {
  const { database } = importing

  return async function importParts({ ownerId, importId }, signal) {
    for (let left = true; left; ) {
      signal.throwIfAborted()
      left = await database.inOwner(ownerId, async (tx) => {
        const file = await files.lockFileImport(tx, ownerId, importId)
        const next = file && (await files.takePart(tx, ownerId, importId))
        if (!next) return false
        const count = { ...nothingYet(), kept: file.kept }
        await bringIn(tx, importing, { ownerId, source: file.source, extract: file.extract }, next, count)
        await files.saveProgress(tx, ownerId, importId, count)
        return true
      })
    }
  }
}
