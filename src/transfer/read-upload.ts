import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { type ReadFile, readParts } from './read-parts.ts'
import type { Reading } from './reading-thread.ts'

/** As much as any other request may hold is read where it arrives: a thread takes longer to begin. */
const MOST_AT_HAND = 1_048_576

export type ReadUpload = (bytes: Uint8Array) => Promise<ReadFile>

/**
 * Reads files that were sent. A large one takes seconds, in which everybody else's replies would stand still: it is read in
 * a thread of its own, one file at a time.
 */
export function createReadUpload(): ReadUpload {
  let last: Promise<unknown> = Promise.resolve()
  return async function readUpload(bytes) {
    if (bytes.length <= MOST_AT_HAND) return readParts(bytes)
    const turn = last.then(() => readInThread(bytes))
    last = turn.catch(() => {})
    return turn
  }
}

async function readInThread(bytes: Uint8Array): Promise<ReadFile> {
  const worker = new Worker(new URL('./reading-thread.ts', import.meta.url))
  try {
    // Copied where it is a piece of something larger, else handed over.
    const own = bytes.byteLength === bytes.buffer.byteLength ? bytes : bytes.slice()
    worker.postMessage(own, [own.buffer as ArrayBuffer])
    const [reading] = (await once(worker, 'message')) as [Reading]
    if ('file' in reading) return reading.file
    const { message, ...refusal } = reading.refusal
    throw Object.assign(new Error(message), refusal)
  } finally {
    await worker.terminate()
  }
}
