import type { Database } from '../../src/db/client.ts'

const OURS = ['public', 'system', 'migrations']

/** Everything the migrations made, a line each: two databases with the same lines have the same schema. */
export async function schemaOf(database: Database, schemas = OURS): Promise<string[]> {
  const { rows } = await database.pool.query<{ line: string }>(
    `
    WITH ours AS (SELECT oid, nspname FROM pg_namespace WHERE nspname = ANY($1)),
    -- What the extension brings is its own business, and differs from version to version.
    foreigner AS (SELECT objid FROM pg_depend WHERE deptype = 'e')
    SELECT concat_ws(' ', 'relation', nspname, relname, relkind, pg_get_userbyid(relowner), relrowsecurity,
                     relforcerowsecurity, ${withoutOwner('relacl')}) AS line
      FROM pg_class JOIN ours ON ours.oid = relnamespace WHERE relkind IN ('r', 'p', 'v', 'S')
    UNION ALL
    SELECT concat_ws(' ', 'column', attrelid::regclass, attname, format_type(atttypid, atttypmod), attnotnull,
                     pg_get_expr(adbin, adrelid), attacl::text)
      FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid JOIN ours ON ours.oid = relnamespace
      LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
     WHERE attnum > 0 AND NOT attisdropped AND relkind IN ('r', 'p')
    UNION ALL
    -- PostgreSQL 18 names NOT NULL as a constraint, 15 does not.
    SELECT concat_ws(' ', 'constraint', conrelid::regclass, conname, pg_get_constraintdef(pg_constraint.oid))
      FROM pg_constraint JOIN ours ON ours.oid = connamespace WHERE contype <> 'n'
    UNION ALL
    SELECT indexdef FROM pg_indexes JOIN ours ON nspname = schemaname
    UNION ALL
    SELECT concat_ws(' ', 'policy', tablename, policyname, permissive, roles::text, cmd, qual, with_check) FROM pg_policies
    UNION ALL
    SELECT concat_ws(' ', 'trigger', pg_get_triggerdef(pg_trigger.oid))
      FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid JOIN ours ON ours.oid = relnamespace WHERE NOT tgisinternal
    UNION ALL
    SELECT concat_ws(' ', 'function', pg_get_userbyid(proowner), proacl::text, pg_get_functiondef(pg_proc.oid))
      FROM pg_proc JOIN ours ON ours.oid = pronamespace
     WHERE prokind = 'f' AND pg_proc.oid NOT IN (SELECT objid FROM foreigner)
    ORDER BY 1`,
    [schemas]
  )
  return rows.map(({ line }) => line)
}

/** A new version of PostgreSQL may have a new right that an owner has of itself. */
function withoutOwner(acl: string): string {
  return `regexp_replace(${acl}::text, '(pai_owner|pai_system)=[a-zA-Z]+/\\1', '')`
}
