import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { parseHcl } from '../../infra/checks/hcl.ts'
import { checkNewer, withoutNewer } from '../../infra/checks/newer.ts'

const SERVICE = `
resource "aws_ecs_service" "api" {
  name            = "api-\${var.name == "a}" ? "x" : "y"}" # a comment with a }
  sigint_rollback = true

  deployment_configuration {
    strategy = "CANARY"

    dynamic "canary_configuration" {
      for_each = [1]

      content {
        canary_percent = 10
      }
    }
  }

  load_balancer {
    container_name = "pai"

    dynamic "advanced_configuration" {
      for_each = [true]

      content {
        alternate_target_group_arn = var.green
        production_listener_rule   = var.rule
        role_arn                   = var.role
      }
    }
  }
}
`

function checked(text: string) {
  const folder = mkdtempSync(join(tmpdir(), 'pai-hcl-'))
  onTestFinished(() => rmSync(folder, { recursive: true }))
  writeFileSync(join(folder, 'main.tf'), text)
  return checkNewer(folder)
}

test('strings, templates, comments and heredocs hide braces', () => {
  const text = 'a = <<-EOT\n  }\n  EOT\nb {\n  c = { d = "}" } // }\n  e = [\n    1 /* ] */\n  ]\n}\n'
  const {
    arguments: [a],
    blocks: [b]
  } = parseHcl(text)
  expect(a?.text).toContain('EOT')
  expect(b?.arguments.map(({ name }) => name)).toEqual(['c', 'e'])
})

test('a block without an end is refused', () => {
  expect(() => parseHcl('a {\n  b = 1\n')).toThrow('has no end')
})

test('only what an older provider does not know is taken out', () => {
  const { text, removed } = withoutNewer(SERVICE)
  expect(removed).toEqual([
    'aws_ecs_service.api: sigint_rollback',
    'aws_ecs_service.api: deployment_configuration',
    'aws_ecs_service.api: load_balancer.advanced_configuration'
  ])
  const [service] = parseHcl(text).blocks
  expect(service?.arguments.map(({ name }) => name)).toEqual(['name'])
  expect(service?.blocks.map(({ type, blocks }) => [type, blocks.length])).toEqual([['load_balancer', 0]])
})

test('what is taken out is right by the newer provider’s types', () => {
  expect(checked(SERVICE)).toEqual({ problems: [], checked: 3 })
})

test.each([
  ['canary_percent = 10', 'canary_percentage = 10', 'no argument is named canary_percentage'],
  ['canary_percent = 10', 'canary_percent = "ten"', 'is a string, not a number'],
  ['strategy = "CANARY"', 'strategy = "CANARIES"', 'is none of ROLLING, BLUE_GREEN, CANARY, LINEAR'],
  ['role_arn                   = var.role', '', 'role_arn is missing'],
  ['dynamic "canary_configuration"', 'dynamic "canary"', 'no block is named canary'],
  ['sigint_rollback = true', 'sigint_rollback = 1', 'is a number, not a bool']
])('%s cannot become %s', (from, to, problem) => {
  expect(checked(SERVICE.replace(from, to)).problems.join()).toContain(problem)
})
