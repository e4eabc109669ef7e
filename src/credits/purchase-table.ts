// Purchases of credits as rows: written before Stripe is asked, found by what Stripe's objects name. Table: credit_purchases
import { bigintArray, booleanArray, textArray } from "../db/arrays.ts";
import type { Queryable } from "../db/database.ts";
import type { Credits } from "./lots.ts";

export interface PurchaseRef {
  tenantId: string;
  livemode: boolean;
  /** pur_… */
  id: string;
}

export interface NewPurchase extends PurchaseRef {
  accountId: string;
  packId: string | null;
  quantity: number;
  /** Of all packs together. */
  credits: Credits;
  /** Minor units, of all packs together, before discounts and tax. */
  amount: number;
  currency: string;
  /** "" for the platform's own account. */
  stripeAccount: string;
  /** Of a payment without a session, where it is known before. */
  paymentIntentId?: string;
  /** When its credits expire; by default never. */
  expiresAt?: Date;
  /** Of one pack. */
  priceId?: string | null;
  /** Minor units; null: of the platform's own sales. */
  applicationFeeAmount?: number | null;
  /** The same for each run of one request. */
  operationId?: string | null;
}

export interface Purchase extends PurchaseRef {
  accountId: string;
  credits: Credits;
  expiresAt: Date | null;
  stripeAccount: string;
  sessionId: string | null;
  intentId: string | null;
  chargeId: string | null;
  state: "pending" | "paid" | "canceled";
  /** How many entries it has. */
  postings: number;
}

/** Before Stripe is asked: `client_reference_id` of the session is the purchase's id. */
export async function insertPurchase(tx: Queryable, purchase: NewPurchase): Promise<void> {
  const { tenantId, livemode, id, accountId, packId, quantity, credits, amount, currency, stripeAccount } = purchase;
  await tx.query({
    text: INSERT,
    values: [
      ...[tenantId, livemode, id, accountId, packId, quantity, credits, amount, currency, stripeAccount],
      ...[purchase.paymentIntentId ?? null, purchase.expiresAt ?? null, purchase.priceId ?? null],
      ...[purchase.applicationFeeAmount ?? null, purchase.operationId ?? null],
    ],
  });
}

/** What was written before Stripe was asked for its session. */
export interface BegunPurchase extends Required<Omit<NewPurchase, "paymentIntentId" | "expiresAt" | "operationId">> {
  sessionId: string | null;
}

/** What an earlier run of the same request began. */
export async function findBegunPurchase(
  tx: Queryable,
  { tenantId, livemode, operationId }: { tenantId: string; livemode: boolean; operationId: string },
): Promise<BegunPurchase | undefined> {
  return (await tx.query<BegunPurchase>({ text: BEGUN_BY_OPERATION, values: [tenantId, livemode, operationId] }))
    .rows[0];
}

/** A purchase of the tenant, locked; undefined: there is none. */
export async function lockBegunPurchase(
  tx: Queryable,
  { tenantId, livemode, id }: PurchaseRef,
): Promise<BegunPurchase | undefined> {
  return (await tx.query<BegunPurchase>({ text: LOCK_BEGUN, values: [tenantId, livemode, id] })).rows[0];
}

/** The purchase that has this session. */
export async function findSessionPurchase(
  tx: Queryable,
  { livemode, stripeAccount, sessionId }: { livemode: boolean; stripeAccount: string; sessionId: string },
): Promise<(PurchaseRef & { accountId: string }) | undefined> {
  const values = [livemode, stripeAccount, sessionId];
  return (await tx.query<PurchaseRef & { accountId: string }>({ text: OF_SESSION, values })).rows[0];
}

/** Nothing of it is at Stripe. Should it be paid all the same, it is granted. */
export async function cancelPurchase(tx: Queryable, { tenantId, livemode, id }: PurchaseRef): Promise<void> {
  await tx.query({ text: CANCEL, values: [tenantId, livemode, id] });
}

/** Those whose session nobody has seen for so many hours: Stripe keeps a session open for 24. */
export async function cancelUnseenPurchases(tx: Queryable, hours: number): Promise<number> {
  return (await tx.query({ text: CANCEL_UNSEEN, values: [hours] })).rowCount;
}

/**
 * When Stripe has answered with its session. An event of the session may have come before: whoever records it settles the
 * purchase in the same transaction.
 */
export async function recordSession(tx: Queryable, ref: PurchaseRef, sessionId: string): Promise<void> {
  await tx.query({ text: RECORD_SESSION, values: [ref.tenantId, ref.livemode, ref.id, sessionId] });
}

/** The same of a payment without a session. */
export async function recordIntent(tx: Queryable, ref: PurchaseRef, intentId: string): Promise<void> {
  await tx.query({ text: RECORD_INTENT, values: [ref.tenantId, ref.livemode, ref.id, intentId] });
}

