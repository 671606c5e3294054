import { Gauge, type Registry } from 'prom-client'
import type { Llm, ProviderState } from '../llm/model.ts'

const VALUES: Record<ProviderState['circuit'], number> = { closed: 0, 'half-open': 0.5, open: 1 }

/** Shows which providers fail and are left alone for a while. */
export function measureProviders(register: Registry, llm: Pick<Llm, 'providers'>): void {
  new Gauge({
    name: 'pai_model_provider_open',
    help: 'Whether a provider of models is left alone because it failed: 1 is, 0.5 is being tried again, 0 is not',
    labelNames: ['provider'],
    registers: [register],
    collect() {
      for (const { provider, circuit } of llm.providers()) this.set({ provider }, VALUES[circuit])
    }
  })
}
