import { lockDataFolder } from '../../../src/db/data-folder-lock.ts'

// Takes the data folder, says so, and holds it until it is killed. Nothing here keeps the lock from being collected.
lockDataFolder(process.argv[2] ?? '')
globalThis.gc?.()
process.stdout.write('locked\n')
setInterval(() => {}, 60_000)
