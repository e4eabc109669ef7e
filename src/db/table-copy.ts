// Whole tables as lines of text, and back: what a backup holds. Owns every table that is being filled from a copy, at a time
// when nobody else uses the database.
import { hash } from "node:crypto";

import { textArray } from "./arrays.ts";
import type { Queryable } from "./database.ts";

/** A table as it is copied. */
export interface TableShape {
  name: string;
  /** In their order. What the database computes by itself is left out. */
  columns: { name: string; /** As SQL names it. */ type: string }[];
}

/** How many rows, and the sum of their SHA-256 hashes: equal for the same rows in any order, in either kind of database. */
export interface Tally {
  rows: number;
  /** 64 hexadecimal digits. */
  sum: string;
}

export interface RowTally {
  add(line: string | Buffer): void;
  result(): Tally;
}

const LIMBS = 8;
/** So many numbers of 32 bits fit into one of 53. */
const CARRY_EVERY = 2 ** 20;

/**
 * Adds the rows' hashes modulo 2^256. A hash over rows in the order of their keys would differ with the collation, which is
 * the server's; a sum tells of each row that is missing, doubled or changed just the same.
 */
export function rowTally(): RowTally {
  let rows = 0;
  const limbs = new Float64Array(LIMBS);
  const carry = (): void => {
    for (let limb = LIMBS - 1; limb >= 0; limb--) {
      const value = limbs[limb] ?? 0;
      const low = value % 2 ** 32;
      limbs[limb] = low;
      if (limb > 0) limbs[limb - 1] = (limbs[limb - 1] ?? 0) + (value - low) / 2 ** 32;
    }
  };
  return {
    add: (line) => {
      const digest = hash("sha256", line, "buffer");
      for (let limb = 0; limb < LIMBS; limb++) limbs[limb] = (limbs[limb] ?? 0) + digest.readUInt32BE(limb * 4);
      rows += 1;
      if (rows % CARRY_EVERY === 0) carry();
    },
    result: () => {
      carry();
      return { rows, sum: Array.from(limbs, (limb) => limb.toString(16).padStart(8, "0")).join("") };
    },
  };
}

/**
 * The tables among `known` that are there, by name. Throws when one of them would show less than all of its rows, so that a
 * policy that was forgotten cannot leave anything out silently.
 */
export async function tableShapes(tx: Queryable, known: ReadonlySet<string>): Promise<TableShape[]> {
  const { rows } = await tx.query<{ name: string; columns: TableShape["columns"]; hidden: boolean }>(SHAPES);
  const ours = rows.filter(({ name }) => known.has(name));
  const hidden = ours.filter((table) => table.hidden).map(({ name }) => name);
  if (hidden.length > 0) {
    throw new Error(
      `Row-level security hides rows of ${hidden.join(", ")} from this login: use the login that owns the tables.`,
    );
  }
  return ours.map(({ name, columns }) => ({ name, columns }));
}

/** For the transaction that reads: nothing may cut it off, and text must come out the same whatever the server's defaults are. */
export async function prepareReading(tx: Queryable): Promise<void> {
  await tx.query("set transaction isolation level repeatable read, read only");
  await fixTextForms(tx);
}

export async function fixTextForms(tx: Queryable): Promise<void> {
  for (const setting of TEXT_FORMS) await tx.query(`set local ${setting}`);
}

const TEXT_FORMS = [
  "timezone = 'UTC'",
  "datestyle = 'ISO, YMD'",
  "intervalstyle = 'postgres'",
  "bytea_output = 'hex'",
  "extra_float_digits = 1",
  "statement_timeout = 0",
  "idle_in_transaction_session_timeout = 0",
];

/** About what one look at a cursor brings, in characters; a row of the largest event is a million. */
const BATCH_CHARACTERS = 2_000_000;
const MOST_ROWS = 2000;

/**
 * Every row of the table, each as one line: a JSON array of the columns' texts, null for NULL. In batches, the next one being
 * read while this one is used. One at a time in a transaction.
 */
export async function* linesOf(tx: Queryable, { name, columns }: TableShape): AsyncGenerator<string[]> {
  const texts = columns.map((column) => `${quoted(column.name)}::text`).join(", ");
  await tx.query(
    `declare table_copy no scroll cursor for select array_to_json(array[${texts}]::text[])::text as line from ${quoted(name)}`,
  );
  const look = async (rows: number): Promise<string[]> =>
    (await tx.query<{ line: string }>(`fetch forward ${String(rows)} from table_copy`)).rows.map(({ line }) => line);
  let asked = 50;
  let next = look(asked);
  for (;;) {
    const lines = await next;
    if (lines.length === 0) break;
    const characters = lines.reduce((sum, line) => sum + line.length, 0);
    asked = Math.max(1, Math.min(MOST_ROWS, 4 * asked, Math.floor((BATCH_CHARACTERS * lines.length) / characters)));
    next = look(asked);
    // Whoever stops here never asks how it ended.
    next.catch(() => undefined);
    yield lines;
  }
  await tx.query("close table_copy");
}

