// The operator's view of the projections: lists of customers, subscriptions, invoices, payments, refunds and disputes.
import type { Queryable } from "../db/database.ts";
import type { ColumnType, Projection } from "../projections/projection.ts";
import { projectionOf, PROJECTIONS } from "../projections/registry.ts";
import { addScope, conditions, type Page, pageOf, readCursor, type ScopeFilter } from "./list-query.ts";

interface AdminList {
  projection: Projection;
  /** Wire names beside the projection's columns, with their SQL over `row`: the seed's names, and what stands elsewhere. */
  computed: Record<string, { type: ColumnType; sql: string }>;
  /** Selects the keys (livemode, account, id) of a customer's rows. */
  ofCustomer: string;
  /** Selects the keys that belong to an e-mail address, or says of a row that it does. */
  ofEmail: string | { condition: string };
}

/** Of the rows that name a customer in their `customer_id`: those of the one that is looked for. */
interface Asked {
  join: (named: string) => string;
  is: (named: string) => string;
}

const SAME_OWNER = (alias: string, other = "row"): string =>
  `${alias}.livemode = ${other}.livemode and ${alias}.stripe_account = ${other}.stripe_account`;
const EMAIL_OF = (customer: string): string =>
  `(select owner.email from customers as owner where ${SAME_OWNER("owner")} and owner.id = ${customer})`;
const CUSTOMER_EMAIL = EMAIL_OF("row.customer_id");
const CHARGED_CUSTOMER = (row: string): string => `(
  select charge.customer_id from charges as charge where ${SAME_OWNER("charge", row)} and charge.id = ${row}.charge_id)`;
/** Whose a dispute is: its charge's customer, else its payment intent's. */
const PAYER = `coalesce(${CHARGED_CUSTOMER("row")}, (
  select intent.customer_id from payment_intents as intent
  where ${SAME_OWNER("intent")} and intent.id = row.payment_intent_id))`;
/** Whose a refund is: it may name its customer itself, with or without a charge. */
const REFUNDED = `coalesce(row.customer_id, ${PAYER})`;
const UNNAMED = "and found.customer_id is null";
/** How a customer is asked for: by id, or by e-mail address. */
const BY_ID: Asked = { join: () => "", is: (named) => `${named}.customer_id = ?` };
const BY_EMAIL: Asked = {
  join: (named) => `join customers as owner on ${SAME_OWNER("owner", named)} and owner.id = ${named}.customer_id`,
  is: () => "lower(owner.email) = lower(?)",
};
// Since 2025 an invoice no longer names its payment intent: its payments do.
const PAID_BY = `coalesce(row.payment_intent_id, (
  select payment.payment_intent_id from invoice_payments as payment
  where ${SAME_OWNER("payment")} and payment.invoice_id = row.id and payment.payment_intent_id is not null
  order by payment.is_default desc nulls last, payment.stripe_created desc nulls last, payment.id desc limit 1))`;

export const LISTS = {
  customers: {
    projection: projectionOf("customer"),
    computed: { stripe_customer_id: text("row.id") },
    ofCustomer: ofId(),
    ofEmail: "select livemode, stripe_account, id from customers where lower(email) = lower(?)",
  },
  subscriptions: {
    projection: projectionOf("subscription"),
    computed: {
      stripe_subscription_id: text("row.id"),
      customer_email: text(CUSTOMER_EMAIL),
      user: text(CUSTOMER_EMAIL),
      plan_id: text("row.price_id"),
    },
    ofCustomer: keysWhere("subscriptions", "customer_id = ?"),
    ofEmail: ofNamed("subscriptions", BY_EMAIL),
  },
  invoices: {
    projection: projectionOf("invoice"),
    computed: {
      stripe_invoice_id: text("row.id"),
      amount: { type: "bigint", sql: "row.amount_due" },
      payment_intent_id: text(PAID_BY),
    },
    ofCustomer: keysWhere("invoices", "customer_id = ?"),
    // By the row itself: an index has an address's invoices in the list's order.
    ofEmail: { condition: "lower(row.customer_email) = lower(?)" },
  },
  payments: {
    projection: projectionOf("payment_intent"),
    computed: {
      stripe_payment_intent_id: text("row.id"),
      customer_email: text(`coalesce(row.receipt_email, ${CUSTOMER_EMAIL})`),
    },
    ofCustomer: keysWhere("payment_intents", "customer_id = ?"),
    ofEmail: `${keysWhere("payment_intents", "lower(receipt_email) = lower(?)")} union all ${ofNamed("payment_intents", BY_EMAIL)}`,
  },
  refunds: {
    projection: projectionOf("refund"),
    computed: {
      stripe_refund_id: text("row.id"),
      customer_id: text(REFUNDED),
      customer_email: text(EMAIL_OF(REFUNDED)),
    },
    ofCustomer: `${ofNamed("refunds", BY_ID)} union all ${ofPayer("refunds", BY_ID, UNNAMED)}`,
    ofEmail: `${ofNamed("refunds", BY_EMAIL)} union all ${ofPayer("refunds", BY_EMAIL, UNNAMED)}`,
  },
  disputes: {
    projection: projectionOf("dispute"),
    computed: {
      stripe_dispute_id: text("row.id"),
      customer_id: text(PAYER),
      customer_email: text(EMAIL_OF(PAYER)),
    },
    ofCustomer: ofPayer("disputes", BY_ID),
    ofEmail: ofPayer("disputes", BY_EMAIL),
  },
} as const satisfies Record<string, AdminList>;

