import { customType, timestamp } from 'drizzle-orm/pg-core'
import pgvector from 'pgvector'

/** `timestamptz` to the millisecond, as a Date holds it: a moment read and given back is the same moment. */
export const moment = (name: string) => timestamp(name, { withTimezone: true, mode: 'date', precision: 3 })

/** `bytea`: hashes of secrets, and files. */
export const bytes = customType<{ data: Buffer; driverData: Buffer }>({ dataType: () => 'bytea' })

/**
 * pgvector's half-precision vector without a dimension: vectors of several models live in one column, and each
 * model's index casts to its own dimension.
 */
export const vector = customType<{ data: number[]; driverData: string }>({
  dataType: () => 'halfvec',
  toDriver: (value) => pgvector.toSql(value) as string,
  fromDriver: (value) => pgvector.fromSql(value) as number[]
})
