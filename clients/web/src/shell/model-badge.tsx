/** The part of "provider:model" a person cares for. */
export const nameOf = (model: string) => model.slice(model.indexOf(':') + 1)

/** A model by its name; the whole id is in the tooltip. */
export function ModelName({ model }: { model: string }) {
  if (model === 'offline') {
    return (
      <span className="rounded-full bg-honey px-2 py-0.5 text-xs font-semibold text-on-honey">offline</span>
    )
  }
  return (
    <span className="max-w-28 shrink-0 truncate text-sm text-muted sm:max-w-56" title={model}>
      {nameOf(model)}
    </span>
  )
}
