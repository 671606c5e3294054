import { spawnSync } from 'node:child_process'
import {
  appendFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'

const SOURCES = join(import.meta.dirname, '..', 'src')
const noting = (what: string) =>
  `import { appendFileSync } from 'node:fs'\nappendFileSync('done', '${what}\\n')\n`

/** The launcher in a folder of an awkward name, among packages that only note that they ran. */
function setUp() {
  const folder = join(mkdtempSync(join(tmpdir(), 'pai-launch-')), "Ada's own folder & more")
  onTestFinished(() => rmSync(dirname(folder), { recursive: true, force: true }))
  const write = (path: string, text: string) => {
    mkdirSync(dirname(join(folder, path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
  const files = {
    'package.json': '{ "type": "module" }',
    'package-lock.json': '{}',
    'src/db/prepared.ts': `${noting('database')}export async function prepareDatabase() {}\n`,
    'node_modules/fastify/package.json': '{}',
    'node_modules/vite/package.json': '{}',
    'node_modules/vitest/vitest.mjs': noting('tests'),
    'node_modules/@electric-sql/pglite/package.json': '{ "version": "1.0.0" }',
    'node_modules/@electric-sql/pglite-pgvector/package.json': '{ "version": "1.0.0" }',
    'clients/web/src/main.tsx': '',
    'clients/web/dist/index.html': '',
    'clients/sdk/src/index.ts': '',
    'clients/sdk/package.json': '{}',
    'npm-cli.js': noting('web')
  }
  for (const [path, text] of Object.entries(files)) write(path, text)
  for (const name of ['launch.mjs', 'launch-processes.mjs'])
    cpSync(join(SOURCES, name), join(folder, 'src', name))
  return {
    change: (path: string) => appendFileSync(join(folder, path), ' '),
    /** Runs the launcher's tests, and answers what was done for it. */
    run() {
      const env = { PATH: process.env.PATH, npm_execpath: join(folder, 'npm-cli.js') }
      const { stdout, stderr, status } = spawnSync(process.execPath, ['src/launch.mjs', 'test'], {
        cwd: folder,
        env,
        encoding: 'utf8'
      })
      expect({ stderr, status }).toEqual({ stderr: '', status: 0 })
      const path = join(folder, 'done')
      const done = existsSync(path) ? readFileSync(path, 'utf8').trim().split('\n') : []
      rmSync(path, { force: true })
      return { done, stdout }
    }
  }
}

test('whatever the folder is called, everything is made once, each step in a line', () => {
  const { run } = setUp()
  const { done, stdout } = run()
  expect(done).toEqual(['database', 'web', 'tests'])
  expect(stdout).toMatch(
    /^Preparing the embedded database \.\.\. [\d.]+ s\nBuilding the web app \.\.\. [\d.]+ s\n$/
  )
  expect(run().done).toEqual(['tests'])
})

test.each([
  ['node_modules/@electric-sql/pglite/package.json', 'database'],
  ['node_modules/@electric-sql/pglite-pgvector/package.json', 'database'],
  ['clients/web/src/main.tsx', 'web'],
  ['clients/sdk/src/index.ts', 'web'],
  ['clients/sdk/package.json', 'web'],
  ['package-lock.json', 'web']
])('a change of %s has the %s made again', (path, what) => {
  const { run, change } = setUp()
  run()
  change(path)
  expect(run().done).toEqual([what, 'tests'])
  expect(run().done).toEqual(['tests'])
})

test('`npm start` says that it takes no arguments, before it does anything', () => {
  const launcher = join(SOURCES, 'launch.mjs')
  const { stderr, status } = spawnSync(process.execPath, [launcher, 'start', '--help'], { encoding: 'utf8' })
  expect(stderr).toContain('npm start takes no arguments, and --help is one')
  expect(status).toBe(1)
})
