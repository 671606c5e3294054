import { registerHooks } from 'node:module'
import { resolveQuickly } from '../../src/resolve-quickly.ts'

// Loads PAI, quickly or as always, and prints what every import of a module led to.
if (process.argv[2] === 'quickly') resolveQuickly()
const resolutions: Record<string, string> = {}
registerHooks({
  resolve(specifier, context, nextResolve) {
    const { url, format } = nextResolve(specifier, context)
    resolutions[`${specifier} in ${context.parentURL}`] = `${url} (${format})`
    return { url, format, shortCircuit: true }
  }
})
await import('../../src/run.ts')
process.stdout.write(JSON.stringify(resolutions), () => process.exit(0))
