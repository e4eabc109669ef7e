// The schema as text: every table with its columns, keys and indexes, the same from both databases. What reviews read.
import type { Queryable } from "../src/db/database.ts";

/** Partitions are left out: they come and go with the months. */
export async function schemaText(database: Queryable): Promise<string> {
  const { rows: columns } = await database.query<{ table: string; line: string }>(COLUMNS);
  const { rows: constraints } = await database.query<{ table: string; line: string }>(CONSTRAINTS);
  const { rows: indexes } = await database.query<{ table: string; line: string }>(INDEXES);
  const tables = [...new Set(columns.map((column) => column.table))];
  const linesOf = (rows: { table: string; line: string }[], table: string): string[] =>
    rows.filter((row) => row.table === table).map((row) => `  ${row.line}`);
  const blocks = tables.map((table) =>
    [table, ...linesOf(columns, table), ...linesOf(constraints, table), ...linesOf(indexes, table)].join("\n"),
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
