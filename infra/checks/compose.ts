import { DCLinter } from 'dclint'
import { parse } from 'yaml'

interface Service {
  image?: string
  user?: string
  init?: boolean
  read_only?: boolean
  cap_drop?: string[]
  security_opt?: string[]
  ports?: string[]
  restart?: string
  profiles?: string[]
  environment?: Record<string, unknown>
  healthcheck?: { test?: string[]; disable?: boolean }
}

export interface Compose {
  services: Record<string, Service & { command?: string[]; stop_grace_period?: string }>
}

const SECRET = /SECRET|PASSWORD|TOKEN|API_KEY|DATABASE_URL/
/** Its image has nothing to ask it with. */
const NEVER_ASKED = ['collector']

export const readCompose = (text: string) => parse(text, { merge: true }) as Compose

/** What Compose itself would not understand, and what else dclint finds but the order of keys. */
export function schemaProblems(path: string): string[] {
  const rules = {
    'service-keys-order': 0,
    'top-level-properties-order': 0,
    'require-quotes-in-ports': 0
  } as const
  const linter = new DCLinter({ rules, quiet: false, debug: false, exclude: [] })
  // Its declarations do not say what a result holds.
  const found: { messages: { line: number; message: string }[] }[] = linter.lintFiles([path], false)
  if (found.length !== 1) return [`${path} was not looked at`]
  return found.flatMap(({ messages }) => messages.map(({ line, message }) => `line ${line}: ${message}`))
}

/** What is wrong with a Compose file, by our own rules: each service can do as little as in AWS, and is reached from this machine alone. */
export function composeProblems(text: string): string[] {
  return Object.entries(readCompose(text).services).flatMap(([name, service]) => {
    const problems: string[] = []
    if (!service.read_only) problems.push('its root can be written to')
    if (!service.init) problems.push('nobody collects its orphans: init is missing')
    if (!service.cap_drop?.includes('ALL')) problems.push('it keeps capabilities')
    if (!service.security_opt?.includes('no-new-privileges:true')) problems.push('it may gain privileges')
    if (!/:[\w.-]+$/.test(service.image ?? '') || service.image?.endsWith(':latest'))
      problems.push('its image has no version')
    if (service.image !== 'pai:local' && !/^[1-9]\d*:[1-9]\d*$/.test(service.user ?? ''))
      problems.push('its user is not a number, or root')
    for (const port of service.ports ?? [])
      if (!port.startsWith('127.0.0.1:')) problems.push(`port ${port} is open to others`)
    // What runs once has an end instead.
    if (service.restart !== 'no' && !service.healthcheck?.test && !NEVER_ASKED.includes(name))
      problems.push('nobody asks how it is')
    for (const [setting, value] of Object.entries(service.environment ?? {}))
      if (SECRET.test(setting) && !String(value).includes('${'))
        problems.push(`${setting} stands in the file`)
    return problems.map((problem) => `${name}: ${problem}`)
  })
}
