import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseHcl } from './hcl.ts'
import type { Made } from './policies.ts'
import { failed, judged, type Outcome, passed, skipped } from './report.ts'
import { run } from './tools.ts'
import { INFRA, rootsOf, type Workspace } from './workspace.ts'

export async function checkFormat(terraform: string): Promise<Outcome> {
  const { code, output } = await run(terraform, ['fmt', '-check', '-recursive', '-diff', INFRA], {
    env: { TF_CLI_CONFIG_FILE: undefined }
  })
  return code === 0 ? passed('terraform fmt', 'every file') : failed('terraform fmt', output)
}

/** Validates and tests every module and environment, one after the other: each takes 700 MB. Answers what environments would be made of. */
export async function validateAndTest(
  terraform: string,
  workspace: Workspace,
  report: (outcome: Outcome) => void
): Promise<Map<string, Made[]>> {
  const made = new Map<string, Made[]>()
  for (const root of rootsOf()) {
    const cwd = join(workspace.folder, root)
    const tf = (...args: string[]) => run(terraform, args, { cwd, env: workspace.env })
    const init = await tf('init', '-backend=false', '-no-color')
    if (init.code !== 0) {
      report(failed(`terraform init ${root}`, init.output))
      continue
    }
    const aliases = giveAliases(cwd)
    const validated = await tf('validate', '-no-color')
    if (aliases) rmSync(aliases)
    report(
      validated.code === 0
        ? passed(`terraform validate ${root}`, 'valid')
        : failed(`terraform validate ${root}`, validated.output)
    )
    if (!hasTests(cwd)) continue
    const environment = root.startsWith('environments')
    const tested = await tf('test', '-json', ...(environment ? ['-verbose'] : []))
    report(readTest(`terraform test ${root}`, tested.output))
    if (environment) made.set(root, readMade(tested.output))
  }
  return made
}

const hasTests = (folder: string) =>
  existsSync(join(folder, 'tests')) &&
  readdirSync(join(folder, 'tests')).some((name) => name.endsWith('.tftest.hcl'))

/** A module that is handed a second provider cannot be validated alone without one; its tests bring their own. */
function giveAliases(folder: string): string | null {
  const terraform = parseHcl(readFileSync(join(folder, 'versions.tf'), 'utf8')).blocks[0]
  const asked = terraform?.blocks.flatMap((block) => block.arguments.map(({ text }) => text)).join('\n') ?? ''
  const names = [
    ...(/configuration_aliases\s*=\s*\[([^\]]*)\]/.exec(asked)?.[1] ?? '').matchAll(/aws\.(\w+)/g)
  ]
  if (names.length === 0) return null
  const path = join(folder, 'aliases.tf.json')
  writeFileSync(path, JSON.stringify({ provider: { aws: names.map(([, alias]) => ({ alias })) } }))
  return path
}

interface Line {
  type?: string
  '@level'?: string
  '@message'?: string
  diagnostic?: {
    severity: string
    summary: string
    detail: string
    range?: { filename: string; start: { line: number } }
  }
  test_summary?: { status: string; passed: number; failed: number; errored: number; skipped: number }
  test_state?: { root_module?: Module }
}

export interface Module {
  resources?: Made[]
  child_modules?: Module[]
}

function readLines(output: string): Line[] {
  return output.split('\n').flatMap((line) => {
    try {
      return [JSON.parse(line) as Line]
    } catch {
      return []
    }
  })
}

function readTest(name: string, output: string): Outcome {
  const lines = readLines(output)
  const summary = lines.find(({ type }) => type === 'test_summary')?.test_summary
  const problems = lines.flatMap(({ diagnostic }) =>
    diagnostic?.severity === 'error'
      ? [
          `${diagnostic.range?.filename}:${diagnostic.range?.start.line} ${diagnostic.summary}: ${diagnostic.detail}`
        ]
      : []
  )
  if (!summary) return failed(name, output.slice(0, 4_000))
  if (summary.status !== 'pass')
    return failed(name, [`${summary.passed} passed, ${summary.failed + summary.errored} failed`, ...problems])
  return judged(name, problems, `${summary.passed} runs`)
}

function readMade(output: string): Made[] {
  return readLines(output).flatMap(({ test_state: state }) => allMade(state?.root_module))
}

/** Everything in a module and those it is made of. */
export function allMade(module: Module | undefined): Made[] {
  return module ? [...(module.resources ?? []), ...(module.child_modules ?? []).flatMap(allMade)] : []
}

/** What the provider at hand could not judge is named, with who judges it instead. */
export function reportRemoved({ removed, provider }: Workspace): Outcome[] {
  if (removed.length === 0) return []
  const version = provider?.version
  return [
    skipped(
      'terraform with a current provider',
      `the one at hand is ${version}: without ${[...new Set(removed)].join(', ')}`
    ),
    skipped(
      'modules/service/tests/progressive_delivery.tftest.hcl',
      `needs provider 6.21, the one at hand is ${version}`
    )
  ]
}
