import { readFileSync } from 'node:fs'
import net from 'node:net'
import { join } from 'node:path'
import pg from 'pg'
import type { Rig } from './rig.ts'

/** A look into the database beside PAI's own; the embedded one answers while its node is up. */
export async function openDatabaseOf(rig: Rig): Promise<pg.Client> {
  const client = new pg.Client(
    rig.postgres
      ? { connectionString: rig.postgres.url }
      : { user: 'postgres', database: 'postgres', stream: () => connectionTo(socketOf(rig)) }
  )
  // A node that is stopped takes its database along.
  client.on('error', () => {})
  await client.connect()
  rig.whenOver(() => client.end().catch(() => {}))
  return client
}

function socketOf({ settings }: Rig): string {
  return join(readFileSync(join(settings.PAI_DATA_DIR ?? '', 'socket-folder'), 'utf8'), 'socket')
}

/** pg dials by port and host; this socket dials the embedded database whatever it is told. */
function connectionTo(path: string): net.Socket {
  const socket = new net.Socket()
  const dial = socket.connect.bind(socket)
  socket.connect = () => dial(path)
  return socket
}
