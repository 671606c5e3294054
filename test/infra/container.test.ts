import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { composeProblems, readCompose, schemaProblems } from '../../infra/checks/compose.ts'
import { dockerfileProblems } from '../../infra/checks/dockerfile.ts'
import { ConfigSchema } from '../../src/config.ts'

const ROOT = join(import.meta.dirname, '..', '..')
const read = (...path: string[]) => readFileSync(join(ROOT, ...path), 'utf8')
const dockerfile = read('Dockerfile')
const compose = read('docker-compose.yml')
const tasks = read('infra', 'modules', 'service', 'tasks.tf')
const setting = (name: string) => new RegExp(`\\b${name}=(\\S+)`).exec(dockerfile)?.[1]

describe('the Dockerfile', () => {
  test('keeps our rules', () => expect(dockerfileProblems(dockerfile)).toEqual([]))

  test.each([
    ['USER 65532:65532', 'USER node', 'the user is "node"'],
    ['USER 65532:65532', 'USER 0:0', 'the user is "0:0"'],
    ['CMD ["node", "src/main.ts"]', 'CMD node src/main.ts', 'CMD needs a shell'],
    ['CMD ["node", "docker/healthy.mjs"]', 'CMD node docker/healthy.mjs', 'HEALTHCHECK needs a shell'],
    ['node:24-trixie-slim', 'node:latest', 'named neither by a version'],
    ['node:24-trixie-slim', 'node', 'named neither by a version'],
    ['COPY package.json ./', 'ADD https://example.org/x ./', 'ADD may fetch'],
    ['EXPOSE 3000', 'RUN npm prune', 'there is no shell'],
    ['RUN npm run build', 'RUN --mount=type=cache npm run build', 'not known to every builder'],
    ['ARG VERSION', 'ARG NPM_TOKEN', 'NPM_TOKEN: a secret'],
    ['NODE_ENV=production', 'OPENAI_API_KEY=sk', 'OPENAI_API_KEY: a secret'],
    ['image.licenses', 'image.license', 'the label licenses is missing']
  ])('with %s as %s it does not', (from, to, problem) => {
    const changed = dockerfile.replace(from, to)
    expect(changed).not.toBe(dockerfile)
    expect(dockerfileProblems(changed).join('\n')).toContain(problem)
  })
})

describe('docker-compose.yml', () => {
  test('keeps our rules', () => expect(composeProblems(compose)).toEqual([]))

  test('is what Compose understands', () => {
    expect(schemaProblems(join(ROOT, 'docker-compose.yml'))).toEqual([])
    const folder = mkdtempSync(join(tmpdir(), 'pai-compose-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    writeFileSync(join(folder, 'docker-compose.yml'), compose.replace('read_only:', 'readonly:'))
    expect(schemaProblems(join(folder, 'docker-compose.yml')).join('\n')).toMatch(/additional properties/)
  })

  test.each([
    ['read_only: true', 'read_only: false', 'its root can be written to'],
    ['init: true', 'init: false', 'init is missing'],
    ['cap_drop: [ALL]', 'cap_drop: [NET_RAW]', 'it keeps capabilities'],
    ['"no-new-privileges:true"', '"apparmor:unconfined"', 'it may gain privileges'],
    ['pgvector:pg17', 'pgvector:latest', 'its image has no version'],
    ['"999:999"', 'postgres', 'its user is not a number'],
    ['"127.0.0.1:4318:4318"', '"4318:4318"', 'port 4318:4318 is open to others'],
    ['healthcheck: *healthcheck', 'labels: []', 'worker: nobody asks'],
    [/POSTGRES_PASSWORD: ".*/, 'POSTGRES_PASSWORD: secret', 'stands in the file']
  ])('with %s as %s it does not', (from, to, problem) => {
    const changed = compose.replace(from, to)
    expect(changed).not.toBe(compose)
    expect(composeProblems(changed).join('\n')).toContain(problem)
  })
})

describe('what AWS starts is what the image holds', () => {
  const { services } = readCompose(compose)

  test('the command that migrates is the same, and the service’s own is the image’s', () => {
    const command = services.migrate?.command ?? []
    expect(tasks).toContain(`command     = ${JSON.stringify(command).replaceAll(',', ', ')}`)
    expect(command.slice(0, 2)).toEqual(JSON.parse(/^CMD (.+)$/m.exec(dockerfile)?.[1] ?? ''))
    for (const name of ['api', 'worker']) expect(services[name]).not.toHaveProperty('command')
  })

  test('user, port, data folder and the only place to write are the same', () => {
    const user = dockerfile.match(/(?<=^USER )\S+$/gm)?.at(-1)
    expect(tasks).toContain(`user                   = "${user}"`)
    expect(tasks).toContain(`PAI_DATA_DIR           = "${setting('PAI_DATA_DIR')}"`)
    expect(setting('PAI_DATA_DIR')).toMatch(/^\/tmp\//)
    expect(tasks).toContain('containerPath = "/tmp"')
    expect(services.api).toHaveProperty('tmpfs', [expect.stringMatching(/^\/tmp(:|$)/)])
    const variables = read('infra', 'modules', 'service', 'variables.tf')
    expect(/variable "port" \{[^}]*default\s*=\s*(\d+)/.exec(variables)?.[1]).toBe(setting('PORT'))
    expect(dockerfile).toContain(`EXPOSE ${setting('PORT')}\n`)
  })

  test('every setting that is given has a meaning', () => {
    const given = [...tasks.matchAll(/\b([A-Z][A-Z_]{3,})\s+=/g)].map(([, name]) => name ?? '')
    const inCompose = Object.values(services).flatMap(({ environment }) => Object.keys(environment ?? {}))
    const elses = /^(OTEL_|PG[A-Z]+$|POSTGRES_)/
    const unknown = [...given, ...inCompose].filter(
      (name) => !elses.test(name) && !(name in ConfigSchema.properties)
    )
    expect(unknown).toEqual([])
    expect(given).toContain('PAI_MIGRATION_DATABASE_URL')
  })

  test('each gets the time that it takes to stop', () => {
    const variables = read('infra', 'modules', 'service', 'variables.tf')
    const seconds = Number(/variable "stop_timeout_seconds" \{[^}]*default\s*=\s*(\d+)/.exec(variables)?.[1])
    const grace = Number(/GRACE_MS = (\d+)_000/.exec(read('src', 'run.ts'))?.[1])
    // Turns have theirs, jobs theirs, and so have the last answers and the connections.
    expect(seconds).toBeGreaterThanOrEqual(2 * grace + 10)
    for (const name of ['api', 'worker']) expect(services[name]?.stop_grace_period).toBe(`${seconds}s`)
  })

  test('what makes the logins uses packages that the image has', () => {
    const script = read('infra', 'modules', 'service', 'files', 'make-logins.mjs')
    const imported = [...script.matchAll(/^import .* from '(?!node:)([^']+)'/gm)].map(
      ([, name]) => name ?? ''
    )
    const { dependencies } = JSON.parse(read('package.json'))
    expect(imported).toEqual(['pg'])
    for (const name of imported) expect(dependencies).toHaveProperty(name)
  })
})
