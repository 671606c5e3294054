import { v7 as uuidv7 } from 'uuid'
import { conversations } from '../../../src/chat/tables.ts'
import { openEmbedded } from '../../../src/db/embedded.ts'
import { migrate } from '../../../src/db/migrate.ts'

// Writes rows for an owner without end, and names each one as soon as it has been told that it is safe.
const [, , dataDir = '', ownerId = '', isNew] = process.argv
const database = await openEmbedded(dataDir)
if (isNew) await migrate(database)
process.stdout.write('ready\n')
for (;;) {
  const id = uuidv7()
  await database.inOwner(ownerId, (tx) =>
    tx.insert(conversations).values({ ownerId, id, title: 'x'.repeat(500) })
  )
  process.stdout.write(`${id}\n`)
}
