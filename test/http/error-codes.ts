import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { HANDLER_CODES } from '../../src/http/errors.ts'

const ROOT = join(import.meta.dirname, '..', '..')

/** The service's sources, as paths from the root. */
export function sourceFiles(): string[] {
  return globSync('src/**/*.ts', { cwd: ROOT }).sort()
}

export function readSource(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8')
}

/** Every code an answer of the service may carry: of each error it can make, and of its error handler. */
export async function findErrorCodes(): Promise<string[]> {
  const codes = new Set(HANDLER_CODES)
  for (const path of sourceFiles()) {
    if (!readSource(path).includes('createError')) continue
    const exported: Record<string, unknown> = await import(join(ROOT, path))
    for (const value of Object.values(exported)) {
      if (typeof value !== 'function' || !(value.prototype instanceof Error)) continue
      const { code } = new (value as new () => { code?: unknown })()
      if (typeof code === 'string') codes.add(code)
    }
  }
  return [...codes].sort()
}
