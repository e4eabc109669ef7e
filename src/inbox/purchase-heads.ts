// Which purchases of credits a batch has touched, and what our copies of Stripe's objects say of their payments.
import { booleanArray, textArray } from "../db/arrays.ts";
import type { Database, Queryable } from "../db/database.ts";
import { isId } from "../base/ids.ts";
import { storableText } from "../base/text.ts";
import { endTrials } from "../accounts/account-table.ts";
import { noteUnmatched, type PaidSession } from "../accounts/unmatched-purchase-table.ts";
import { findPurchases, type Purchase, type PurchaseLink, type PurchaseRef } from "../credits/purchase-table.ts";
import { type ReadHeads, settlePurchases, type Settled } from "../credits/settle-purchases.ts";
import type { ChargeHead, DisputeHead, PurchaseHeads, RefundHead } from "../credits/settlement.ts";
import type { FoldedRow } from "../projections/fold.ts";
import type { ColumnValue } from "../projections/projection.ts";
import { queueFetches } from "./fetch-table.ts";

type Kind = Database["kind"];

/**
 * Settles the purchases that these rows belong to, behind the statements that write them, and notes the paid sessions that
 * belong to none. A batch without any pays one look-up by index, and none when none of its objects is part of a payment.
 */
export async function settleRows(
  tx: Queryable,
  rows: readonly FoldedRow[],
  tenantOf: (row: FoldedRow) => string | null,
  kind: Kind,
): Promise<Settled["bought"]> {
  const links = rows.flatMap((row) => linkOf(row, tenantOf(row)) ?? []);
  if (links.length === 0) return [];
  const bought = await settleLinks(tx, links, kind);
  await noteUnmatched(
    tx,
    rows.flatMap((row) => paidSessionOf(row, tenantOf(row)) ?? []),
  );
  return bought;
}

async function settleLinks(tx: Queryable, links: readonly PurchaseLink[], kind: Kind): Promise<Settled["bought"]> {
  let found = await findPurchases(tx, links);
  if (found.purchases.length === 0 && !found.open) return [];
  const locks = paymentLocks(kind);
  if (await locks.take(tx, links.flatMap(lockKeys))) found = await findPurchases(tx, links);
  return (await settleWith(tx, found.purchases, locks)).bought;
}

/** Settles these purchases from what is known: for whoever has just recorded a session or a payment of theirs. Sorted by key. */
export async function settleNow(tx: Queryable, purchases: readonly PurchaseRef[], kind: Kind): Promise<Settled> {
  return settleWith(tx, purchases, paymentLocks(kind));
}

async function settleWith(tx: Queryable, purchases: readonly PurchaseRef[], locks: PaymentLocks): Promise<Settled> {
  const settled = await settlePurchases(tx, purchases, headsReader(locks));
  const fetches = settled.fetches.map(({ livemode, account, chargeId, since }) => ({
    ...{ livemode, account, objectType: "charge", objectId: chargeId, since, reason: "refund_failed" },
  }));
  await Promise.all([endTrials(tx, settled.bought), queueFetches(tx, fetches)]);
  return settled;
}

/** What a row says of the payment that it is part of; null for rows that are part of none. */
function linkOf({ key, projection, columns }: FoldedRow, tenantId: string | null): PurchaseLink | null {
  if (tenantId === null) return null;
  const scope = { tenantId, livemode: key.livemode, stripeAccount: key.account };
  const intentId = textOf(columns.payment_intent_id);
  switch (projection.table) {
    case "checkout_sessions": {
      const purchaseId = textOf(columns.client_reference_id);
      const link = { ...scope, sessionId: key.objectId, intentId };
      // A payment link takes any reference from its address: it is nothing that we said.
      if (purchaseId === null || !isId(purchaseId, "pur") || columns.payment_link_id !== null) return link;
      const [amount, currency] = [columns.amount_subtotal, textOf(columns.currency)];
      return { ...link, claim: { purchaseId, amount: typeof amount === "number" ? amount : null, currency } };
    }
    case "payment_intents":
      return { ...scope, intentId: key.objectId, chargeId: textOf(columns.latest_charge_id) };
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

/** A session of a payment that was made: it brings credits, if it is a sale of packs. */
function paidSessionOf({ key, projection, columns }: FoldedRow, tenantId: string | null): PaidSession | null {
  if (tenantId === null || projection.table !== "checkout_sessions") return null;
  const { mode, status, payment_status: payment } = columns;
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
  };
}

function storable(value: ColumnValue | undefined): string | null {
  const text = textOf(value);
  return text === null ? null : storableText(text);
}

function textOf(value: ColumnValue | undefined): string | null {
  return typeof value === "string" ? value : null;
}

function lockKeys({ livemode, stripeAccount, intentId, chargeId }: PurchaseLink): string[] {
  return [intentId, chargeId]
    .filter((id) => typeof id === "string")
    .map((id) => paymentKey(livemode, stripeAccount, id));
}

/** In their order intents come before charges: who knows a session or a payment knows the intent first, and may learn of its charges then. */
function paymentKey(livemode: boolean, account: string, id: string): string {
  return `payment|${id.startsWith("pi_") ? "1" : "2"}|${livemode ? "live" : "test"}|${account}|${id}`;
}

/**
 * Two workers may write two objects of one payment, its session and a refund, at the same time: neither sees the other's
 * row, and the refund would never be settled. So whoever settles takes the payment's lock first, behind its own rows.
 */
interface PaymentLocks {
  /** Whether it had to take any: what was read before may be old. */
  take: (tx: Queryable, keys: readonly string[]) => Promise<boolean>;
}

function paymentLocks(kind: Kind): PaymentLocks {
  const held = new Set<string>();
  return {
    take: async (tx, keys) => {
      const missing = [...new Set(keys)].filter((key) => !held.has(key)).sort();
      // Embedded there is one session.
      if (kind === "embedded" || missing.length === 0) return false;
      await tx.query({ name: "lock_payments", text: LOCK, values: [missing] });
      for (const key of missing) held.add(key);
      return true;
    },
  };
}

/** Reads until it holds the locks of all that it has read: a charge may be known only by its intent. */
function headsReader(locks: PaymentLocks): ReadHeads {
  return async (tx, purchases) => {
    for (;;) {
      const heads = await readHeads(tx, purchases);
      const keys = purchases.flatMap(({ livemode, stripeAccount }, index) => {
        const head = heads[index];
        const ids = [head?.intentId, ...(head?.charges.map(({ id }) => id) ?? [])];
        return ids.filter((id) => typeof id === "string").map((id) => paymentKey(livemode, stripeAccount, id));
      });
      if (!(await locks.take(tx, keys))) return heads;
    }
  };
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
