// Reads and writes the projections' tables, whatever they are: the SQL is made from each projection's columns.
// Owns every table that projections/registry.ts names, and their child tables.
import { type Json, storableJson, storableText } from "../base/text.ts";
import { bigintArray, booleanArray, textArray } from "../db/arrays.ts";
import type { Queryable, Statement } from "../db/database.ts";
import type { FoldedRow, Kept, StoredHead } from "../projections/fold.ts";
import { type ObjectKey, objectKeyText } from "../projections/observation.ts";
import { compareIds } from "../projections/order.ts";
import type { ChildTable, ColumnType, ColumnValue, Projection } from "../projections/projection.ts";
import { PROJECTIONS } from "../projections/registry.ts";

/**
 * The heads that are stored for these keys, by object key text. Must be asked in a later statement than the one that locked
 * them. A batch that meets many tables asks them all in one statement.
 */
export async function loadHeads(
  tx: Queryable,
  wanted: ReadonlyMap<Projection, readonly ObjectKey[]>,
): Promise<Map<string, StoredHead>> {
  const keys = [...wanted.values()].flat();
  const asked =
    wanted.size < ASKED_TOGETHER
      ? [...wanted].map(([projection, own]) => loadHeadsOf(tx, projection, own))
      : [loadHeadsOfAll(tx, wanted, keys)];
  const heads = new Map<string, StoredHead>();
  for (const { of, rows } of await Promise.all(asked)) {
    for (const row of rows) {
      const key = of[row.number - 1];
      if (key !== undefined) heads.set(objectKeyText(key), storedHead(row));
    }
  }
  return heads;
}

/** So many tables cost more to ask one by one than all of them at once. */
const ASKED_TOGETHER = 4;

interface HeadsRead {
  of: readonly ObjectKey[];
  rows: HeadRow[];
}

async function loadHeadsOf(tx: Queryable, projection: Projection, keys: readonly ObjectKey[]): Promise<HeadsRead> {
  const { rows } = await tx.query<HeadRow>({
    name: `load_heads_${projection.table}`,
    text: sqlOf(projection).loadHeads,
    values: keyArrays(keys),
  });
  return { of: keys, rows };
}

async function loadHeadsOfAll(
  tx: Queryable,
  wanted: ReadonlyMap<Projection, readonly ObjectKey[]>,
  keys: readonly ObjectKey[],
): Promise<HeadsRead> {
  const places = [...wanted].flatMap(([projection, own]) => own.map(() => PROJECTIONS.indexOf(projection)));
  const { rows } = await tx.query<HeadRow>({
    name: "load_heads",
    text: (loadAllHeads ??= loadAllHeadsSql()),
    values: [...keyArrays(keys), bigintArray(places)],
  });
  return { of: keys, rows };
}

/**
 * Writes folded rows, all of one projection, and replaces their children. Its statements are all on their way when it
 * returns, so that a caller may let the next table's follow without waiting.
 */
export async function writeRows(
  tx: Queryable,
  projection: Projection,
  rows: readonly FoldedRow[],
  tenantOf: (row: FoldedRow) => string | null,
): Promise<void> {
  if (rows.length === 0) return;
  const sorted = [...rows].sort((a, b) => compareKeys(a.key, b.key));
  const statements = [
    {
      name: `write_${projection.table}`,
      text: sqlOf(projection).upsert,
      values: rowArrays(projection, sorted, tenantOf),
    },
    ...(projection.children ?? []).flatMap((child) => replaceChildren(child, sorted, tenantOf)),
  ];
  await Promise.all(statements.map((statement) => tx.query(statement)));
}

/** Keys as parameters: livemode, account, object type, object id. */
export function keyArrays(keys: readonly ObjectKey[]): Buffer[] {
  return [
    booleanArray(keys.map((key) => key.livemode)),
    textArray(keys.map((key) => key.account)),
    textArray(keys.map((key) => key.objectType)),
    textArray(keys.map((key) => key.objectId)),
  ];
}

