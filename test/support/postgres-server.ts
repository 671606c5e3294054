import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { chmodSync, chownSync, existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import net from 'node:net'
import { delimiter, join } from 'node:path'
import { createInterface } from 'node:readline'

const SUFFIX = process.platform === 'win32' ? '.exe' : ''

/** The folder of the newest PostgreSQL on this machine that has pgvector, or why there is none. */
export function findPostgres(): { bin: string } | { missing: string } {
  const installed = binFolders().filter((bin) => existsSync(join(bin, `initdb${SUFFIX}`)))
  if (installed.length === 0) return { missing: 'no PostgreSQL is installed here' }
  const bin = installed.find(hasVector)
  return bin ? { bin } : { missing: `PostgreSQL in ${installed[0]} has no pgvector extension` }
}

function binFolders(): string[] {
  const packaged = [
    '/usr/lib/postgresql/*/bin',
    '/usr/pgsql-*/bin',
    '/opt/homebrew/opt/postgresql@*/bin',
    '/usr/local/opt/postgresql@*/bin',
    'C:/Program Files/PostgreSQL/*/bin'
  ].flatMap((pattern) => globSync(pattern).sort(newestFirst))
  const fromPath = (process.env.PATH ?? '').split(delimiter).filter(Boolean)
  return [...packaged, ...configured('pg_config', '--bindir'), ...fromPath]
}

function newestFirst(a: string, b: string): number {
  return b.localeCompare(a, 'en', { numeric: true })
}

function hasVector(bin: string): boolean {
  return configured(join(bin, 'pg_config'), '--sharedir').some((share) =>
    existsSync(join(share, 'extension', 'vector.control'))
  )
}

function configured(pgConfig: string, what: string): string[] {
  try {
    return [execFileSync(pgConfig, [what], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()]
  } catch {
    return []
  }
}

export interface PostgresServer {
  url: string
  /** The process of the server itself. */
  readonly pid: number
  stop(): Promise<void>
  /** Ends the server and all its children as a machine that goes down would. */
  crash(): Promise<void>
  /** Shuts it down as an operator does: at once, or as soon as running transactions are broken off. */
  shutDown(mode: 'immediate' | 'fast'): Promise<void>
  /** Starts it again on what it left; answers when it takes connections. */
  start(): Promise<void>
}

/**
 * Starts a server that lives in `folder` and is thrown away. Unless it is `durable`, it does not even keep its commits
 * safe while it lives, which makes tests quicker; figures about writing need the safety they pay for.
 */
export async function startPostgres(bin: string, folder: string, durable = false): Promise<PostgresServer> {
  const account = unprivilegedAccount()
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  // Everybody on the machine can reach the port, so a password keeps them out.
  const password = randomBytes(16).toString('hex')
  const passwordFile = join(folder, 'password')
  writeFileSync(passwordFile, password)
  if (account) {
    for (const path of [folder, passwordFile]) chownSync(path, account.uid, account.gid)
    chmodSync(join(folder, '..'), 0o711)
  }
  const data = join(folder, 'data')
  execFileSync(
    join(bin, 'initdb'),
    // biome-ignore format: one option and its value a line
    [
      '-D', data, '-U', 'postgres', '-A', 'password', '--pwfile', passwordFile,
      '-E', 'UTF8', '--no-locale', '--no-sync', '--no-instructions'
    ],
    { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'], ...account }
  )
  const port = await freePort()
  const settings = {
    listen_addresses: '127.0.0.1',
    unix_socket_directories: '',
    lc_messages: 'C',
    ...(durable ? {} : { fsync: 'off', full_page_writes: 'off', synchronous_commit: 'off' })
  }
  const launch = () =>
    spawn(
      join(bin, 'postgres'),
      [
        '-D',
        data,
        '-p',
        String(port),
        ...Object.entries(settings).flatMap((setting) => ['-c', setting.join('=')])
      ],
      { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'], ...account }
    )
  let server = launch()
  const isRunning = () => server.exitCode === null && server.signalCode === null
  async function end(signal: NodeJS.Signals): Promise<void> {
    if (!isRunning()) return
    const exited = once(server, 'exit')
    server.kill(signal)
    await exited
  }
  await untilReady(server)
  return {
    url: `postgres://postgres:${password}@127.0.0.1:${port}/postgres`,
    get pid() {
      return server.pid ?? 0
    },
    // Nothing in it is wanted again.
    stop: () => end('SIGQUIT'),
    async crash() {
      const exited = once(server, 'exit')
      for (const child of childrenOf(server.pid ?? 0)) killIfThere(child)
      server.kill('SIGKILL')
      await exited
    },
    shutDown: (mode) => end(mode === 'fast' ? 'SIGINT' : 'SIGQUIT'),
    async start() {
      server = launch()
      await untilReady(server)
    }
  }
}

/** One that has just ended by itself is as dead as it is to be. */
function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/** Each of PostgreSQL's children leads a group of its own, so the parent's group does not hold them. */
function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number)
  } catch {
    // Not Linux: they see their parent go, and end by themselves.
    return []
  }
}

async function untilReady(server: ChildProcess): Promise<void> {
  if (!server.stderr) throw new Error('The server has no log to read')
  const lines = createInterface(server.stderr)
  const log: string[] = []
  await new Promise<void>((resolve, reject) => {
    lines.on('line', (line) => {
      log.push(line)
      if (line.includes('ready to accept connections')) resolve()
    })
    server.once('error', reject)
    server.once('exit', () => reject(new Error(`PostgreSQL did not start:\n${log.join('\n')}`)))
  })
  // Left unread, its log would fill the pipe and stop it.
  lines.removeAllListeners('line')
  lines.on('line', () => {})
}

/** PostgreSQL refuses to run as root. */
function unprivilegedAccount(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined
  for (const name of ['postgres', 'nobody']) {
    try {
      const [uid, gid] = ['-u', '-g'].map((what) =>
        Number(execFileSync('id', [what, name], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }))
      )
      if (uid && gid) return { uid, gid }
    } catch {
      // No such account: the next one.
    }
  }
  throw new Error('PostgreSQL cannot run as root, and there is no account postgres or nobody to run it as')
}

/** Below the range that outgoing connections take their own ports from. */
async function freePort(): Promise<number> {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000)
    const probe = net.createServer()
    const free = await new Promise<boolean>((resolve) => {
      probe.once('error', () => resolve(false))
      probe.listen(port, '127.0.0.1', () => resolve(true))
    })
    if (!free) continue
    probe.close()
    await once(probe, 'close')
    return port
  }
}
