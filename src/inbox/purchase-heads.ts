// Which purchases of credits a batch has touched, and what our copies of Stripe's objects say of their payments.
//
// Locks are taken in one order everywhere, each kind sorted: payments by charge, payments by intent, purchases, ledgers,
// accounts, fetches last. Whoever may have a later one already waits for none of the earlier ones.
import { endTrials, lockAccounts } from "../accounts/account-table.ts";
import { noteUnmatched, type PaidSession } from "../accounts/unmatched-purchase-table.ts";
import { isId } from "../base/ids.ts";
import { storableText } from "../base/text.ts";
import { findPurchases, type Purchase, type PurchaseLink, type PurchaseRef } from "../credits/purchase-table.ts";
import { type Settled, type SettledPayment, settlePurchases } from "../credits/settle-purchases.ts";
import type { ChargeHead, DisputeHead, PurchaseHeads, RefundHead } from "../credits/settlement.ts";
import { booleanArray, textArray } from "../db/arrays.ts";
import type { Database, Queryable } from "../db/database.ts";
import type { ObjectKey } from "../projections/observation.ts";
import type { ColumnValue } from "../projections/projection.ts";
import { IMPORTED } from "../projections/registry.ts";
import { queueFetches, type WantedFetch } from "./fetch-table.ts";

type Kind = Database["kind"];

/** In the metadata of a session or payment intent: the purchase that it was made for. */
export const PURCHASE_FIELD = "billhook_purchase";

/** A row that may be part of a payment: what the reducer has made, or what was stored. */
export interface PaymentRow {
  key: ObjectKey;
  projection: { table: string };
  columns: Readonly<Record<string, ColumnValue | undefined>>;
  /** Of a row that the reducer has made. */
  head?: { type: string };
}

export interface SettledRows {
  bought: Settled["bought"];
  fetches: readonly WantedFetch[];
}

const NOTHING: SettledRows = { bought: [], fetches: [] };

/**
 * Settles the purchases that these rows belong to, behind the statements that write them, and notes the paid sessions that
 * belong to none. A batch without any pays one look-up by index, and none when none of its objects is part of a payment.
 *
 * @returns those that were paid now: the caller ends their accounts' trials (see `followAccounts`); and what it queues to be
 * fetched, behind all its other locks
 */
export async function settleRows<Row extends PaymentRow>(
  tx: Queryable,
  rows: readonly Row[],
  tenantOf: (row: Row) => string | null,
  kind: Kind,
): Promise<SettledRows> {
  const links = rows.flatMap((row) => linkOf(row, tenantOf(row)) ?? []);
  if (links.length === 0) return NOTHING;
  const settled = await settleLinks(tx, links, kind);
  await noteUnmatched(
    tx,
    rows.flatMap((row) => paidSessionOf(row, tenantOf(row)) ?? []),
  );
  return settled;
}

async function settleLinks(tx: Queryable, links: readonly PurchaseLink[], kind: Kind): Promise<SettledRows> {
  let found = await findPurchases(tx, links);
  if (found.purchases.length === 0 && !found.open) return NOTHING;
  let held: ReadonlySet<string> | undefined;
  if (kind === "server") {
    const locked = await lockPayments(tx, links);
    held = locked.held;
    // What was found before may be old.
    if (held.size > 0) found = await findPurchases(tx, locked.links);
  }
  const settled = await settlePurchases(tx, found.purchases, readHeads);
  const isUnseen = (payment: SettledPayment): boolean =>
    payment.late || (payment.joined && held?.has(keyOf(payment)) === false);
  const fetches = fetchesOf(settled, held === undefined ? [] : settled.payments.filter(isUnseen));
  return { bought: settled.bought, fetches };
}

/**
 * Settles these purchases from what is known: for whoever has just recorded a session or a payment of theirs, and so has
 * their locks. It waits for no payment's lock: where another worker has one, what that one writes is settled once more by
 * a fetch. Sorted by key.
 */
export async function settleNow(tx: Queryable, purchases: readonly PurchaseRef[], kind: Kind): Promise<Settled> {
  const held = kind === "server" ? await tryLockPayments(tx, purchases) : undefined;
  const settled = await settlePurchases(tx, purchases, readHeads);
  if (settled.bought.length > 0) {
    await lockAccounts(tx, settled.bought);
    await endTrials(tx, settled.bought);
  }
  const unseen = settled.payments.filter((payment) => held?.has(keyOf(payment)) === false);
  await queueFetches(tx, fetchesOf(settled, unseen));
  return settled;
}

