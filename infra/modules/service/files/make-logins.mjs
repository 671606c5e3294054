// Makes PAI's two logins, or gives them the passwords that the secrets hold now. Safe to repeat.
// Signs in as the master: PGHOST, PGDATABASE, PGUSER, PGPASSWORD.
import pg from 'pg'

const { DATABASE_URL, PAI_MIGRATION_DATABASE_URL, PGDATABASE } = process.env
const read = (url) => ({
  name: decodeURIComponent(new URL(url).username),
  password: decodeURIComponent(new URL(url).password)
})
const ssl = process.env.PGSSLMODE === 'disable' ? false : { rejectUnauthorized: true }
const client = new pg.Client({ ssl, application_name: 'pai logins' })
await client.connect()
try {
  // A failure must not show a password: the server would log the statement, and so would whoever catches the error.
  await client.query("SET log_min_error_statement = 'panic'").catch(() => {})
  for (const { name, password, rights } of [
    { ...read(DATABASE_URL), rights: 'NOCREATEROLE' },
    { ...read(PAI_MIGRATION_DATABASE_URL), rights: 'CREATEROLE' }
  ]) {
    const { rows } = await client.query('SELECT FROM pg_roles WHERE rolname = $1', [name])
    const verb = rows.length > 0 ? 'ALTER' : 'CREATE'
    await client.query(
      `${verb} ROLE ${pg.escapeIdentifier(name)} LOGIN NOCREATEDB ${rights} PASSWORD ${pg.escapeLiteral(password)}`
    )
  }
  const migrator = pg.escapeIdentifier(read(PAI_MIGRATION_DATABASE_URL).name)
  // Only a superuser's hand, or RDS' master, may install it.
  await client.query('CREATE EXTENSION IF NOT EXISTS vector')
  await client.query(`GRANT ${migrator} TO CURRENT_USER`)
  await client.query(`ALTER DATABASE ${pg.escapeIdentifier(PGDATABASE)} OWNER TO ${migrator}`)
  console.log('The logins are ready')
} catch (error) {
  console.error(`The logins could not be made: SQLSTATE ${error.code ?? 'none'}`)
  process.exitCode = 1
} finally {
  await client.end()
}
