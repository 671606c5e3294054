import { createHash } from 'node:crypto'
import { JsonInvalid } from '../http/errors.ts'
import { refuseUnstorableText } from '../http/text.ts'
import { readFile } from './read-file.ts'
import type { ImportReport } from './schemas.ts'
import { isSmall, splitIntoParts } from './split.ts'

/** A file as it is brought in. */
export interface ReadFile {
  source: ImportReport['source']
  /** By which the same file is known again. */
  hash: string
  /** Each as JSON, in their order. */
  parts: Uint8Array[]
  /** Whether the whole of it is brought in while a request waits. */
  isSmall: boolean
}

/** Reads a file from its bytes. Throws where it is no JSON, holds what cannot be stored, or is none of the files that are known. */
export function readParts(bytes: Uint8Array): ReadFile {
  const file = parse(bytes)
  refuseUnstorableText(file, 'body')
  const imported = readFile(file)
  const parts = splitIntoParts(imported)
  return {
    source: imported.source,
    hash: createHash('sha256').update(bytes).digest('hex'),
    parts: parts.map((part) => new TextEncoder().encode(JSON.stringify(part))),
    isSmall: isSmall(parts)
  }
}

function parse(bytes: Uint8Array): unknown {
  const text = new TextDecoder().decode(bytes)
  try {
    return JSON.parse(text)
  } catch {
    throw new JsonInvalid()
  }
}
