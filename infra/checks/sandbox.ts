import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'

/** What an image says of itself. */
export interface ImageConfig {
  User: string
  WorkingDir: string
  Env: string[]
  Cmd: string[]
  Labels: Record<string, string>
  Healthcheck: { Test: string[] }
}

export interface Sandboxed {
  process: ChildProcess
  output(): string
  /** The exit code, or the signal that ended it. */
  ended: Promise<number | string>
  /** Waits until it has printed this. */
  says(pattern: RegExp): Promise<RegExpExecArray>
}

// As ECS runs it: the root is read-only, /tmp is a volume of its own, and nothing is left of root's rights.
const ENTER = `set -e
root=$1 user=$2 group=$3 folder=$4; shift 4
mount --make-rprivate /
mount --bind "$root" "$root"
mount -t proc -o nosuid,nodev,noexec proc "$root/proc"
mount -t tmpfs -o mode=1777,nosuid,nodev,noexec,size=256m tmpfs "$root/tmp"
touch "$root/dev/null"
mount --bind /dev/null "$root/dev/null"
mount -o remount,bind,ro "$root"
exec setpriv --no-new-privs unshare --root="$root" --wd="$folder" --setgid="$group" --setuid="$user" "$@"`

/** Runs commands of an image on its unpacked root, with its own settings and user. */
export function createSandbox(root: string, config: ImageConfig) {
  const [user = '', group = ''] = config.User.split(':')
  return function start(command: string[], settings: Record<string, string> = {}): Sandboxed {
    const child = spawn(
      'unshare',
      ['--mount', '--', 'sh', '-c', ENTER, 'sh', root, user, group, config.WorkingDir, ...command],
      {
        env: { ...Object.fromEntries(config.Env.map(split)), ...settings },
        stdio: ['ignore', 'pipe', 'pipe']
      }
    )
    let output = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        output += text
      })
    }
    const ended = once(child, 'close').then(([code, signal]) => (code ?? signal) as number | string)
    return {
      process: child,
      output: () => output,
      ended,
      async says(pattern) {
        const over = ended.then(() => true)
        for (;;) {
          const found = pattern.exec(output)
          if (found) return found
          const isOver = await Promise.race([over, once(child.stdout, 'data').then(() => false)])
          if (isOver && !pattern.test(output))
            throw new Error(`It ended and never said ${pattern}:\n${output}`)
        }
      }
    }
  }
}

function split(setting: string): [string, string] {
  const at = setting.indexOf('=')
  return [setting.slice(0, at), setting.slice(at + 1)]
}