/** `unseen`: a refund of theirs may be written beside us by a worker that could not find the purchase. */
function fetchesOf({ fetches }: Settled, unseen: readonly SettledPayment[]): WantedFetch[] {
  const charges = fetches.map(({ livemode, account, chargeId, since }) => ({
    ...{ livemode, account, objectType: "charge", objectId: chargeId, since, reason: "refund_failed" },
  }));
  const intents = unseen.map(({ livemode, account, intentId, since }) => ({
    ...{ livemode, account, objectType: "payment_intent", objectId: intentId, since, reason: "payment_joined" },
  }));
  return [...charges, ...intents];
}

const keyOf = ({ livemode, account, intentId }: SettledPayment): string => paymentKey(livemode, account, intentId);

/** What a row says of the payment that it is part of; null for rows that are part of none. */
function linkOf({ key, projection, columns }: PaymentRow, tenantId: string | null): PurchaseLink | null {
  if (tenantId === null) return null;
  const scope = { tenantId, livemode: key.livemode, stripeAccount: key.account };
  const intentId = textOf(columns.payment_intent_id);
  switch (projection.table) {
    case "checkout_sessions": {
      const link = { ...scope, sessionId: key.objectId, intentId };
      // A payment link takes any reference from its address: it is nothing that we said.
      if (columns.payment_link_id !== null) return link;
      return { ...link, ...claimOf(columns.client_reference_id, columns.amount_subtotal, columns.currency) };
    }
    case "payment_intents": {
      const link = { ...scope, intentId: key.objectId, chargeId: textOf(columns.latest_charge_id) };
      // One that nobody has paid must not take the place of one that somebody will pay.
      if (columns.status !== "succeeded") return link;
      return { ...link, ...claimOf(metadataOf(columns.metadata, PURCHASE_FIELD), columns.amount, columns.currency) };
    }
    case "charges":
      return { ...scope, intentId, chargeId: key.objectId };
    case "refunds":
    case "disputes":
    case "invoice_payments":
      return { ...scope, intentId, chargeId: textOf(columns.charge_id) };
    default:
      return null;
  }
}

/** What counts of it is decided where the purchase is looked up. */
function claimOf(named: unknown, amount: unknown, currency: unknown): Pick<PurchaseLink, "claim"> {
  if (typeof named !== "string" || !isId(named, "pur")) return {};
  const text = typeof currency === "string" ? currency : null;
  return { claim: { purchaseId: named, amount: typeof amount === "number" ? amount : null, currency: text } };
}

function metadataOf(metadata: ColumnValue | undefined, field: string): unknown {
  return typeof metadata === "object" && metadata !== null && field in metadata
    ? (metadata as Readonly<Record<string, unknown>>)[field]
    : undefined;
}

/** A session of a payment that was made: it brings credits, if it is a sale of packs. */
function paidSessionOf({ key, projection, columns, head }: PaymentRow, tenantId: string | null): PaidSession | null {
  if (tenantId === null || projection.table !== "checkout_sessions") return null;
  const { mode, status, payment_status: payment, stripe_created: created } = columns;
  if (mode !== "payment" || status !== "complete") return null;
  if (payment !== "paid" && payment !== "no_payment_required") return null;
  const { amount_subtotal: subtotal, amount_total: total } = columns;
  return {
    ...{ tenantId, livemode: key.livemode, stripeAccount: key.account, sessionId: key.objectId },
    email: storable(columns.customer_email),
    name: storable(columns.customer_name),
    amountSubtotal: typeof subtotal === "number" ? subtotal : null,
    amountTotal: typeof total === "number" ? total : null,
    currency: storable(columns.currency),
    imported: head?.type.endsWith(IMPORTED) === true,
    created: typeof created === "number" ? created : null,
  };
}

function storable(value: ColumnValue | undefined): string | null {
  const text = textOf(value);
  return text === null ? null : storableText(text);
}

function textOf(value: ColumnValue | undefined): string | null {
  return typeof value === "string" ? value : null;
}

/** In their order charges come before intents: who knows a refund may know no more than its charge at first. */
function paymentKey(livemode: boolean, account: string, id: string): string {
  return `payment|${id.startsWith("pi_") ? "2" : "1"}|${livemode ? "live" : "test"}|${account}|${id}`;
}

