import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { composeProblems, schemaProblems } from './compose.ts'
import { dockerfileProblems } from './dockerfile.ts'
import { failed, judged, type Outcome, passed, skipped } from './report.ts'
import { findTool, run } from './tools.ts'
import { filesUnder, INFRA, rootsOf } from './workspace.ts'

const ROOT = join(INFRA, '..')
const COMPOSE = join(ROOT, 'docker-compose.yml')

/** Linters of other people: each that is missing is said by name. */
export async function lint(): Promise<Outcome[]> {
  const config = join(INFRA, '.tflint.hcl')
  const scripts = filesUnder(INFRA, '.sh')
  return [
    await withTool('tflint', 'modules and environments', async (tflint) => {
      const problems: string[] = []
      for (const root of rootsOf()) {
        const { code, output } = await run(tflint, [
          '--config',
          config,
          '--chdir',
          join(INFRA, root),
          '--format',
          'compact',
          '--no-color'
        ])
        if (code !== 0) problems.push(`${root}: ${output.trim()}`)
      }
      return problems
    }),
    await withTool('checkov', 'modules and environments', async (checkov) => {
      const { code, output } = await run(checkov, [
        '-d',
        INFRA,
        '--config-file',
        join(INFRA, '.checkov.yaml')
      ])
      return code === 0 ? [] : [output]
    }),
    await withTool('trivy', 'infra', async (trivy) => {
      const { code, output } = await run(trivy, [
        'config',
        '--config',
        join(INFRA, 'trivy.yaml'),
        '--exit-code',
        '1',
        '--quiet',
        INFRA
      ])
      return code === 0 ? [] : [output]
    }),
    await withTool('actionlint', '.github/workflows', async (actionlint) => {
      const { code, output } = await run(actionlint, ['-no-color'], { cwd: ROOT })
      return code === 0 ? [] : [output]
    }),
    await withTool('hadolint', 'Dockerfile', async (hadolint) => {
      const { code, output } = await run(hadolint, ['Dockerfile'], { cwd: ROOT })
      return code === 0 ? [] : [output]
    }),
    judged('Dockerfile', dockerfileProblems(readFileSync(join(ROOT, 'Dockerfile'), 'utf8')), 'our own rules'),
    judged(
      'docker-compose.yml',
      [...schemaProblems(COMPOSE), ...composeProblems(readFileSync(COMPOSE, 'utf8'))],
      'dclint and our own rules'
    ),
    ...(scripts.length === 0
      ? []
      : [
          await withTool('shellcheck', 'scripts', async (shellcheck) => {
            const { code, output } = await run(shellcheck, scripts)
            return code === 0 ? [] : [output]
          })
        ])
  ]
}

async function withTool(
  name: string,
  looked: string,
  check: (path: string) => Promise<string[]>
): Promise<Outcome> {
  const path = findTool(name)
  if (!path) return skipped(name, `it is not on the PATH, and PAI_CHECK_${name.toUpperCase()} names none`)
  const problems = await check(path)
  return problems.length > 0 ? failed(name, problems) : passed(name, looked)
}