/** Removes the row of an object that the inbox does not know, with its children. */
export async function deleteRow(tx: Queryable, projection: Projection, key: ObjectKey): Promise<void> {
  const ofKind = hasTypeColumn(projection) ? [key.objectType] : [];
  for (const child of projection.children ?? []) {
    await tx.query({
      text: `delete from ${child.table} where livemode = $1 and stripe_account = $2 and ${child.parentColumn} = $3`,
      values: [key.livemode, key.account, key.objectId],
    });
  }
  await tx.query({
    text: `delete from ${projection.table} where livemode = $1 and stripe_account = $2 and id = $3 ${ofKind.length > 0 ? "and object_type = $4" : ""}`,
    values: [key.livemode, key.account, key.objectId, ...ofKind],
  });
}

/** What we knew of an account is its new tenant's now, as a rebuild would say. Returns whether there was anything. */
export async function giveAccountRows(
  tx: Queryable,
  { livemode, account, tenantId }: { livemode: boolean; account: string; tenantId: string },
): Promise<boolean> {
  const tables = PROJECTIONS.flatMap(({ table, children = [] }) => [table, ...children.map((child) => child.table)]);
  const values = [livemode, account, tenantId];
  // In the reducer's order: the two never wait for each other crosswise.
  const given = await Promise.all(tables.map((table) => tx.query({ text: giveSql(table), values })));
  return given.some(({ rowCount }) => rowCount > 0);
}

const giveSql = (table: string): string => `
  with own as (
    select id from ${table} where livemode = $1 and stripe_account = $2 and tenant_id is distinct from $3
    order by id collate "C" for update)
  update ${table} as known set tenant_id = $3 from own
  where known.livemode = $1 and known.stripe_account = $2 and known.id = own.id`;

/** The columns that every projection row has, as stored. Source: 0003_projections.sql. */
interface HeadRow {
  /** Of the key that was asked for, from 1. */
  number: number;
  head_standing: number;
  head_created: number;
  head_kind: number;
  head_event_id: string;
  kept: string | null;
  deleted: boolean;
}

function storedHead(row: HeadRow): StoredHead {
  return {
    order: { standing: row.head_standing, created: row.head_created, kind: row.head_kind },
    eventId: row.head_event_id,
    kept: row.kept === null ? {} : (JSON.parse(row.kept) as Kept),
    deleted: row.deleted,
  };
}

/** Rows are written sorted by unique key, so that two workers never wait for each other crosswise. */
function compareKeys(a: ObjectKey, b: ObjectKey): number {
  return (
    Number(a.livemode) - Number(b.livemode) ||
    compareIds(a.account, b.account) ||
    compareIds(a.objectType, b.objectType) ||
    compareIds(a.objectId, b.objectId)
  );
}

/** `stripe_objects` keeps many kinds in one table; its key names the kind. */
export function hasTypeColumn(projection: Projection): boolean {
  return projection.objects[0] === "*";
}

function rowArrays(
  projection: Projection,
  rows: readonly FoldedRow[],
  tenantOf: (row: FoldedRow) => string | null,
): Buffer[] {
  return [
    booleanArray(rows.map((row) => row.key.livemode)),
    textArray(rows.map((row) => row.key.account)),
    textArray(rows.map((row) => row.key.objectType)),
    textArray(rows.map((row) => row.key.objectId)),
    textArray(rows.map(tenantOf)),
    booleanArray(rows.map((row) => row.deleted)),
    ...Object.entries(projection.columns).map(([name, type]) =>
      columnArray(
        type,
        rows.map((row) => row.columns[name] ?? null),
      ),
    ),
    textArray(rows.map((row) => JSON.stringify(row.head.object))),
    bigintArray(rows.map((row) => row.order.standing)),
    bigintArray(rows.map((row) => row.order.created)),
    bigintArray(rows.map((row) => row.order.kind)),
    textArray(rows.map((row) => row.head.id)),
    booleanArray(rows.map((row) => row.ambiguous)),
    textArray(rows.map((row) => row.unread.join(","))),
    textArray(rows.map((row) => (Object.keys(row.kept).length === 0 ? null : keptText(row.kept)))),
  ];
}