/** What one of Stripe's objects says of the purchase that it may belong to. */
export interface PurchaseLink {
  /** Whose event it was: another tenant's purchase is never found. */
  tenantId: string;
  livemode: boolean;
  stripeAccount: string;
  sessionId?: string | null;
  intentId?: string | null;
  chargeId?: string | null;
  /** What a session or a paid intent that was made by us says of its purchase, before its id was recorded. */
  claim?: { purchaseId: string; amount: number | null; currency: string | null };
}

export interface FoundPurchase extends PurchaseRef {
  /** The session, or the intent, that claims it. */
  claimedBy: string | null;
  claimedIntent: string | null;
}

export interface FoundPurchases {
  /** Sorted by key, each once. */
  purchases: FoundPurchase[];
  /** There are purchases whose payment is not known yet: any of these objects may turn out to be theirs. */
  open: boolean;
}

/** One look-up by index for all that a batch has touched. */
export async function findPurchases(tx: Queryable, links: readonly PurchaseLink[]): Promise<FoundPurchases> {
  const { rows } = await tx.query<{
    tenant_id: string | null;
    livemode: boolean;
    id: string | null;
    claimed_by: string | null;
    claimed_intent: string | null;
  }>({
    name: "find_purchases",
    text: FIND,
    values: [
      textArray(links.map((link) => link.tenantId)),
      booleanArray(links.map((link) => link.livemode)),
      textArray(links.map((link) => link.stripeAccount)),
      textArray(links.map((link) => link.sessionId)),
      textArray(links.map((link) => link.intentId)),
      textArray(links.map((link) => link.chargeId)),
      textArray(links.map((link) => link.claim?.purchaseId)),
      bigintArray(links.map((link) => link.claim?.amount)),
      textArray(links.map((link) => link.claim?.currency)),
    ],
  });
  const found = new Map<string, FoundPurchase>();
  let open = false;
  for (const { tenant_id: tenantId, livemode, id, ...claimed } of rows) {
    if (tenantId === null || id === null) {
      open = true;
      continue;
    }
    const key = `${tenantId}|${String(livemode)}|${id}`;
    const known = found.get(key);
    const claimedBy = known?.claimedBy ?? claimed.claimed_by;
    const claimedIntent = known?.claimedIntent ?? claimed.claimed_intent;
    found.set(key, { tenantId, livemode, id, claimedBy, claimedIntent });
  }
  const purchases = [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, purchase]) => purchase);
  return { purchases, open };
}

/** Takes their locks, in the order given. */
export async function lockPurchases(tx: Queryable, refs: readonly PurchaseRef[]): Promise<Purchase[]> {
  const values = [
    textArray(refs.map((ref) => ref.tenantId)),
    booleanArray(refs.map((ref) => ref.livemode)),
    textArray(refs.map((ref) => ref.id)),
  ];
  return (await tx.query<Purchase>({ name: "lock_purchases", text: LOCK, values })).rows;
}

/** What a settlement has made of them. */
export async function writePurchases(tx: Queryable, purchases: readonly Purchase[]): Promise<void> {
  if (purchases.length === 0) return;
  await tx.query({
    name: "write_purchases",
    text: WRITE,
    values: [
      textArray(purchases.map((one) => one.tenantId)),
      booleanArray(purchases.map((one) => one.livemode)),
      textArray(purchases.map((one) => one.id)),
      textArray(purchases.map((one) => one.sessionId)),
      textArray(purchases.map((one) => one.intentId)),
      textArray(purchases.map((one) => one.chargeId)),
      textArray(purchases.map((one) => one.state)),
      bigintArray(purchases.map((one) => one.postings)),
    ],
  });
}

const INSERT = `
  insert into credit_purchases (tenant_id, livemode, id, account_id, pack_id, quantity, credits, amount, currency, stripe_account,
                                payment_intent_id, expires_at, stripe_price_id, application_fee_amount, operation_id)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)`;

const BEGUN = `
  select tenant_id as "tenantId", livemode, id, account_id as "accountId", pack_id as "packId", quantity, credits, amount,
         currency, stripe_account as "stripeAccount", stripe_price_id as "priceId",
         application_fee_amount as "applicationFeeAmount", stripe_session_id as "sessionId"
  from credit_purchases`;

const BEGUN_BY_OPERATION = `${BEGUN} where tenant_id = $1 and livemode = $2 and operation_id = $3`;

const LOCK_BEGUN = `${BEGUN} where tenant_id = $1 and livemode = $2 and id = $3 for update`;

const OF_SESSION = `
  select tenant_id as "tenantId", livemode, id, account_id as "accountId" from credit_purchases
  where livemode = $1 and stripe_account = $2 and stripe_session_id = $3`;