/** Inserts rows: for each, the texts of `columns` in their order. */
export async function fillTable(
  tx: Queryable,
  { name, columns }: TableShape,
  rows: readonly (readonly (string | null)[])[],
): Promise<void> {
  const names = columns.map((column) => quoted(column.name));
  const casts = columns.map((column, index) => `c${String(index)}::${column.type}`);
  const arrays = columns.map((_, index) => `$${String(index + 1)}::text[]`);
  const aliases = columns.map((_, index) => `c${String(index)}`);
  await tx.query({
    text: `insert into ${quoted(name)} (${names.join(", ")}) overriding system value
           select ${casts.join(", ")} from unnest(${arrays.join(", ")}) as line (${aliases.join(", ")})`,
    values: columns.map((_, index) => textArray(rows.map((row) => row[index]))),
  });
}

/** Count and sum of a table's rows as they stand in the database. */
export async function tallyOf(tx: Queryable, table: TableShape): Promise<Tally> {
  const tally = rowTally();
  for await (const lines of linesOf(tx, table)) for (const line of lines) tally.add(line);
  return tally.result();
}

/** The next values of identity columns, by table and column. */
export interface Counter {
  table: string;
  column: string;
  /** Null: never used. */
  last: string | null;
}

export async function readCounters(tx: Queryable, tables: readonly TableShape[]): Promise<Counter[]> {
  const { rows } = await tx.query<{ table: string; column: string; sequence: string }>(COUNTERS);
  const counters: Counter[] = [];
  for (const { table, column, sequence } of rows) {
    if (!tables.some(({ name }) => name === table)) continue;
    const { rows: found } = await tx.query<{ last: string | null }>(
      `select case when is_called then last_value::text end as last from ${sequence}`,
    );
    counters.push({ table, column, last: found[0]?.last ?? null });
  }
  return counters;
}

/** Goes on after the larger of what was counted and what is in the table. */
export async function setCounter(tx: Queryable, { table, column, last }: Counter): Promise<void> {
  const largest = `select greatest($2::bigint, max(${quoted(column)})) as value from ${quoted(table)}`;
  await tx.query({
    text: `select setval(pg_get_serial_sequence($1, '${column}'), value) from (${largest}) as counted where value is not null`,
    values: [quoted(table), last],
  });
}

/** `alter table` statements, to be run one by one: rows come in any order between the two lists. */
export interface Guards {
  drop: string[];
  /** Adding a foreign key again checks every row. */
  restore: string[];
}

/** Foreign keys and the triggers on inserts. */
export async function guardsOf(tx: Queryable): Promise<Guards> {
  const { rows: keys } = await tx.query<{ table: string; name: string; definition: string }>(FOREIGN_KEYS);
  const { rows: triggers } = await tx.query<{ table: string; name: string }>(INSERT_TRIGGERS);
  return {
    drop: [
      ...keys.map(({ table, name }) => `alter table ${table} drop constraint ${name}`),
      ...triggers.map(({ table, name }) => `alter table ${table} disable trigger ${name}`),
    ],
    restore: [
      ...keys.map(({ table, name, definition }) => `alter table ${table} add constraint ${name} ${definition}`),
      ...triggers.map(({ table, name }) => `alter table ${table} enable trigger ${name}`),
    ],
  };
}

export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

// Partitions are read and filled through their parent. What is not logged does not outlive a crash either.
const SHAPES = `
  select class.relname as name,
         (select json_agg(json_build_object(
                   'name', attribute.attname, 'type', format_type(attribute.atttypid, attribute.atttypmod))
                 order by attribute.attnum)
          from pg_attribute as attribute
          where attribute.attrelid = class.oid and attribute.attnum > 0 and not attribute.attisdropped
            and attribute.attgenerated = '') as columns,
         row_security_active(class.oid) and not exists (
           select from pg_policy as policy
           where policy.polrelid = class.oid and policy.polpermissive and policy.polcmd = '*'
             and pg_get_expr(policy.polqual, policy.polrelid) = 'true'
             and (0 = any (policy.polroles)
                  or exists (select from unnest(policy.polroles) as role where pg_has_role(current_user, role, 'MEMBER')))
         ) as hidden
  from pg_class as class
  where class.relnamespace = current_schema()::regnamespace and class.relkind in ('r', 'p')
    and not class.relispartition and class.relpersistence = 'p' and class.relname <> 'billhook_migrations'
  order by class.relname`;

const COUNTERS = `
  select class.relname as table, attribute.attname as column,
         pg_get_serial_sequence(class.oid::regclass::text, attribute.attname) as sequence
  from pg_attribute as attribute join pg_class as class on class.oid = attribute.attrelid
  where class.relnamespace = current_schema()::regnamespace and class.relkind in ('r', 'p') and not class.relispartition
    and attribute.attidentity <> '' and not attribute.attisdropped
  order by 1, 2`;

const FOREIGN_KEYS = `
  select conrelid::regclass::text as table, quote_ident(conname) as name, pg_get_constraintdef(oid) as definition
  from pg_constraint
  where contype = 'f' and conparentid = 0 and connamespace = current_schema()::regnamespace
  order by conrelid::regclass::text, conname`;

const INSERT_TRIGGERS = `
  select tgrelid::regclass::text as table, quote_ident(tgname) as name
  from pg_trigger join pg_class on pg_class.oid = tgrelid
  where not tgisinternal and tgparentid = 0 and tgenabled = 'O' and tgtype & 4 > 0
    and relnamespace = current_schema()::regnamespace
  order by 1, 2`;
