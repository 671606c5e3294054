import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'
import { ConfigSchema } from './src/config.ts'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts', 'clients/{sdk,web}/**/*.test.ts'],
    globalSetup: 'test/support/global-setup.ts',
    // Each worker may hold an embedded database of 0.6 GB.
    maxWorkers: Math.max(2, Math.min(3, availableParallelism() - 1)),
    // A step of a test may wait for a child process or a new database on a busy machine.
    testTimeout: 30_000,
    hookTimeout: 60_000,
    // The settings of the shell it is run from must not reach a test: an empty one is one that is not set.
    env: Object.fromEntries(Object.keys(ConfigSchema.properties).map((name) => [name, '']))
  }
})
