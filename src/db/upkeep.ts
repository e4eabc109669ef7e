// What autovacuum does on a server has to be asked for in the embedded database, which has none.
import type { Database } from "./database.ts";

/** A table is due when this many rows, and a tenth of it, are dead or changed since it was last looked at. */
const DUE_AFTER = 1000;

/**
 * Vacuums and analyses the tables that are due, one statement each, so that none holds the one session for long (87,000
 * dead rows of the queue: 0.13 s). Returns their names. Does nothing on a server.
 */
export async function keepUp(database: Database): Promise<string[]> {
  if (database.kind === "server") return [];
  const { rows } = await database.query<{ name: string }>({ text: DUE, values: [DUE_AFTER] });
  for (const { name } of rows) await database.query(`vacuum (analyze) ${name}`);
  return rows.map((row) => row.name);
}

/** Every table, once a day: each commit takes a transaction id, and only a vacuum gives them back. */
export async function keepUpAll(database: Database): Promise<void> {
  if (database.kind === "server") return;
  const { rows } = await database.query<{ name: string }>(
    "select quote_ident(relname) as name from pg_stat_user_tables order by relname",
  );
  for (const { name } of rows) await database.query(`vacuum (analyze) ${name}`);
}

const DUE = `
  select quote_ident(relname) as name from pg_stat_user_tables
  where greatest(n_dead_tup, n_mod_since_analyze) > $1 + n_live_tup / 10
  order by relname`;
