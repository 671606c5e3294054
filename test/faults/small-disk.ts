import { execFileSync } from 'node:child_process'
import { closeSync, mkdirSync, openSync, rmSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import type { Rig } from './rig.ts'

/** A disk of so many megabytes, gone when the rig is. */
export interface SmallDisk {
  path: string
  /** Takes all the space there is left. */
  fill(): void
  /** Gives it back. */
  free(): void
}

/** Why there can be none here: it takes Linux, and the right to mount. */
export function noSmallDisk(): string | undefined {
  if (process.platform !== 'linux') return 'a small disk takes Linux'
  if (process.getuid?.() !== 0) return 'a small disk takes the right to mount'
  try {
    execFileSync('unshare', ['-m', 'mount', '-t', 'tmpfs', 'pai-faults', '/mnt'], { stdio: 'ignore' })
    return undefined
  } catch {
    return 'nothing may be mounted here'
  }
}

export function mountSmallDisk(rig: Rig, name: string, megabytes: number): SmallDisk {
  const path = join(rig.folder, name)
  mkdirSync(path)
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=711`, 'pai-faults', path])
  rig.whenOver(() => execFileSync('umount', ['-l', path]))
  const ballast = join(path, 'ballast')
  return {
    path,
    fill() {
      const file = openSync(ballast, 'a')
      // What no longer fits in a large piece may in a small one.
      for (const size of [2 ** 20, 4_096]) writeUntilFull(file, Buffer.alloc(size, 1))
      closeSync(file)
    },
    free: () => rmSync(ballast, { force: true })
  }
}

function writeUntilFull(file: number, piece: Buffer): void {
  try {
    for (;;) writeSync(file, piece)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
  }
}
