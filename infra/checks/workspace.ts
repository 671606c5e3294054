import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative, sep } from 'node:path'
import { NEWEST_NEEDED, withoutNewer } from './newer.ts'
import { compareVersions, type Provider } from './tools.ts'

export const INFRA = join(import.meta.dirname, '..')

export interface Workspace {
  folder: string
  /** How to run Terraform there. */
  env: NodeJS.ProcessEnv
  provider: Provider | null
  /** What was taken out because the provider at hand is too old to know it. */
  removed: string[]
  dispose(): void
}

/** Every folder that is a module or an environment of its own. */
export function rootsOf(infra = INFRA): string[] {
  const within = (folder: string) =>
    readdirSync(join(infra, folder), { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && existsSync(join(infra, folder, entry.name, 'main.tf')))
      .map((entry) => join(folder, entry.name))
  return ['bootstrap', ...within('modules'), ...within('environments')]
}

/**
 * A copy of infra/ that the provider at hand can read. With a current one, it is infra/ as it stands; an older one is given
 * the modules without what it does not know, which newer.ts checks in its stead.
 */
export function createWorkspace(provider: Provider | null): Workspace {
  const folder = mkdtempSync(join(tmpdir(), 'pai-infra-'))
  cpSync(INFRA, folder, {
    recursive: true,
    filter: (path) => !relative(INFRA, path).split(sep).includes('.terraform')
  })
  const removed: string[] = []
  if (provider && compareVersions(provider.version, NEWEST_NEEDED) < 0) {
    for (const file of terraformFiles(folder)) {
      const without = withoutNewer(readFileSync(file, 'utf8'))
      removed.push(...without.removed)
      const text = without.text.replace('">= 6.21, < 7.0"', `"${provider.version}"`)
      writeFileSync(file, text)
    }
    for (const file of filesUnder(folder, '.tftest.hcl')) {
      if (file.endsWith('progressive_delivery.tftest.hcl')) rmSync(file)
    }
    for (const file of filesUnder(folder, '.terraform.lock.hcl')) rmSync(file)
  }
  const env: NodeJS.ProcessEnv = { TF_IN_AUTOMATION: '1', TF_INPUT: '0', CHECKPOINT_DISABLE: '1' }
  if (provider?.mirror) {
    env.TF_CLI_CONFIG_FILE = join(folder, 'terraform.rc')
    const path = JSON.stringify(provider.mirror)
    writeFileSync(
      env.TF_CLI_CONFIG_FILE,
      `provider_installation {\n  filesystem_mirror {\n    path = ${path}\n  }\n}\n`
    )
  }
  return { folder, env, provider, removed, dispose: () => rmSync(folder, { recursive: true, force: true }) }
}

const terraformFiles = (folder: string) => filesUnder(folder, '.tf')

export function filesUnder(folder: string, ending: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith(ending) && !name.split(sep).includes('.terraform'))
    .map((name) => join(folder, name))
    .sort()
}