/** Sorted, so that equal knowledge is equal text. */
export function keptText(kept: Kept): string {
  return storableText(JSON.stringify(Object.fromEntries(Object.entries(kept).sort(([a], [b]) => compareIds(a, b)))));
}

function columnArray(type: ColumnType, values: readonly ColumnValue[]): Buffer {
  if (type === "boolean") return booleanArray(values as (boolean | null)[]);
  if (type === "bigint" || type === "time") return bigintArray(values as (number | null)[]);
  if (type === "json")
    return textArray(values.map((value) => (value === null ? null : JSON.stringify(storableJson(value as Json)))));
  return textArray(values.map((value) => (value === null ? null : storableText(String(value as string | number)))));
}

function replaceChildren(
  child: ChildTable,
  parents: readonly FoldedRow[],
  tenantOf: (row: FoldedRow) => string | null,
): Statement[] {
  // A stub that says only "deleted" lists no children; those of a deleted parent go with it.
  const rows = parents.flatMap((parent) => child.rows(parent.head.object).map((row) => ({ parent, row })));
  const distinct = [
    ...new Map(rows.map((one) => [`${objectKeyText(one.parent.key)}|${one.row.id}`, one])).values(),
  ].sort((a, b) => compareKeys(a.parent.key, b.parent.key) || compareIds(a.row.id, b.row.id));
  const sql = childSqlOf(child);
  const clear = {
    name: `clear_${child.table}`,
    text: sql.clear,
    values: [
      booleanArray(parents.map((parent) => parent.key.livemode)),
      textArray(parents.map((parent) => parent.key.account)),
      textArray(parents.map((parent) => parent.key.objectId)),
    ],
  };
  if (distinct.length === 0) return [clear];
  const insert = {
    name: `write_${child.table}`,
    text: sql.insert,
    values: [
      booleanArray(distinct.map(({ parent }) => parent.key.livemode)),
      textArray(distinct.map(({ parent }) => parent.key.account)),
      textArray(distinct.map(({ row }) => storableText(row.id))),
      textArray(distinct.map(({ parent }) => parent.key.objectId)),
      textArray(distinct.map(({ parent }) => tenantOf(parent))),
      ...Object.entries(child.columns).map(([name, type]) =>
        columnArray(
          type,
          distinct.map(({ row }) => (row as Record<string, ColumnValue | undefined>)[name] ?? null),
        ),
      ),
    ],
  };
  return [clear, insert];
}

interface ProjectionSql {
  loadHeads: string;
  upsert: string;
}
const made = new Map<string, ProjectionSql>();

function sqlOf(projection: Projection): ProjectionSql {
  let sql = made.get(projection.table);
  if (sql === undefined)
    made.set(projection.table, (sql = { loadHeads: loadHeadsSql(projection), upsert: upsertSql(projection) }));
  return sql;
}

const HEAD_COLUMNS =
  "stored.head_standing, stored.head_created, stored.head_kind, stored.head_event_id, stored.kept, stored.deleted";

/** `limit 1` makes it a look-up by primary key: a plan made while the table was small would read all of it for every batch. */
function headLookUp(projection: Projection): string {
  const sameType = hasTypeColumn(projection) ? "and stored.object_type = wanted.object_type" : "";
  return `
    join lateral (
      select * from ${projection.table} as stored
      where stored.livemode = wanted.livemode and stored.stripe_account = wanted.stripe_account and stored.id = wanted.id ${sameType}
      limit 1) as stored on true`;
}

function loadHeadsSql(projection: Projection): string {
  return `
    select wanted.number, ${HEAD_COLUMNS}
    from unnest($1::boolean[], $2::text[], $3::text[], $4::text[]) with ordinality
      as wanted (livemode, stripe_account, object_type, id, number) ${headLookUp(projection)}`;
}

let loadAllHeads: string | undefined;

function loadAllHeadsSql(): string {
  const branches = PROJECTIONS.map(
    (projection, place) =>
      `select wanted.number, ${HEAD_COLUMNS} from wanted ${headLookUp(projection)} where wanted.place = ${place}`,
  );
  return `
    with wanted as materialized (
      select * from unnest($1::boolean[], $2::text[], $3::text[], $4::text[], $5::bigint[]) with ordinality
        as wanted (livemode, stripe_account, object_type, id, place, number))
    ${branches.join("\n union all\n")}`;
}

