import { copyFileSync, cpSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { findTool, run } from './tools.ts'

const STAND_IN = 'localhost/pai-check'
/** What distroless' `cc` holds. */
const PACKAGES = 'base-files,ca-certificates,libc6,libgcc-s1,libstdc++6,netbase,tzdata'

export interface Bases {
  base: string
  runtime: string
  /** How the two came about. */
  origin: string
}

/**
 * The images that the Dockerfile begins with: those that it names where a registry can be reached, else stand-ins made of
 * Debian's packages and this machine's own Node.js and npm. Or why there are none.
 */
export async function findBases(buildah: string, dockerfile: string): Promise<Bases | { missing: string }> {
  const named = (name: string) => new RegExp(`^ARG ${name}=(\\S+)$`, 'm').exec(dockerfile)?.[1] ?? ''
  const [base, runtime] = [named('BASE'), named('RUNTIME')]
  const pulled = await Promise.all([base, runtime].map((image) => run(buildah, ['pull', '--quiet', image])))
  if (pulled.every(({ code }) => code === 0)) return { base, runtime, origin: `${base} and ${runtime}` }
  const mmdebstrap = findTool('mmdebstrap')
  if (!mmdebstrap)
    return { missing: 'no registry can be reached, and mmdebstrap, which makes stand-ins, is not there' }
  const npm = findTool('npm')
  if (!npm) return { missing: 'npm is not on the PATH' }
  return makeStandIns(buildah, mmdebstrap, dirname(dirname(realpathSync(npm))))
}

async function makeStandIns(buildah: string, mmdebstrap: string, npmFolder: string): Promise<Bases> {
  const suite = /^VERSION_CODENAME=(\S+)$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'stable'
  const bases = {
    base: `${STAND_IN}/base:${suite}-node-${process.versions.node}`,
    runtime: `${STAND_IN}/runtime:${suite}`,
    origin: `stand-ins of Debian ${suite} and Node.js ${process.versions.node}, for no registry can be reached`
  }
  const isThere = async (image: string) =>
    (await run(buildah, ['inspect', '--type', 'image', image])).code === 0
  const folder = mkdtempSync(join(tmpdir(), 'pai-bases-'))
  try {
    if (!(await isThere(bases.base))) {
      const tar = join(folder, 'base.tar')
      await must(mmdebstrap, ['--variant=minbase', suite, tar])
      await makeImage(buildah, tar, bases.base, (root) => {
        copyFileSync(process.execPath, join(root, 'usr/local/bin/node'))
        cpSync(npmFolder, join(root, 'usr/local/lib/node_modules/npm'), { recursive: true })
        symlinkSync('../lib/node_modules/npm/bin/npm-cli.js', join(root, 'usr/local/bin/npm'))
      })
    }
    if (!(await isThere(bases.runtime))) {
      const tar = join(folder, 'runtime.tar')
      // Unpacked and not installed, packages bring no shell along.
      await must(mmdebstrap, ['--variant=extract', `--include=${PACKAGES}`, suite, tar])
      await makeImage(buildah, tar, bases.runtime, () => {})
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
  return bases
}

async function makeImage(
  buildah: string,
  tar: string,
  name: string,
  fill: (root: string) => void
): Promise<void> {
  const container = await must(buildah, ['from', 'scratch'])
  try {
    await must(buildah, ['add', '--quiet', container, tar, '/'])
    fill(await must(buildah, ['mount', container]))
    await must(buildah, ['umount', container])
    const path = ['/usr/local/sbin', '/usr/local/bin', '/usr/sbin', '/usr/bin', '/sbin', '/bin'].join(':')
    await must(buildah, ['config', '--env', `PATH=${path}`, '--user', '65532', container])
    if (name.includes('/base:')) await must(buildah, ['config', '--user', '0', container])
    await must(buildah, ['commit', '--quiet', container, name])
  } finally {
    await run(buildah, ['rm', container])
  }
}

/** What a program says; it must succeed. */
export async function must(program: string, args: string[]): Promise<string> {
  const { code, output } = await run(program, args)
  if (code !== 0)
    throw new Error(`${basename(program)} ${args[0]} failed (${code}):\n${output.slice(-4_000)}`)
  return output.trim()
}
