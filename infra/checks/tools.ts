import { spawn, spawnSync } from 'node:child_process'
import { existsSync, readdirSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'

const EXECUTABLE = process.platform === 'win32' ? ['.exe', '.cmd', ''] : ['']

export interface Ran {
  code: number
  output: string
}

/** A program on the PATH, or the one that PAI_CHECK_<NAME> names. */
export function findTool(name: string): string | null {
  const named = process.env[`PAI_CHECK_${name.toUpperCase().replaceAll('-', '_')}`]
  if (named) return existsSync(named) ? named : null
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    for (const ending of EXECUTABLE) {
      if (folder && existsSync(join(folder, name + ending))) return join(folder, name + ending)
    }
  }
  return null
}

export function run(
  program: string,
  args: string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv; input?: string } = {}
): Promise<Ran> {
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe']
    })
    let output = ''
    child.stdout?.on('data', (chunk) => {
      output += chunk
    })
    child.stderr?.on('data', (chunk) => {
      output += chunk
    })
    child.stdin?.end(options.input)
    child.on('error', (error) => resolve({ code: -1, output: error.message }))
    child.on('close', (code) => resolve({ code: code ?? -1, output }))
  })
}

/** A Python that has moto, the local stand-in for AWS. */
export function findMoto(): string | null {
  for (const name of ['python3', 'python']) {
    const python = findTool(name)
    const hasMoto =
      python &&
      spawnSync(python, ['-c', 'import moto.server, flask, boto3'], { stdio: 'ignore' }).status === 0
    if (hasMoto) return python
  }
  return null
}

export interface Provider {
  /** A folder that Terraform may take providers from; null: the registry. */
  mirror: string | null
  version: string
}

/**
 * Where the AWS provider comes from: a mirror (PAI_CHECK_PROVIDERS, or a folder where mirrors usually are), which may hold
 * an older version than the modules ask for; else the registry.
 */
export function findProviderMirror(): Provider | null {
  const usual = [
    process.env.PAI_CHECK_PROVIDERS,
    process.env.TF_PLUGIN_CACHE_DIR,
    join(homedir(), '.terraform.d', 'plugins'),
    '/usr/local/share/terraform/plugins',
    '/usr/share/terraform/plugins',
    ...(existsSync('/opt') ? readdirSync('/opt').map((name) => join('/opt', name)) : [])
  ]
  const platform = `${{ win32: 'windows' }[process.platform as string] ?? process.platform}_${{ x64: 'amd64' }[process.arch as string] ?? process.arch}`
  for (const mirror of usual) {
    const folder = mirror && join(mirror, 'registry.terraform.io', 'hashicorp', 'aws')
    if (!folder || !existsSync(folder)) continue
    const versions = readdirSync(folder).filter((version) => existsSync(join(folder, version, platform)))
    const version = versions.sort(compareVersions).at(-1)
    if (version) return { mirror, version }
  }
  return null
}

export function compareVersions(one: string, other: string): number {
  const [a, b] = [one, other].map((version) => version.split('.').map(Number))
  for (let index = 0; index < 3; index++) {
    const difference = (a?.[index] ?? 0) - (b?.[index] ?? 0)
    if (difference !== 0) return difference
  }
  return 0
}
