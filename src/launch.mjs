// What `npm start`, `npm test` and the other scripts run, on the machine's own Node: so it is plain JavaScript and imports
// nothing that has to be installed. It sees to dependencies, the embedded database's copy and the web app, then hands over
// to the pinned Node.

import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { capture, runNode, runService } from './launch-processes.mjs'

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..')
const LEAST_NODE = 20
const WORKING_NODE = 24
const WINDOWS = process.platform === 'win32'
const TICK_MS = 1_000

const WEB = join(ROOT, 'clients', 'web')
const CACHE = join(ROOT, 'node_modules', '.cache', 'pai')
const WEB_SOURCES = [
  ...['src', 'public', 'index.html', 'vite.config.ts', 'package.json'].map((name) => join(WEB, name)),
  ...['src', 'package.json'].map((name) => join(ROOT, 'clients', 'sdk', name)),
  // What is built in: the versions of the packages.
  join(ROOT, 'package-lock.json')
]
const DATABASE_STAMP = join(CACHE, 'database.stamp')
const WEB_STAMP = join(WEB, 'dist', '.sources')

const TASKS = { start, test, build, bench, faults, eval: evaluate, check, 'check:infra': checkInfra }

/** A failure whose message is all there is to say. */
class Refusal extends Error {}

try {
  const [name = '', ...args] = process.argv.slice(2)
  const task = Object.hasOwn(TASKS, name) ? TASKS[name] : undefined
  if (!task) throw new Refusal(`Unknown task "${name}": one of ${Object.keys(TASKS).join(', ')}`)
  if (nodeMajor() < LEAST_NODE) {
    throw new Refusal(
      `PAI needs Node.js ${LEAST_NODE} or newer, and this is ${process.version}: see https://nodejs.org`
    )
  }
  process.exitCode = await task(args)
} catch (error) {
  if (!(error instanceof Refusal)) throw error
  console.error(error.message)
  process.exitCode = 1
}

async function start(args) {
  if (args.length > 0) {
    throw new Refusal(
      `npm start takes no arguments, and ${args[0]} is one: settings are environment variables, see README`
    )
  }
  await install()
  await prepareDatabase()
  await buildWeb()
  return runService(nodePath(), join('src', 'main.ts'), { cwd: ROOT, compileCache: join(CACHE, 'compiled') })
}

async function test(args) {
  await install()
  await prepareDatabase()
  await buildWeb()
  return runNode(nodePath(), [packageFile('vitest', 'vitest.mjs'), 'run', ...args], ROOT)
}

async function build() {
  await install()
  await buildWeb({ always: true })
  return 0
}

async function bench(args) {
  await install()
  await prepareDatabase()
  return runNode(nodePath(), [join('test', 'bench', 'main.ts'), ...args], ROOT)
}

async function faults(args) {
  await install()
  await prepareDatabase()
  return runNode(nodePath(), [join('test', 'faults', 'main.ts'), ...args], ROOT)
}

async function evaluate(args) {
  await install()
  await prepareDatabase()
  return runNode(nodePath(), [join('test', 'eval', 'main.ts'), ...args], ROOT)
}

async function check() {
  await install()
  const tsc = [packageFile('typescript', 'bin', 'tsc'), '--noEmit']
  const checks = [['Types', tsc]]
  if (existsSync(join(WEB, 'tsconfig.json'))) checks.push(['Types of the web app', [...tsc, '-p', WEB]])
  checks.push([
    'Lint and format',
    [packageFile('@biomejs/biome', 'bin', 'biome'), 'check', '--error-on-warnings']
  ])
  let failures = 0
  for (const [name, args] of checks) {
    const code = await step(name, async () => {
      const { code, output } = await capture(nodePath(), args, { cwd: ROOT })
      return code === 0 ? { code } : { code, output }
    })
    if (code !== 0) failures++
  }
  return failures === 0 ? 0 : 1
}

async function checkInfra(args) {
  await install()
  return runNode(nodePath(), [join('infra', 'checks', 'main.ts'), ...args], ROOT)
}

/** Installs what the lockfile says, unless that is what is there. */
async function install() {
  // A production image: Node is its own, development's packages are left out, and nothing may be installed at start.
  if (!existsSync(packageFile('node')) && existsSync(packageFile('fastify')) && nodeMajor() >= WORKING_NODE)
    return
  const record = packageFile('.package-lock.json')
  if (existsSync(record) && hasNode() && matches(record)) return
  const what = existsSync(record) ? 'they have changed' : 'first start only'
  await requiredStep(`Installing dependencies (${what})`, () =>
    // The launcher's own Node may be too old for some packages, but it is not what will run them.
    runNpm(['ci', '--include=dev', '--no-audit', '--no-fund', '--no-engine-strict', '--loglevel=error'])
  )
  if (!hasNode()) {
    throw new Refusal(
      'The pinned Node.js is missing: npm is set to ignore install scripts. Allow this one with\n' +
        `  npm rebuild node --ignore-scripts=false\nor use Node.js ${WORKING_NODE} or newer.`
    )
  }
}