const NOWHERE = "state = 'pending' and stripe_session_id is null and payment_intent_id is null";

const CANCEL = `
  update credit_purchases set state = 'canceled', settled_at = now()
  where tenant_id = $1 and livemode = $2 and id = $3 and ${NOWHERE}`;

const CANCEL_UNSEEN = `
  update credit_purchases as unseen set state = 'canceled', settled_at = now()
  from (
    select tenant_id, livemode, id from credit_purchases
    where ${NOWHERE} and created_at < now() - make_interval(hours => $1::int)
    order by tenant_id, livemode, id for update skip locked) as found
  where unseen.tenant_id = found.tenant_id and unseen.livemode = found.livemode and unseen.id = found.id`;

const RECORD_SESSION = `
  update credit_purchases set stripe_session_id = $4
  where tenant_id = $1 and livemode = $2 and id = $3 and stripe_session_id is null`;

const RECORD_INTENT = `
  update credit_purchases set payment_intent_id = $4
  where tenant_id = $1 and livemode = $2 and id = $3 and payment_intent_id is null`;

const IN_PLACE = "stored.livemode = wanted.livemode and stored.stripe_account = wanted.stripe_account";
const by = (column: string, value: string): string => `
  select stored.tenant_id, stored.livemode, stored.id, null::text as claimed_by, null::text as claimed_intent
  from wanted cross join lateral (
    select * from credit_purchases as stored
    where ${IN_PLACE} and stored.${column} = wanted.${value} and stored.tenant_id = wanted.tenant_id limit 1) as stored
  where wanted.${value} is not null`;

// `limit 1` and `offset 0` make each a look-up by index, whatever the plan's age. Anybody may put any reference into a payment link, and a
// connected account into any session: a claim counts for a purchase of that tenant, mode and account, of just this amount,
// that has no session yet; that of an intent, for one that has no payment yet, where the intent pays no other one.
const FIND = `
  with wanted as materialized (
    select * from unnest($1::text[], $2::boolean[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bigint[], $9::text[])
      as wanted (tenant_id, livemode, stripe_account, session_id, intent_id, charge_id, purchase_id, amount, currency))
  ${by("stripe_session_id", "session_id")}
  union all ${by("payment_intent_id", "intent_id")}
  union all ${by("charge_id", "charge_id")}
  union all
  select stored.tenant_id, stored.livemode, stored.id, wanted.session_id,
         case when wanted.session_id is null then wanted.intent_id end
  from wanted cross join lateral (
    select * from credit_purchases as stored
    where stored.tenant_id = wanted.tenant_id and stored.livemode = wanted.livemode and stored.id = wanted.purchase_id
      and stored.stripe_account = wanted.stripe_account and stored.stripe_session_id is null
      and (wanted.session_id is not null or stored.payment_intent_id is null)
      and stored.amount = wanted.amount and stored.currency = wanted.currency limit 1) as stored
  where wanted.purchase_id is not null and (wanted.session_id is not null or not exists (
    select from credit_purchases as paid
    where paid.livemode = wanted.livemode and paid.stripe_account = wanted.stripe_account
      and paid.payment_intent_id = wanted.intent_id offset 0))
  union all
  select null, account.livemode, null, null, null
  from (select distinct livemode, stripe_account from wanted) as account
  where exists (
    select from credit_purchases as stored
    where stored.livemode = account.livemode and stored.stripe_account = account.stripe_account
      and stored.payment_intent_id is null and stored.state = 'pending')`;

const LOCK = `
  select stored.tenant_id as "tenantId", stored.livemode, stored.id, stored.account_id as "accountId", stored.credits, stored.expires_at as "expiresAt",
         stored.stripe_account as "stripeAccount", stored.stripe_session_id as "sessionId",
         stored.payment_intent_id as "intentId", stored.charge_id as "chargeId", stored.state, stored.postings
  from unnest($1::text[], $2::boolean[], $3::text[]) as wanted (tenant_id, livemode, id)
  cross join lateral (
    select * from credit_purchases as stored
    where stored.tenant_id = wanted.tenant_id and stored.livemode = wanted.livemode and stored.id = wanted.id
    limit 1 for update) as stored`;

const WRITE = `
  update credit_purchases as stored
  set stripe_session_id = settled.session_id, payment_intent_id = settled.intent_id, charge_id = settled.charge_id,
      state = settled.state, postings = settled.postings, settled_at = now()
  from unnest($1::text[], $2::boolean[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bigint[])
    as settled (tenant_id, livemode, id, session_id, intent_id, charge_id, state, postings)
  where stored.tenant_id = settled.tenant_id and stored.livemode = settled.livemode and stored.id = settled.id`;
