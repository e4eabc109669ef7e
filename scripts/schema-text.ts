// The schema as text: every table with its columns, keys, indexes and who may see its rows, the same from both databases. What reviews read.
import type { Queryable } from "../src/db/database.ts";

/** Partitions are left out: they come and go with the months. */
export async function schemaText(database: Queryable): Promise<string> {
  const { rows: columns } = await database.query<{ table: string; line: string }>(COLUMNS);
  const { rows: constraints } = await database.query<{ table: string; line: string }>(CONSTRAINTS);
  const { rows: indexes } = await database.query<{ table: string; line: string }>(INDEXES);
  const { rows: isolation } = await database.query<{ table: string; line: string }>(ISOLATION);
  const { rows: grants } = await database.query<{ table: string; line: string }>(GRANTS);
  const tables = [...new Set(columns.map((column) => column.table))];
  const linesOf = (rows: { table: string; line: string }[], table: string): string[] =>
    rows.filter((row) => row.table === table).map((row) => `  ${row.line}`);
  const blocks = tables.map((table) =>
    [table, ...[columns, constraints, indexes, isolation, grants].flatMap((rows) => linesOf(rows, table))].join("\n"),
  );
  return `Every table, made by \`npm run generate\` from the migrations; do not edit.\n\n${blocks.join("\n\n")}\n`;
}

const TABLES =
  "class.relkind in ('r', 'p') and not class.relispartition and class.relnamespace = 'public'::regnamespace";

const COLUMNS = `
  select class.relname as table,
         attribute.attname || ' ' || format_type(attribute.atttypid, attribute.atttypmod)
           || case when attribute.attcollation <> type.typcollation then ' collate "C"' else '' end
           || case when attribute.attnotnull then ' not null' else '' end
           || case when attribute.attidentity <> '' then ' identity' else '' end
           || coalesce(' default ' || pg_get_expr(def.adbin, def.adrelid), '') as line
  from pg_class as class
  join pg_attribute as attribute on attribute.attrelid = class.oid and attribute.attnum > 0 and not attribute.attisdropped
  join pg_type as type on type.oid = attribute.atttypid
  left join pg_attrdef as def on def.adrelid = class.oid and def.adnum = attribute.attnum
  where ${TABLES}
  order by class.relname collate "C", attribute.attnum`;

// Since PostgreSQL 18 "not null" is a constraint too; the columns say it already.
const CONSTRAINTS = `
  select class.relname as table, pg_get_constraintdef(con.oid) as line
  from pg_constraint as con join pg_class as class on class.oid = con.conrelid
  where ${TABLES} and con.contype <> 'n'
  order by class.relname collate "C", con.contype, con.conname collate "C"`;

const INDEXES = `
  select class.relname as table, replace(replace(pg_get_indexdef(ind.indexrelid), ' ON ONLY ', ' ON '), 'public.', '') as line
  from pg_index as ind
  join pg_class as class on class.oid = ind.indrelid
  join pg_class as index_class on index_class.oid = ind.indexrelid
  where ${TABLES} and not exists (select from pg_constraint as con where con.conindid = ind.indexrelid)
  order by class.relname collate "C", index_class.relname collate "C"`;

// Who sees which rows. The owner has another name on each server; the tenant is a setting of the transaction.
const ISOLATION = `
  select relname as table, 'ROWS ' || forced || coalesce(string_agg('of ' || roles || ': ' || replace(
           regexp_replace(owned, '\\s+', ' ', 'g'), 'current_setting(''billhook.tenant''::text, true)', ':tenant')
             || case when owned is distinct from written then ' writes ' || written else '' end,
           '; ' order by roles), 'of nobody') as line
  from (
    select class.relname, case when class.relforcerowsecurity then '' else 'not forced ' end as forced,
           (select string_agg(case role when class.relowner then 'the owner' else pg_get_userbyid(role) end, ', ')
            from unnest(policy.polroles) as role) || case policy.polcmd when '*' then '' else ' for ' || policy.polcmd::text end as roles,
           pg_get_expr(policy.polqual, policy.polrelid) as owned, pg_get_expr(policy.polwithcheck, policy.polrelid) as written
    from pg_class as class left join pg_policy as policy on policy.polrelid = class.oid
    where ${TABLES} and class.relrowsecurity
  ) as isolated
  group by relname, forced order by relname collate "C"`;

const GRANTS = `
  select relname as table,
         'GRANT ' || string_agg(lower(privilege) || columns, ', ' order by privilege) || ' TO billhook_tenant' as line
  from (
    select class.relname, acl.privilege_type as privilege, '' as columns
    from pg_class as class cross join aclexplode(class.relacl) as acl
    where ${TABLES} and acl.grantee = to_regrole('billhook_tenant')
    union all
    select class.relname, acl.privilege_type, ' (' || string_agg(attribute.attname, ', ' order by attribute.attnum) || ')'
    from pg_class as class join pg_attribute as attribute on attribute.attrelid = class.oid and not attribute.attisdropped
    cross join aclexplode(attribute.attacl) as acl
    where ${TABLES} and acl.grantee = to_regrole('billhook_tenant')
    group by class.relname, acl.privilege_type
  ) as granted
  group by relname order by relname collate "C"`;
