// Any object that the inbox has seen, by Stripe's id alone: its row, and where else the same id is. Only reads.
import type { Queryable } from "../db/database.ts";
import { type ObjectKey, objectKeyText } from "../projections/observation.ts";
import { projectionOf } from "../projections/registry.ts";
import { addScope, conditions, type ScopeFilter } from "./list-query.ts";
import { loadLiveRows, type RowValues } from "./live-rows.ts";

/**
 * stored: there is a row · pending: an event or the object itself, asked of Stripe, waits to be processed · failed: what it
 * takes to make the row failed, and can be replayed · unrouted: it is of an account that no tenant has connected ·
 * unknown: events named it and none brought it, and Stripe was asked in vain or was not asked.
 */
export const ROW_STATUSES = ["stored", "pending", "failed", "unrouted", "unknown"] as const;
export type RowStatus = (typeof ROW_STATUSES)[number];

export interface FoundObject {
  key: ObjectKey;
  table: string;
  rowStatus: RowStatus;
  /** The row's columns; null unless stored. */
  row: Record<string, unknown> | null;
  /** The head's snapshot. */
  snapshot: unknown;
  /** The same id in other accounts, modes or kinds. */
  others: ObjectKey[];
}

/** One id may be in every connected account, such as a capability's: a row is looked for in so many of them. */
const MOST_LOOKED_AT = 100;

/** Where several places have the id: one that has a row, the platform's own before others, then the one seen last. */
export async function findObject(database: Queryable, id: string, scope: ScopeFilter): Promise<FoundObject | null> {
  const where = conditions();
  where.add("event.object_id = ?", id);
  addScope(where, "event", scope);
  const sql = `${SELECT_KEYS}${where.where()} ${BY_KEY}`;
  const { rows } = await database.query<Omit<ObjectKey, "objectId">>({ text: sql, values: where.values });
  const keys = rows.map((one): ObjectKey => ({ ...one, objectId: id }));
  const live = await loadLiveRows(database, keys.slice(0, MOST_LOOKED_AT));
  const key = keys.find((one) => live.has(objectKeyText(one))) ?? keys[0];
  if (key === undefined) return null;
  const others = keys.filter((one) => one !== key);
  const { table } = projectionOf(key.objectType);
  const row = live.get(objectKeyText(key));
  if (row === undefined)
    return { key, table, rowStatus: await whyNoRow(database, key), row: null, snapshot: null, others };
  return { key, table, rowStatus: "stored", ...shownOf(row), others };
}

function shownOf({ data, kept, ...row }: RowValues): Pick<FoundObject, "row" | "snapshot"> {
  const account = row.stripe_account === "" ? null : row.stripe_account;
  return { row: { ...row, stripe_account: account, kept: parsedOrNull(kept) }, snapshot: parsedOrNull(data) };
}

function parsedOrNull(text: unknown): unknown {
  return typeof text === "string" ? (JSON.parse(text) as unknown) : null;
}

async function whyNoRow(database: Queryable, key: ObjectKey): Promise<RowStatus> {
  const values = [key.livemode, key.account, key.objectType, key.objectId];
  const { rows } = await database.query<Record<Exclude<RowStatus, "stored" | "unknown">, boolean>>({
    text: WHY_NO_ROW,
    values,
  });
  const found = rows[0];
  return (["pending", "failed", "unrouted"] as const).find((one) => found?.[one] === true) ?? "unknown";
}

const SELECT_KEYS = `
  select event.livemode, event.stripe_account as account, event.object_type as "objectType" from stripe_events as event`;
const BY_KEY = `
  group by event.livemode, event.stripe_account, event.object_type
  order by event.stripe_account = '' desc, max(event.created) desc, event.stripe_account, event.object_type, event.livemode`;

const OF_OBJECT = `
  event.livemode = $1 and event.stripe_account = $2 and event.object_type = $3 and event.object_id = $4`;
const ENDED = (status: string): string => `exists (
  select from stripe_events as event
  join stripe_event_outcomes as outcome on outcome.created = event.created and outcome.event_id = event.id
  where ${OF_OBJECT} and outcome.status = '${status}')`;

const WHY_NO_ROW = `
  select exists (
           select from stripe_fetches as event where ${OF_OBJECT})
         or exists (
           select from stripe_events as event
           join stripe_event_queue as queued on queued.created = event.created and queued.event_id = event.id
           where ${OF_OBJECT}) as pending,
         ${ENDED("failed")} as failed,
         ${ENDED("unrouted")} as unrouted`;