function keysOf(links: readonly PurchaseLink[], field: "intentId" | "chargeId"): string[] {
  return links.flatMap((link) => {
    const id = link[field];
    return typeof id === "string" ? [paymentKey(link.livemode, link.stripeAccount, id)] : [];
  });
}

/**
 * Two workers may write two objects of one payment, its session and a refund, at the same time: neither sees the other's
 * row, and the refund would never be settled. So whoever settles takes the payment's lock first, behind its own rows.
 *
 * A payment is locked by its intent. A refund or dispute in an old shape names only its charge: the charge's row tells the
 * intent, and where that is not written yet, whoever writes it takes the charge's lock too.
 *
 * @returns the links, each with its intent where that is known by now
 */
async function lockPayments(
  tx: Queryable,
  links: readonly PurchaseLink[],
): Promise<{ links: readonly PurchaseLink[]; held: ReadonlySet<string> }> {
  const charges = keysOf(links, "chargeId");
  if (links.every(({ intentId, chargeId }) => typeof intentId === "string" || typeof chargeId !== "string")) {
    return { links, held: await take(tx, [...charges, ...keysOf(links, "intentId")]) };
  }
  const held = await take(tx, charges);
  const whole = await withIntents(tx, links);
  const intents = await take(tx, keysOf(whole, "intentId"));
  return { links: whole, held: new Set([...held, ...intents]) };
}

async function take(tx: Queryable, wanted: readonly string[]): Promise<Set<string>> {
  const keys = [...new Set(wanted)].sort();
  if (keys.length > 0) await tx.query({ name: "lock_payments", text: LOCK, values: [keys] });
  return new Set(keys);
}

async function withIntents(tx: Queryable, links: readonly PurchaseLink[]): Promise<PurchaseLink[]> {
  const unnamed = links.filter(
    ({ intentId, chargeId }) => typeof intentId !== "string" && typeof chargeId === "string",
  );
  const { rows } = await tx.query<{ livemode: boolean; account: string; chargeId: string; intentId: string }>({
    name: "intents_of_charges",
    text: INTENTS_OF_CHARGES,
    values: [
      booleanArray(unnamed.map(({ livemode }) => livemode)),
      textArray(unnamed.map(({ stripeAccount }) => stripeAccount)),
      textArray(unnamed.map(({ chargeId }) => chargeId)),
    ],
  });
  const intents = new Map(rows.map((row) => [paymentKey(row.livemode, row.account, row.chargeId), row.intentId]));
  return links.map((link) => {
    const { livemode, stripeAccount, intentId, chargeId } = link;
    if (typeof intentId === "string" || typeof chargeId !== "string") return link;
    return { ...link, intentId: intents.get(paymentKey(livemode, stripeAccount, chargeId)) ?? null };
  });
}

/** Those that nobody else holds. */
async function tryLockPayments(tx: Queryable, purchases: readonly PurchaseRef[]): Promise<Set<string>> {
  const { rows } = await tx.query<{ livemode: boolean; account: string; intentId: string }>({
    name: "intents_of_purchases",
    text: INTENTS_OF_PURCHASES,
    values: [
      textArray(purchases.map(({ tenantId }) => tenantId)),
      booleanArray(purchases.map(({ livemode }) => livemode)),
      textArray(purchases.map(({ id }) => id)),
    ],
  });
  const keys = rows.map(({ livemode, account, intentId }) => paymentKey(livemode, account, intentId)).sort();
  if (keys.length === 0) return new Set();
  const locked = await tx.query<{ key: string }>({ name: "try_lock_payments", text: TRY_LOCK, values: [keys] });
  return new Set(locked.rows.map(({ key }) => key));
}

interface HeadsRow {
  session: { status: string | null; paymentStatus: string | null; amountTotal: number | null } | null;
  intent: { id: string; status: string | null; amountReceived: number | null } | null;
  intentId: string | null;
  charges: ChargeHead[];
  refunds: RefundHead[];
  disputes: DisputeHead[];
}

async function readHeads(tx: Queryable, purchases: readonly Purchase[]): Promise<PurchaseHeads[]> {
  const { rows } = await tx.query<HeadsRow>({
    name: "purchase_heads",
    text: HEADS,
    values: [
      booleanArray(purchases.map((one) => one.livemode)),
      textArray(purchases.map((one) => one.stripeAccount)),
      textArray(purchases.map((one) => one.sessionId)),
      textArray(purchases.map((one) => one.intentId)),
      textArray(purchases.map((one) => one.chargeId)),
    ],
  });
  return rows;
}

