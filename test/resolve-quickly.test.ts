import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const PRINT = join(import.meta.dirname, 'processes', 'print-resolutions.ts')

async function resolutions(how: 'quickly' | 'as always'): Promise<Record<string, string>> {
  const { stdout } = await promisify(execFile)(process.execPath, [PRINT, how], { maxBuffer: 2 ** 26 })
  return JSON.parse(stdout)
}

test('every module is found where Node finds it, and taken for what Node takes it for', async () => {
  const [quickly, asAlways] = await Promise.all([resolutions('quickly'), resolutions('as always')])
  expect(Object.keys(asAlways).length).toBeGreaterThan(1_000)
  expect(quickly).toEqual(asAlways)
}, 60_000)
