// The processes that src/launch.mjs starts. Plain JavaScript that imports nothing, for the machine's own Node, like it.

import { spawn, spawnSync } from 'node:child_process'
import { constants } from 'node:os'

const WINDOWS = process.platform === 'win32'
const PARENT_CHECK_MS = 250

/** Runs a command and answers its exit code with everything it printed. */
export function capture(command, args, options) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], ...options })
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.on('data', (chunk) => {
        output += chunk
      })
    }
    child.once('error', (error) => resolve({ code: 1, output: String(error) }))
    child.once('close', (code) => resolve({ code: code ?? 1, output }))
  })
}

/** Runs a script on `node` in this process's place: its output is ours, and its exit code is answered. */
export function runNode(node, args, cwd) {
  const child = spawn(node, args, { cwd, stdio: 'inherit' })
  // The terminal gives a Ctrl-C to both: ours is to wait for the child's exit code.
  process.on('SIGINT', () => {})
  process.on('SIGTERM', () => child.kill('SIGTERM'))
  return exitOf(child)
}

/**
 * The same for the service, which must hear of each signal exactly once, because it takes its time to stop; and which must
 * not outlive this process, however that ends: it watches a channel that breaks then.
 */
export function runService(node, script, { cwd, compileCache }) {
  const child = spawn(node, [script], {
    cwd,
    stdio: ['inherit', 'inherit', 'inherit', 'ipc'],
    // Node keeps what it compiled of the dependencies: most of a start is loading them.
    env: { NODE_COMPILE_CACHE: compileCache, ...process.env },
    // In a group of its own, a Ctrl-C in the terminal reaches it through us alone.
    detached: !WINDOWS
  })
  let stopping = false
  const stop = (signal) => {
    // npm passes on what the terminal has already sent. On Windows a Ctrl-C reaches the child itself, and a signal of ours
    // would end it unprepared.
    if (!stopping && !WINDOWS) child.kill(signal)
    stopping = true
  }
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, stop)
  watchNpm(() => stop('SIGTERM'))
  return exitOf(child)
}

function exitOf(child) {
  return new Promise((resolve) => {
    child.once('error', (error) => {
      console.error(`Node.js could not be started: ${error.message}`)
      resolve(1)
    })
    child.once('exit', (code, signal) => resolve(code ?? 128 + (constants.signals[signal] ?? 0)))
  })
}

/** Killed, npm passes nothing on. Then this process, or the shell that npm runs scripts in, gets another parent. */
function watchNpm(onGone) {
  if (!process.env.npm_execpath || WINDOWS) return
  const parent = process.ppid
  const { ppid, isShell } = describeProcess(parent)
  const watched = isShell ? ppid : parent
  setInterval(() => {
    if (process.ppid !== parent || !isAlive(watched)) onGone()
  }, PARENT_CHECK_MS).unref()
}

function describeProcess(pid) {
  const { stdout } = spawnSync('ps', ['-o', 'ppid=,comm=', '-p', String(pid)], { encoding: 'utf8' })
  const [, ppid, name = ''] = /^\s*(\d+)\s+(.*?)\s*$/.exec(stdout ?? '') ?? []
  return { ppid: Number(ppid), isShell: /(^|\/)-?(ba|da|z)?sh$/.test(name) }
}

function isAlive(pid) {
  try {
    return process.kill(pid, 0)
  } catch (error) {
    return error.code === 'EPERM'
  }
}