export type ListName = keyof typeof LISTS;

export interface RowFilter extends ScopeFilter {
  statuses: readonly string[];
  customer?: string | undefined;
  /** Unix seconds of Stripe's own `created`, inclusive. */
  since?: number | undefined;
  /** Exclusive. */
  until?: number | undefined;
  /** An id of the object or its customer, or an e-mail address, whole: only what an index can find. */
  text?: string | undefined;
  /** Only rows whose order is ambiguous or that have fields which could not be read. */
  flagged?: boolean | undefined;
  limit: number;
  cursor?: string | undefined;
}

/** A row as the API shows it: times are ISO 8601, `account` is null for the platform's own. */
export type WireRow = Record<string, unknown>;

const COMMON_FIRST = {
  id: "text",
  livemode: "boolean",
  account: "text",
  tenant_id: "text",
  deleted: "boolean",
} as const;
const COMMON_LAST = { order_ambiguous: "boolean", created_at: "time", updated_at: "time" } as const;

/** The wire names of a list's rows with their types, in order. `unread_fields` (names) comes on top. */
export function fieldsOf(name: ListName): Record<string, ColumnType> {
  const { projection, computed } = LISTS[name] as AdminList;
  const columns = Object.entries(projection.columns).filter(([column]) => column !== "stripe_created");
  const named = Object.entries(computed).map(([field, { type }]): [string, ColumnType] => [field, type]);
  return { ...COMMON_FIRST, ...Object.fromEntries(named), ...Object.fromEntries(columns), ...COMMON_LAST };
}

/** A page of a list, newest first; rows whose creation time could not be read stand before all others. */
export async function listRows(database: Queryable, name: ListName, filter: RowFilter): Promise<Page<WireRow>> {
  const list: AdminList = LISTS[name];
  const where = conditions();
  addScope(where, "row", filter);
  // The key begins with the mode: named, it finds the rows of an account that has few.
  if (filter.account !== undefined && filter.livemode === undefined) where.add("row.livemode in (true, false)");
  // One of them has an index in the list's own order.
  const [status, ...others] = filter.statuses;
  if (others.length > 0) where.add("row.status = any (?)", filter.statuses);
  else if (status !== undefined) where.add("row.status = ?", status);
  if (filter.customer !== undefined) where.add(`${KEY} in (${list.ofCustomer})`, filter.customer);
  if (filter.since !== undefined) where.add("row.stripe_created >= to_timestamp(?)", filter.since);
  if (filter.until !== undefined) where.add("row.stripe_created < to_timestamp(?)", filter.until);
  if (filter.flagged !== undefined) where.add(filter.flagged ? FLAGGED : `not ${FLAGGED}`);
  if (filter.text !== undefined) where.add(textCondition(list, filter.text), filter.text);
  if (filter.cursor !== undefined) addPlace(where, filter.cursor);
  const values = [...where.values, filter.limit + 1];
  const sql = `${select(list)}${where.where()} ${NEWEST_FIRST} limit $${values.length}`;
  const { rows } = await database.query({ text: sql, values });
  return pageOf(
    rows,
    filter.limit,
    (row) => wireRow(name, row),
    (row) => [secondsOf(row.stripe_created), String(row.id), String(row.stripe_account), row.livemode === true],
  );
}

function textCondition({ ofEmail, ofCustomer }: AdminList, searched: string): string {
  if (!searched.includes("@")) return `${KEY} in (${ofId()} union all ${ofCustomer})`;
  return typeof ofEmail === "string" ? `${KEY} in (${ofEmail})` : ofEmail.condition;
}

