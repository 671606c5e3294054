import pg from 'pg'

/**
 * Loaded into a process ahead of PAI, and into no other: ends it as kill -9 does, at its statement of this number, counted
 * from 0. Every second time the statement is on its way to the database by then.
 */
const dieAt = Number(process.env.PAI_FAULTS_DIE_AT ?? Number.POSITIVE_INFINITY)
let count = 0
const die = () => process.kill(process.pid, 'SIGKILL')
const query = pg.Client.prototype.query as (...given: unknown[]) => unknown

pg.Client.prototype.query = function queryUntilDead(this: pg.Client, ...given: unknown[]) {
  const number = count++
  if (number === dieAt && number % 2 === 0) die()
  if (number === dieAt) setImmediate(die)
  return query.apply(this, given)
} as typeof pg.Client.prototype.query

// Whoever asks hears how many statements there were so far, and one that ends by itself says it.
process.on('message', () => process.send?.(count))
process.on('exit', () => console.error(`${count} statements`))
process.channel?.unref()