function hasNode() {
  return existsSync(pinnedNode()) || nodeMajor() >= WORKING_NODE
}

/**
 * Whether npm's own record of what it installed agrees with the lockfile. npm writes it last, so an install that was cut
 * short has none; and after an `npm install` by hand it agrees, so nothing is installed twice.
 */
function matches(record) {
  const read = (path) => JSON.parse(readFileSync(path, 'utf8')).packages
  const installed = read(record)
  return Object.entries(read(join(ROOT, 'package-lock.json'))).every(([path, wanted]) => {
    const found = installed[path]
    // Packages for other platforms are in the lockfile alone.
    if (!found) return path === '' || wanted.optional || wanted.devOptional
    return found.version === wanted.version && found.integrity === wanted.integrity
  })
}

/** Makes a new data folder quick, once for each version of the database. Without it PAI starts too, only later. */
async function prepareDatabase() {
  if (process.env.DATABASE_URL) return
  const versions = contentHash(
    ['pglite', 'pglite-pgvector'].map((name) => packageFile('@electric-sql', name, 'package.json'))
  )
  if (existsSync(DATABASE_STAMP) && readFileSync(DATABASE_STAMP, 'utf8') === versions) return
  const module = pathToFileURL(join(ROOT, 'src', 'db', 'prepared.ts')).href
  const program = `const { prepareDatabase } = await import(${JSON.stringify(module)}); await prepareDatabase()`
  const code = await step('Preparing the embedded database', () =>
    capture(nodePath(), ['--input-type=module', '-e', program], { cwd: ROOT })
  )
  if (code !== 0) return
  mkdirSync(CACHE, { recursive: true })
  writeFileSync(DATABASE_STAMP, versions)
}

/** Builds the web app when there is none, or when its sources are not the ones it was built from. */
async function buildWeb({ always = false } = {}) {
  // An image may hold the built app alone.
  if (!existsSync(join(WEB, 'src')) || !existsSync(packageFile('vite'))) return
  const sources = contentHash(WEB_SOURCES)
  const built = existsSync(WEB_STAMP) ? readFileSync(WEB_STAMP, 'utf8') : null
  if (built === sources && !always) return
  await requiredStep('Building the web app', () => runNpm(['run', 'build', '--workspace', '@pai/web']))
  writeFileSync(WEB_STAMP, sources)
}

function contentHash(paths) {
  const hash = createHash('sha256')
  const add = (path) => {
    if (!existsSync(path)) return
    if (statSync(path).isDirectory()) {
      for (const name of readdirSync(path).sort()) add(join(path, name))
    } else {
      hash.update(path.slice(ROOT.length)).update(readFileSync(path))
    }
  }
  for (const path of paths) add(path)
  return hash.digest('hex')
}

/** Runs one step and says how long it took; what it printed is shown when it fails. */
async function step(name, work) {
  const started = Date.now()
  const seconds = (digits) => `${((Date.now() - started) / 1000).toFixed(digits)} s`
  process.stdout.write(`${name} ... `)
  // At a terminal the seconds tick, so that a long step does not look like a dead one; a log gets one line.
  const ticking = process.stdout.isTTY
    ? setInterval(() => process.stdout.write(`\r${name} ... ${seconds(0)}`), TICK_MS)
    : undefined
  const { code, output = '' } = await work()
  clearInterval(ticking)
  if (ticking) process.stdout.write(`\r${name} ... `)
  process.stdout.write(`${code === 0 ? '' : 'failed after '}${seconds(1)}\n`)
  if (code !== 0) process.stderr.write(`${output.trimEnd()}\n`)
  return code
}

async function requiredStep(name, work) {
  if ((await step(name, work)) !== 0)
    throw new Refusal(`${name} failed: mend what is said above and start again.`)
}

/** Runs npm: the one that runs this script, else the one on the PATH. */
function runNpm(args) {
  const own = process.env.npm_execpath
  if (own && /npm-cli\.[cm]?js$/.test(own))
    return capture(process.env.npm_node_execpath ?? process.execPath, [own, ...args], { cwd: ROOT })
  // Windows finds npm.cmd only through its shell; none of our arguments needs quoting.
  return capture('npm', args, { cwd: ROOT, shell: WINDOWS })
}

function nodePath() {
  return existsSync(pinnedNode()) ? pinnedNode() : process.execPath
}

function pinnedNode() {
  return packageFile('node', 'bin', WINDOWS ? 'node.exe' : 'node')
}

function packageFile(...path) {
  return join(ROOT, 'node_modules', ...path)
}

function nodeMajor() {
  return Number(process.versions.node.split('.')[0])
}