/** One row of a list by Stripe's id, with its snapshot as `data`; the newest, where several accounts or modes have the id. */
export async function readRow(
  database: Queryable,
  name: ListName,
  id: string,
  scope: ScopeFilter,
): Promise<WireRow | null> {
  const where = conditions();
  where.add(`${KEY} in (${ofId()})`, id);
  addScope(where, "row", scope);
  const sql = `${select(LISTS[name], ", row.data")}${where.where()} order by row.updated_at desc limit 1`;
  const { rows } = await database.query({ text: sql, values: where.values });
  const [row] = rows;
  return row === undefined ? null : { ...wireRow(name, row), data: JSON.parse(String(row.data)) as unknown };
}

/** Rows that an operator should look at, over all projections. */
export async function countFlagged(database: Queryable): Promise<{ ambiguous: number; unread: number }> {
  const counts = PROJECTIONS.map(
    ({
      table,
    }) => `select count(*) filter (where order_ambiguous) as ambiguous, count(*) filter (where unread_fields <> '{}') as unread
      from ${table} where order_ambiguous or unread_fields <> '{}'`,
  );
  const { rows } = await database.query<{ ambiguous: number; unread: number }>(
    `select sum(ambiguous)::bigint as ambiguous, sum(unread)::bigint as unread from (${counts.join(" union all ")}) as counted`,
  );
  return rows[0] ?? { ambiguous: 0, unread: 0 };
}

function wireRow(name: ListName, row: Record<string, unknown>): WireRow {
  const wire: WireRow = {};
  for (const field of Object.keys(fieldsOf(name)))
    wire[field] = wireValue(row[field === "created_at" ? "stripe_created" : field]);
  wire.account = accountOrNull(row.stripe_account);
  wire.unread_fields = row.unread_fields;
  return wire;
}

/** Null for the platform's own. */
function accountOrNull(account: unknown): unknown {
  return account === "" ? null : account;
}

function wireValue(value: unknown): unknown {
  return value instanceof Date ? value.toISOString() : (value ?? null);
}

function secondsOf(time: unknown): number | null {
  return time instanceof Date ? Math.floor(time.getTime() / 1000) : null;
}

/** The order is by time, nulls first, then by key; after a row without a time come those without one, then all others. */
function addPlace(where: ReturnType<typeof conditions>, cursor: string): void {
  const [created, id, account, livemode] = readCursor(cursor, ["seconds or null", "string", "string", "boolean"]);
  const at = where.values.length;
  where.values.push(id, account, livemode);
  const after = `(row.id, row.stripe_account, row.livemode) < ($${at + 1}, $${at + 2}, $${at + 3})`;
  if (created === null) where.add(`(row.stripe_created is not null or ${after})`);
  else
    where.add(`row.stripe_created <= to_timestamp(?) and (row.stripe_created < to_timestamp(?) or ${after})`, created);
}

function select(list: AdminList, more = ""): string {
  const computed = Object.entries(list.computed).map(([field, { sql }]) => `${sql} as "${field}"`);
  const columns = Object.keys(list.projection.columns)
    .filter((column) => !Object.hasOwn(list.computed, column))
    .map((column) => `row."${column}"`);
  return `
    select row.id, row.livemode, row.stripe_account, row.tenant_id, row.deleted, row.order_ambiguous, row.unread_fields,
           row.updated_at, ${[...columns, ...computed].join(", ")}${more}
    from ${list.projection.table} as row`;
}

function text(sql: string): { type: "text"; sql: string } {
  return { type: "text", sql };
}

/** The primary key begins with mode and account; the inbox's index knows in which ones an id was seen. */
function ofId(): string {
  return "select livemode, stripe_account, object_id from stripe_events where object_id = ?";
}

function keysWhere(table: string, condition: string): string {
  return `select livemode, stripe_account, id from ${table} where ${condition}`;
}

function ofNamed(table: string, { join, is }: Asked): string {
  return `
    select found.livemode, found.stripe_account, found.id from ${table} as found ${join("found")}
    where ${is("found")}`;
}

/** Each row is found where `PAYER` reads its customer, and nowhere else. */
function ofPayer(table: "refunds" | "disputes", { join, is }: Asked, more = ""): string {
  return `
    select found.livemode, found.stripe_account, found.id from charges as charge ${join("charge")}
    join ${table} as found on ${SAME_OWNER("found", "charge")} and found.charge_id = charge.id
    where ${is("charge")} ${more}
    union all
    select found.livemode, found.stripe_account, found.id from payment_intents as intent ${join("intent")}
    join ${table} as found on ${SAME_OWNER("found", "intent")} and found.payment_intent_id = intent.id
    where ${is("intent")} ${more} and ${CHARGED_CUSTOMER("found")} is null`;
}

const KEY = "(row.livemode, row.stripe_account, row.id)";
const FLAGGED = "(row.order_ambiguous or row.unread_fields <> '{}')";
const NEWEST_FIRST = "order by row.stripe_created desc, row.id desc, row.stripe_account desc, row.livemode desc";
