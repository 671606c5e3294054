import { evalLocomo } from './locomo.ts'

const EVALS: Record<string, (args: string[]) => Promise<void>> = { locomo: evalLocomo }

const [name = '', ...args] = process.argv.slice(2)
const evaluate = EVALS[name]
if (!evaluate) {
  console.error(`Name an evaluation: npm run eval -- ${Object.keys(EVALS).join(' | ')}`)
  process.exit(2)
}
await evaluate(args)
