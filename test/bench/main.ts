import { benchHttp } from './http.ts'
import { type Figure, report } from './report.ts'
import { benchTurn } from './turn.ts'

const BENCHES: Record<string, () => Promise<Figure[]>> = { http: benchHttp, turn: benchTurn }

const name = process.argv[2] ?? ''
const bench = BENCHES[name]
if (!bench) {
  console.error(`Name a bench: npm run bench -- ${Object.keys(BENCHES).join(' | ')}`)
  process.exit(2)
}
const met = report(name, await bench())
process.exitCode = met ? 0 : 1
