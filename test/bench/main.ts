import { benchHttp } from './http.ts'
import { benchJobs } from './jobs.ts'
import { benchMemoryScale } from './memory-scale.ts'
import { benchMix } from './mix.ts'
import { benchRecall } from './recall.ts'
import { type Figure, report } from './report.ts'
import { benchTurn } from './turn.ts'
import { benchWriteQuality } from './write-quality.ts'

const BENCHES: Record<string, (args: string[]) => Promise<Figure[]>> = {
  http: benchHttp,
  jobs: benchJobs,
  'memory-scale': benchMemoryScale,
  mix: benchMix,
  recall: benchRecall,
  turn: benchTurn,
  'write-quality': benchWriteQuality
}

const [name = '', ...args] = process.argv.slice(2)
const bench = BENCHES[name]
if (!bench) {
  console.error(`Name a bench: npm run bench -- ${Object.keys(BENCHES).join(' | ')}`)
  process.exit(2)
}
const met = report(name, await bench(args))
process.exitCode = met ? 0 : 1
