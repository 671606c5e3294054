import { readFileSync } from 'node:fs'
import { expect, onTestFinished, test } from 'vitest'
import { API_TYPES, typesOf } from '../support/api-types.ts'
import { buildTestApp } from '../support/app.ts'
import { openTestDatabase } from '../support/database.ts'

test('the SDK’s types are those of the API: else npm run generate --workspace @pai/sdk', async () => {
  const { database, close } = await openTestDatabase('embedded')
  const house = await buildTestApp(database)
  onTestFinished(async () => {
    await house.close()
    await close()
  })
  // Line by line, so that a difference is shown and not the whole file.
  const lines = (text: string) => text.trimEnd().split(/\r?\n/)
  expect(lines(readFileSync(API_TYPES, 'utf8'))).toEqual(lines(await typesOf(house.app)))
}, 60_000)
