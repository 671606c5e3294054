/** What `drizzle-kit generate` reads; CONTRIBUTING says how to run it. */
export default {
  dialect: 'postgresql',
  schema: ['./src/**/tables.ts', './src/db/idempotency-table.ts'],
  out: './migrations'
}
