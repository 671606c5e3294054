import { parentPort } from 'node:worker_threads'
import { type ReadFile, readParts } from './read-parts.ts'

/** What the thread answers: the file, or why it is refused. */
export type Reading = { file: ReadFile } | { refusal: { code: string; message: string; statusCode: number } }

parentPort?.once('message', (bytes: Uint8Array) => {
  const reading = read(bytes)
  const buffers = 'file' in reading ? reading.file.parts.map(({ buffer }) => buffer as ArrayBuffer) : []
  parentPort?.postMessage(reading, buffers)
})

function read(bytes: Uint8Array): Reading {
  try {
    return { file: readParts(bytes) }
  } catch (error) {
    const {
      code = '',
      message,
      statusCode
    } = error as { code?: string; message: string; statusCode?: number }
    if (!code.startsWith('PAI_') || statusCode === undefined) throw error
    return { refusal: { code, message, statusCode } }
  }
}
