import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { findPostgres, startPostgres } from '../support/postgres-server.ts'

const ROOT = join(import.meta.dirname, '..', '..')

export interface House {
  /** Where PAI answers. */
  url: string
  databaseUrl: string
  /** PAI's process. */
  pid: number
  /** The scripted OpenAI server beside it. */
  upstreamUrl: string
  authorization: string
  close(): Promise<void>
}

/** A PostgreSQL server that keeps what it commits, a scripted model and PAI, each a process of its own. */
export async function openHouse(settings: NodeJS.ProcessEnv = {}): Promise<House> {
  const folder = mkdtempSync(join(tmpdir(), 'pai-bench-'))
  const children: ChildProcess[] = []
  const found = findPostgres()
  const given = process.env.TEST_DATABASE_URL
  if (!given && 'missing' in found)
    throw new Error(`These figures need a PostgreSQL server: ${found.missing}`)
  const postgres =
    given || 'missing' in found ? null : await startPostgres(found.bin, join(folder, 'postgres'), true)
  const databaseUrl = postgres?.url ?? (given as string)

  async function run(script: string, args: string[], env: NodeJS.ProcessEnv, ready: RegExp): Promise<string> {
    const child = spawn(process.execPath, [join(ROOT, script), ...args], {
      env: { PATH: process.env.PATH, ...env },
      stdio: ['ignore', 'pipe', 'inherit']
    })
    children.push(child)
    for await (const line of createInterface(child.stdout)) {
      const match = ready.exec(line)
      if (match?.[1]) {
        child.stdout.resume()
        return match[1]
      }
    }
    throw new Error(`${script} ended before it was ready`)
  }

  const upstreamUrl = await run('test/support/scripted-openai.ts', ['--port', '0'], {}, /(http:\S+)/)
  const url = await run(
    'src/main.ts',
    [],
    {
      PORT: '0',
      DATABASE_URL: databaseUrl,
      PAI_DATA_DIR: join(folder, 'data'),
      OPENAI_BASE_URL: upstreamUrl,
      PAI_CHAT_MODEL: 'scripted',
      PAI_EMBEDDING_MODEL: 'offline',
      PAI_RATE_LIMIT: 'off',
      LOG_LEVEL: 'warn',
      ...settings
    },
    /open (http:\S+)/
  )
  return {
    url,
    pid: children.at(-1)?.pid ?? 0,
    databaseUrl,
    upstreamUrl,
    authorization: await register(url, 'bench@example.com'),
    async close() {
      for (const child of children) {
        child.kill()
        if (child.exitCode === null) await once(child, 'exit')
      }
      await postgres?.stop()
      rmSync(folder, { recursive: true, force: true })
    }
  }
}

/** Makes an account, and answers the header that signs it in. */
export async function register(url: string, email: string): Promise<string> {
  const response = await fetch(`${url}/v1/auth/register`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email, password: 'correct horse battery', name: 'Bench' })
  })
  const { accessToken } = (await response.json()) as { accessToken: string }
  return `Bearer ${accessToken}`
}

/** POSTs JSON and answers the response, or throws when it is an error. */
export async function post(
  url: string,
  authorization: string,
  body: object,
  headers: Record<string, string> = {}
): Promise<Response> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization, ...headers },
    body: JSON.stringify(body)
  })
  if (!response.ok) throw new Error(`${url} answered ${response.status}: ${await response.text()}`)
  return response
}
