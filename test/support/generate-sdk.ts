import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openEmbedded } from '../../src/db/embedded.ts'
import { API_TYPES, typesOf } from './api-types.ts'
import { buildTestApp } from './app.ts'

// `npm run generate --workspace @pai/sdk`: brings the SDK's types up to date, on a database of its own.
const folder = mkdtempSync(join(tmpdir(), 'pai-sdk-'))
const database = await openEmbedded(folder)
const house = await buildTestApp(database)
writeFileSync(API_TYPES, await typesOf(house.app))
await house.close()
await database.close()
rmSync(folder, { recursive: true, force: true })
