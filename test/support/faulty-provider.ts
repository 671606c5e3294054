import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type CallKind, PROVIDER_FAULTS, type ProviderFault } from './provider-faults.ts'

/** A server that speaks OpenAI's API and goes wrong in every way there is: which one, its address says. */
export async function startFaultyProvider(faults: ProviderFault[] = PROVIDER_FAULTS) {
  const asked = new Map<string, number>()
  const server = createServer(async (request, response) => {
    const fault = faults[Number(request.url?.split('/')[1])]
    const kind = await readKind(request)
    if (!fault) return void response.writeHead(404).end()
    asked.set(`${fault.name} ${kind}`, (asked.get(`${fault.name} ${kind}`) ?? 0) + 1)
    // Whoever hangs up in the middle of an answer ends it.
    await Promise.resolve(fault.answer(response, kind)).catch(() => response.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')

  return {
    /** Where a provider with this fault is, for OPENAI_BASE_URL. */
    baseUrlOf: (fault: ProviderFault) =>
      `http://127.0.0.1:${(server.address() as AddressInfo).port}/${faults.indexOf(fault)}/v1`,
    /** How often it was asked for an answer of this kind. */
    asked: (fault: ProviderFault, kind: CallKind) => asked.get(`${fault.name} ${kind}`) ?? 0,
    connections: () =>
      new Promise<number>((resolve, reject) => {
        server.getConnections((error, count) => (error ? reject(error) : resolve(count)))
      }),
    async close(): Promise<void> {
      const closing = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closing
    }
  }
}

async function readKind(request: IncomingMessage): Promise<CallKind> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  if (request.url?.endsWith('/embeddings')) return 'embedding'
  return JSON.parse(Buffer.concat(chunks).toString()).stream ? 'stream' : 'structured'
}
