import type { Database, Tx } from '../../db/client.ts'
import type { Queue } from '../../jobs/queue.ts'
import type { Embedder } from '../../llm/model.ts'
import { readSearchSettings, type SearchSettings } from './search-settings.ts'
import { beginSwitch, noteModel } from './vector-models.ts'

/** Owners remembered to be on the configured embedder. */
const MAX_REMEMBERED = 10_000
/** For this long: while versions change, a process with another embedder may have begun to take an owner elsewhere. */
const REMEMBERED_MS = 60_000

/** Which embedders an owner's vectors are made by and searched with. */
export interface Embedders {
  /** The configured one. */
  current: Embedder
  /** What was found of an owner who is on the configured one, for a while: then nothing need be looked up. */
  known(ownerId: string): Pick<SearchSettings, 'large'> | undefined
  /** What a search must know of its owner; begins the change to the configured embedder where another is in use. */
  readSettings(tx: Tx, ownerId: string, names: string[]): Promise<SearchSettings>
  /** The one that made the vectors in use; where it cannot be had here, the configured one. */
  forSearch(settings: SearchSettings): Embedder
  /** The same, looked up: what is new is compared with what is known by the vectors that all of it has. */
  inUse(ownerId: string): Promise<Embedder>
  /** Those that new rows get vectors of: while the model changes, both. */
  forWriting(ownerId: string): Promise<Embedder[]>
}

export function createEmbedders({
  database,
  queue,
  current,
  build,
  now = () => new Date()
}: {
  database: Database
  queue: Pick<Queue, 'enqueue'>
  current: Embedder
  /** The embedder of a stored id, where this deployment can have it. */
  build: (id: string) => Embedder | null
  now?: () => Date
}): Embedders {
  /** The owners taken to be on the configured embedder, and until when. */
  const onCurrent = new Map<string, Pick<SearchSettings, 'large'> & { until: number }>()
  const built = new Map<string, Embedder | null>()

  function remember(ownerId: string, { large }: SearchSettings): void {
    if (onCurrent.size >= MAX_REMEMBERED) onCurrent.clear()
    onCurrent.set(ownerId, { large, until: now().getTime() + REMEMBERED_MS })
  }

  function known(ownerId: string): Pick<SearchSettings, 'large'> | undefined {
    const found = onCurrent.get(ownerId)
    return found && found.until > now().getTime() ? found : undefined
  }

  function find(id: string): Embedder | null {
    if (id === current.id) return current
    const found = built.get(id) ?? build(id)
    built.set(id, found)
    return found
  }

  async function readSettings(tx: Tx, ownerId: string, names: string[]): Promise<SearchSettings> {
    const settings = await readSearchSettings(tx, ownerId, names)
    const { model, nextModel } = settings
    if (model === current.id && nextModel === null) remember(ownerId, settings)
    else if (model !== null && nextModel !== current.id) {
      await beginSwitch(tx, queue, ownerId, model, current.id)
    }
    return settings
  }

  function forSearch({ model }: SearchSettings): Embedder {
    return (model === null ? null : find(model)) ?? current
  }

  return {
    current,
    known,
    readSettings,
    forSearch,
    async inUse(ownerId) {
      if (known(ownerId)) return current
      return forSearch(await database.inOwner(ownerId, (tx) => readSettings(tx, ownerId, [])))
    },
    async forWriting(ownerId) {
      if (known(ownerId)) return [current]
      const { model } = await database.inOwner(ownerId, async (tx) => {
        const settings = await readSettings(tx, ownerId, [])
        if (settings.model === null) await noteModel(tx, ownerId, current.id)
        return settings
      })
      const old = model === null || model === current.id ? null : find(model)
      return old ? [old, current] : [current]
    }
  }
}
