// A projection's row as it is stored beside the row as it should be, both as plain values that can be compared.
import { type Json, storableJson, storableText } from "../base/text.ts";
import type { Queryable } from "../db/database.ts";
import type { FoldedRow } from "../projections/fold.ts";
import { type ObjectKey, objectKeyText } from "../projections/observation.ts";
import { compareIds } from "../projections/order.ts";
import type { ColumnType, ColumnValue, Projection } from "../projections/projection.ts";
import { projectionOf } from "../projections/registry.ts";
import { hasTypeColumn, keptText, keyArrays } from "./projection-tables.ts";

/** Columns by name; of a child table, its rows by id. Times are ISO 8601 strings. */
export type RowValues = Record<string, unknown>;

/** The stored rows of these objects, with their children, by object key text. */
export async function loadLiveRows(tx: Queryable, keys: readonly ObjectKey[]): Promise<Map<string, RowValues>> {
  const byProjection = new Map<Projection, ObjectKey[]>();
  for (const key of keys) {
    const projection = projectionOf(key.objectType);
    byProjection.set(projection, [...(byProjection.get(projection) ?? []), key]);
  }
  const live = new Map<string, RowValues>();
  for (const [projection, wanted] of byProjection) await loadRowsOf(tx, projection, wanted, live);
  return live;
}

/** One object's stored row with its children, or null. */
export async function loadLiveRow(tx: Queryable, key: ObjectKey): Promise<RowValues | null> {
  return (await loadLiveRows(tx, [key])).get(objectKeyText(key)) ?? null;
}

/** Stored rows of objects that the inbox does not know, after a key, in key order. There should be none. */
export async function nextOrphans(
  tx: Queryable,
  projection: Projection,
  after: ObjectKey | undefined,
  limit: number,
): Promise<ObjectKey[]> {
  const type = hasTypeColumn(projection) ? "stored.object_type" : "$6::text";
  const { rows } = await tx.query<ObjectKey>({
    text: `select stored.livemode, stored.stripe_account as account, ${type} as "objectType", stored.id as "objectId"
           from ${projection.table} as stored
           where (stored.id, ${type}, stored.stripe_account, stored.livemode) > ($1, $2, $3, $4) and $6::text is not null
             and not exists (
               select from stripe_events as event
               where event.object_id = stored.id and event.livemode = stored.livemode
                 and event.stripe_account = stored.stripe_account and event.object_type = ${type})
           order by stored.id, ${type}, stored.stripe_account, stored.livemode limit $5`,
    values: [
      after?.objectId ?? "",
      after?.objectType ?? "",
      after?.account ?? "",
      after?.livemode ?? false,
      limit,
      projection.objects[0],
    ],
  });
  return rows;
}

async function loadRowsOf(
  tx: Queryable,
  projection: Projection,
  keys: readonly ObjectKey[],
  live: Map<string, RowValues>,
): Promise<void> {
  const sameType = hasTypeColumn(projection) ? "and stored.object_type = wanted.object_type" : "";
  const { rows } = await tx.query<RowValues>({
    text: `select ${WANTED_KEY}, stored.* from ${WANTED} join ${projection.table} as stored
           on stored.livemode = wanted.livemode and stored.stripe_account = wanted.stripe_account and stored.id = wanted.id ${sameType}`,
    values: keyArrays(keys),
  });
  for (const { wanted_key: text, ...row } of rows) live.set(String(text), comparable(row));
  for (const child of projection.children ?? []) {
    for (const row of live.values()) row[child.table] ??= [];
    const children = await tx.query<RowValues>({
      text: `select ${WANTED_KEY}, stored.id, stored.tenant_id, ${Object.keys(child.columns)
        .map((name) => `stored.${name}`)
        .join(", ")}
             from ${WANTED} join ${child.table} as stored
             on stored.livemode = wanted.livemode and stored.stripe_account = wanted.stripe_account and stored.${child.parentColumn} = wanted.id
             order by stored.id collate "C"`,
      values: keyArrays(keys),
    });
    for (const { wanted_key: text, ...row } of children.rows) {
      const parent = live.get(String(text));
      if (parent !== undefined) parent[child.table] = [...(parent[child.table] as RowValues[]), comparable(row)];
    }
  }
}

/** What a folded row must look like when it is read back. Leaves out `updated_at`, which is ours and not Stripe's. */
export function rowValues(row: FoldedRow, tenant: string | null): RowValues {
  const values: RowValues = {
    tenant_id: tenant,
    deleted: row.deleted,
    ...readBack(row.projection.columns, row.columns),
    data: JSON.stringify(row.head.object),
    head_standing: row.order.standing,
    head_created: row.order.created,
    head_kind: row.order.kind,
    head_event_id: row.head.id,
    order_ambiguous: row.ambiguous,
    unread_fields: row.unread,
    kept: Object.keys(row.kept).length === 0 ? null : keptText(row.kept),
  };
  for (const child of row.projection.children ?? []) {
    const children = child.rows(row.head.object);
    values[child.table] = [...new Map(children.map((one) => [one.id, one])).values()]
      .map((one) => ({
        id: storableText(one.id),
        tenant_id: tenant,
        ...readBack(child.columns, one as Record<string, ColumnValue | undefined>),
      }))
      .sort(byId);
  }
  return values;
}

function byId(a: RowValues, b: RowValues): number {
  return compareIds(String(a.id), String(b.id));
}

function readBack(
  columns: Record<string, ColumnType>,
  row: Readonly<Record<string, ColumnValue | undefined>>,
): RowValues {
  return Object.fromEntries(
    Object.entries(columns).map(([name, type]) => [name, readBackValue(type, row[name] ?? null)]),
  );
}

function readBackValue(type: ColumnType, value: ColumnValue): unknown {
  if (value === null) return null;
  if (type === "time") return new Date((value as number) * 1000).toISOString();
  if (type === "json") return sortKeys(JSON.parse(JSON.stringify(storableJson(value as Json))));
  if (typeof value === "object" || (type !== "text" && type !== "decimal")) return value;
  return type === "text" ? storableText(String(value)) : canonicalDecimal(String(value));
}

function comparable(row: RowValues): RowValues {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [name, value instanceof Date ? value.toISOString() : sortKeys(value)]),
  );
}

/** jsonb keeps its own key order. */
function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => compareIds(a, b))
      .map(([name, inner]) => [name, sortKeys(inner)]),
  );
}

/** numeric reads "07.50" back as "7.50". */
function canonicalDecimal(text: string): string {
  return text.replace(/^(-?)0+(?=\d)/, "$1");
}

const WANTED =
  "unnest($1::boolean[], $2::text[], $3::text[], $4::text[]) as wanted (livemode, stripe_account, object_type, id)";
// The same text as objectKeyText().
const WANTED_KEY = `
  case when wanted.livemode then 'live' else 'test' end
    || '|' || wanted.stripe_account || '|' || wanted.object_type || '|' || wanted.id as wanted_key`;
