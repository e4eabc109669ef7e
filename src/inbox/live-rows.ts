// A projection's row as it is stored beside the row as it should be, both as plain values that can be compared.
import { type Json, storableJson, storableText } from "../base/text.ts";
import type { Queryable } from "../db/database.ts";
import type { FoldedRow } from "../projections/fold.ts";
import type { ObjectKey } from "../projections/observation.ts";
import { compareIds } from "../projections/order.ts";
import type { ChildTable, ColumnType, ColumnValue, Projection } from "../projections/projection.ts";
import { hasTypeColumn, keptText } from "./projection-tables.ts";

/** Columns by name; of a child table, its rows by id. Times are ISO 8601 strings. */
export type RowValues = Record<string, unknown>;

/** The stored row of an object with its children, or null. */
export async function loadLiveRow(tx: Queryable, projection: Projection, key: ObjectKey): Promise<RowValues | null> {
  const typed = hasTypeColumn(projection) ? "and object_type = $4" : "and $4::text is not null";
  const { rows } = await tx.query({
    text: `select * from ${projection.table} where livemode = $1 and stripe_account = $2 and id = $3 ${typed}`,
    values: [key.livemode, key.account, key.objectId, key.objectType],
  });
  const [row] = rows;
  if (row === undefined) return null;
  const values = comparable(row);
  for (const child of projection.children ?? []) values[child.table] = await loadChildren(tx, child, key);
  return values;
}

async function loadChildren(tx: Queryable, child: ChildTable, key: ObjectKey): Promise<RowValues[]> {
  const { rows } = await tx.query({
    text: `select ${["id", "tenant_id", ...Object.keys(child.columns)].join(", ")} from ${child.table}
           where livemode = $1 and stripe_account = $2 and ${child.parentColumn} = $3`,
    values: [key.livemode, key.account, key.objectId],
  });
  return rows.map(comparable).sort(byId);
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
      .map((one) => ({ id: storableText(one.id), tenant_id: tenant, ...readBack(child.columns, one as Record<string, ColumnValue | undefined>) }))
      .sort(byId);
  }
  return values;
}

function byId(a: RowValues, b: RowValues): number {
  return compareIds(String(a["id"]), String(b["id"]));
}

function readBack(columns: Record<string, ColumnType>, row: Readonly<Record<string, ColumnValue | undefined>>): RowValues {
  return Object.fromEntries(Object.entries(columns).map(([name, type]) => [name, readBackValue(type, row[name] ?? null)]));
}

function readBackValue(type: ColumnType, value: ColumnValue): unknown {
  if (value === null) return null;
  if (type === "time") return new Date((value as number) * 1000).toISOString();
  if (type === "json") return sortKeys(JSON.parse(JSON.stringify(storableJson(value as Json))));
  if (type === "text") return storableText(String(value as string | number));
  if (type === "decimal") return canonicalDecimal(String(value as string | number));
  return value;
}

function comparable(row: RowValues): RowValues {
  return Object.fromEntries(Object.entries(row).map(([name, value]) => [name, value instanceof Date ? value.toISOString() : sortKeys(value)]));
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