const LOCK = "select pg_advisory_xact_lock(hashtextextended(key, 0)) from unnest($1::text[]) as wanted (key)";

const TRY_LOCK = `
  select key from unnest($1::text[]) as wanted (key)
  where pg_try_advisory_xact_lock(hashtextextended(key, 0))`;

// `limit 1`: looked up by index, whatever the plan's age.
const INTENTS_OF_CHARGES = `
  select stored.livemode, stored.stripe_account as account, stored.id as "chargeId", stored.payment_intent_id as "intentId"
  from unnest($1::boolean[], $2::text[], $3::text[]) as wanted (livemode, stripe_account, charge_id)
  cross join lateral (
    select * from charges as stored
    where stored.livemode = wanted.livemode and stored.stripe_account = wanted.stripe_account and stored.id = wanted.charge_id
      and stored.payment_intent_id is not null
    limit 1) as stored`;

const INTENTS_OF_PURCHASES = `
  select distinct bought.livemode, bought.stripe_account as account, named.id as "intentId"
  from unnest($1::text[], $2::boolean[], $3::text[]) as wanted (tenant_id, livemode, id)
  cross join lateral (
    select * from credit_purchases as bought
    where bought.tenant_id = wanted.tenant_id and bought.livemode = wanted.livemode and bought.id = wanted.id
    limit 1) as bought
  left join lateral (
    select * from checkout_sessions as session
    where session.livemode = bought.livemode and session.stripe_account = bought.stripe_account
      and session.id = bought.stripe_session_id and not session.deleted
    limit 1) as session on true
  cross join lateral (
    select session.payment_intent_id as id union select bought.payment_intent_id) as named
  where named.id is not null`;

const IN_PLACE =
  "stored.livemode = wanted.livemode and stored.stripe_account = wanted.stripe_account and not stored.deleted";

const CHARGE = `
  select stored.id, stored.status, coalesce(stored.amount_captured, stored.amount, 0) as amount,
         coalesce(stored.amount_refunded, 0) as "amountRefunded", stored.head_created as created
  from charges as stored where ${IN_PLACE}`;

/** Of the payment by its intent; a refund or dispute in an old shape may name only the charge. */
const ofPayment = (table: string): string => {
  const select = `
    select stored.id, stored.charge_id as "chargeId", stored.status, coalesce(stored.amount, 0) as amount, stored.head_created as created
    from ${table} as stored where ${IN_PLACE}`;
  return listOf(
    `${select} and stored.payment_intent_id = named.id union ${select} and stored.charge_id = any (charges.ids)`,
  );
};

function listOf(from: string): string {
  return `(select coalesce(json_agg(found order by found.id), '[]') from (${from}) as found)`;
}

const HEADS = `
  select case when session.id is not null then json_build_object(
           'status', session.status, 'paymentStatus', session.payment_status, 'amountTotal', session.amount_total) end as session,
         case when intent.id is not null then json_build_object(
           'id', intent.id, 'status', intent.status, 'amountReceived', intent.amount_received) end as intent,
         named.id as "intentId", charges.list as charges, ${ofPayment("refunds")} as refunds, ${ofPayment("disputes")} as disputes
  from unnest($1::boolean[], $2::text[], $3::text[], $4::text[], $5::text[]) with ordinality
    as wanted (livemode, stripe_account, session_id, intent_id, charge_id, number)
  left join lateral (
    select * from checkout_sessions as stored where ${IN_PLACE} and stored.id = wanted.session_id limit 1) as session on true
  cross join lateral (select coalesce(session.payment_intent_id, wanted.intent_id) as id) as named
  left join lateral (
    select * from payment_intents as stored where ${IN_PLACE} and stored.id = named.id limit 1) as intent on true
  cross join lateral (
    select coalesce(json_agg(found order by found.id), '[]') as list,
           coalesce(array_agg(found.id), '{}') || array[intent.latest_charge_id, wanted.charge_id] as ids
    from (${CHARGE} and stored.payment_intent_id = named.id
          union ${CHARGE} and stored.id in (intent.latest_charge_id, wanted.charge_id)) as found) as charges
  order by wanted.number`;