const ARRAY_TYPE: Record<ColumnType, string> = {
  text: "text",
  json: "text",
  decimal: "text",
  bigint: "bigint",
  time: "bigint",
  boolean: "boolean",
};
const FROM_ARRAY: Record<ColumnType, (column: string) => string> = {
  text: (column) => column,
  bigint: (column) => column,
  boolean: (column) => column,
  json: (column) => `${column}::jsonb`,
  decimal: (column) => `${column}::numeric`,
  time: (column) => `to_timestamp(${column})`,
};

interface SqlColumn {
  name: string;
  array: string;
  value: string;
  written: boolean;
}

function plain(name: string, array: string, value = `row.${name}`, written = true): SqlColumn {
  return { name, array, value, written };
}

function typed(columns: Record<string, ColumnType>): SqlColumn[] {
  return Object.entries(columns).map(([name, type]) => plain(name, ARRAY_TYPE[type], FROM_ARRAY[type](`row.${name}`)));
}

function upsertSql(projection: Projection): string {
  const columns = [
    plain("livemode", "boolean"),
    plain("stripe_account", "text"),
    plain("object_type", "text", "row.object_type", hasTypeColumn(projection)),
    plain("id", "text"),
    plain("tenant_id", "text"),
    plain("deleted", "boolean"),
    ...typed(projection.columns),
    plain("data", "text"),
    plain("head_standing", "bigint"),
    plain("head_created", "bigint"),
    plain("head_kind", "bigint"),
    plain("head_event_id", "text"),
    plain("order_ambiguous", "boolean"),
    plain("unread_fields", "text", "string_to_array(row.unread_fields, ',')"),
    plain("kept", "text"),
  ];
  const key = hasTypeColumn(projection)
    ? ["livemode", "stripe_account", "object_type", "id"]
    : ["livemode", "stripe_account", "id"];
  const written = columns.filter((column) => column.written);
  const changed = written.filter((column) => !key.includes(column.name));
  return `
    insert into ${projection.table} (${written.map((column) => column.name).join(", ")})
    select ${written.map((column) => column.value).join(", ")} from ${unnest(columns)}
    on conflict (${key.join(", ")}) do update
    set ${changed.map((column) => `${column.name} = excluded.${column.name}`).join(", ")}, updated_at = now()`;
}

const madeForChildren = new Map<string, { clear: string; insert: string }>();

function childSqlOf(child: ChildTable): { clear: string; insert: string } {
  let sql = madeForChildren.get(child.table);
  if (sql === undefined)
    madeForChildren.set(child.table, (sql = { clear: clearChildrenSql(child), insert: insertChildrenSql(child) }));
  return sql;
}

/** `offset 0` for the same reason as `limit 1` above. */
function clearChildrenSql(child: ChildTable): string {
  return `
    delete from ${child.table} as child
    using unnest($1::boolean[], $2::text[], $3::text[]) as parent (livemode, stripe_account, id)
      cross join lateral (
        select stored.ctid from ${child.table} as stored
        where stored.livemode = parent.livemode and stored.stripe_account = parent.stripe_account
          and stored.${child.parentColumn} = parent.id
        offset 0) as found
    where child.ctid = found.ctid`;
}

function insertChildrenSql(child: ChildTable): string {
  const columns = [
    plain("livemode", "boolean"),
    plain("stripe_account", "text"),
    plain("id", "text"),
    plain(child.parentColumn, "text"),
    plain("tenant_id", "text"),
    ...typed(child.columns),
  ];
  return `
    insert into ${child.table} (${columns.map((column) => column.name).join(", ")})
    select ${columns.map((column) => column.value).join(", ")} from ${unnest(columns)}`;
}

function unnest(columns: readonly SqlColumn[]): string {
  const arrays = columns.map((column, index) => `$${index + 1}::${column.array}[]`).join(", ");
  return `unnest(${arrays}) as row (${columns.map((column) => column.name).join(", ")})`;
}
