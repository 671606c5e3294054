import pg from 'pg'
import type { Connection } from './client.ts'

/** pai_owner owns and migrates, pai_app does the work, pai_system owns the functions that look across owners. */
const ROLES = ['pai_owner', 'pai_app', 'pai_system']

/**
 * Makes what the migrations stand on: the roles, the extension, the rights of pai_owner. Safe to repeat, and cheap when
 * nothing is missing. `appUser` is the login the service works with, where another one migrates.
 */
export async function prepareRoles(client: Connection, appUser: string | null): Promise<void> {
  for (const role of ROLES) {
    // Roles belong to the whole server, so another database's first start may be making them at this moment.
    await client.query(`DO $$ BEGIN CREATE ROLE ${role} NOLOGIN;
      EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$`)
    await grantMembership(client, role, 'CURRENT_USER')
  }
  await grantMembership(client, 'pai_system', 'pai_owner')
  if (appUser) await grantMembership(client, 'pai_app', appUser)
  await client.query('CREATE EXTENSION IF NOT EXISTS vector')
  await client.query(`DO $$ BEGIN
    EXECUTE format('GRANT CREATE ON DATABASE %I TO pai_owner', current_database());
  END $$`)
  await client.query('GRANT ALL ON SCHEMA public TO pai_owner')
  await client.query('GRANT USAGE ON SCHEMA public TO pai_app, pai_system')
  await client.query('CREATE SCHEMA IF NOT EXISTS system AUTHORIZATION pai_system')
}

async function grantMembership(client: Connection, role: string, member: string): Promise<void> {
  const who = member === 'CURRENT_USER' ? 'current_user' : pg.escapeLiteral(member)
  // From PostgreSQL 16 on, a login that makes a role is its member and yet may not act as it.
  const known = await client.query<{ able: boolean }>(`SELECT pg_has_role(${who}, '${role}',
    CASE WHEN current_setting('server_version_num')::int < 160000 THEN 'MEMBER' ELSE 'SET' END) AS able`)
  if (known.rows[0]?.able) return
  const grantee = member === 'CURRENT_USER' ? member : pg.escapeIdentifier(member)
  // Two first starts may grant at once: PostgreSQL then reports a concurrent update of its catalogue.
  await client.query(`DO $$ BEGIN GRANT ${role} TO ${grantee};
    EXCEPTION WHEN unique_violation OR internal_error THEN NULL; END $$`)
}
