// Accounts that buy credits by themselves when they run low, one payment at a time. Table: auto_top_ups
import { booleanArray, textArray } from "../db/arrays.ts";
import type { Queryable } from "../db/database.ts";
import type { AccountRef, Credits } from "./lots.ts";

export interface TopUpTerms {
  enabled: boolean;
  /** It buys when the balance is below this. */
  threshold: Credits;
  /** Of an active pack. */
  priceId: string;
  /** How many packs. */
  quantity: number;
}

export interface TopUp extends AccountRef, TopUpTerms {
  /** The purchase that is under way, and what it is charged to. */
  purchaseId: string | null;
  paymentMethodId: string | null;
  /** In a row. */
  failures: number;
  lastError: string | null;
  /** When the credits of the last one came; as PostgreSQL writes it, to the microsecond. */
  boughtAt: string | null;
}

/** Turned on again, it begins without its failures. */
export async function saveTopUp(tx: Queryable, ref: AccountRef, terms: TopUpTerms): Promise<void> {
  const { enabled, threshold, priceId, quantity } = terms;
  const values = [ref.tenantId, ref.livemode, ref.accountId, enabled, threshold, priceId, quantity];
  await tx.query({ text: SAVE, values });
}

export async function readTopUp(tx: Queryable, ref: AccountRef): Promise<TopUp | undefined> {
  return (await tx.query<TopUp>({ text: READ, values: [ref.tenantId, ref.livemode, ref.accountId] })).rows[0];
}

/** Before the first account, and behind the last one. */
export const FIRST: AccountRef = { tenantId: "", livemode: false, accountId: "" };
/** Ids are compared by their bytes (`collate "C"`), and "~" is behind every letter. */
const LAST: AccountRef = { tenantId: "~", livemode: true, accountId: "~" };

/** The last of the next so many accounts behind this one that may buy; undefined: there are not that many. */
export async function topUpsUntil(tx: Queryable, after: AccountRef, count: number): Promise<AccountRef | undefined> {
  return (await tx.query<AccountRef>({ text: UNTIL, values: [...keyOf(after), count - 1] })).rows[0];
}

/**
 * Takes those that are due for so many seconds: with a purchase under way; or, of the accounts behind `after` up to `until`,
 * below their threshold with a payment method and credits used since they bought last. The row's lock and time keep others off.
 */
export async function claimDueTopUps(
  tx: Queryable,
  { modes, limit, seconds, only, after = FIRST, until = LAST }: DueTopUps,
): Promise<TopUp[]> {
  const values = [modes, limit, seconds, ...keyOf(after), ...keyOf(until), only ?? null];
  return (await tx.query<TopUp>({ text: CLAIM, values })).rows;
}

interface DueTopUps {
  modes: readonly boolean[];
  limit: number;
  seconds: number;
  /** Without it the two are taken by their time. */
  only?: "under way" | "low";
  after?: AccountRef | undefined;
  until?: AccountRef | undefined;
}

const keyOf = ({ tenantId, livemode, accountId }: AccountRef) => [tenantId, livemode, accountId];

/**
 * In the commit that writes the purchase. False: since it was claimed somebody else began, ended or changed it. `seconds`: its
 * lease begins anew, for who has changed the threshold meanwhile has made it due.
 */
export async function beginTopUp(
  tx: Queryable,
  claimed: TopUp,
  { purchaseId, paymentMethodId, seconds }: { purchaseId: string; paymentMethodId: string; seconds: number },
): Promise<boolean> {
  const { tenantId, livemode, accountId, priceId, quantity, failures, boughtAt } = claimed;
  const terms = [priceId, quantity, failures, boughtAt];
  const values = [tenantId, livemode, accountId, purchaseId, paymentMethodId, ...terms, seconds];
  return (await tx.query({ text: BEGIN, values })).rowCount === 1;
}

export interface PurchaseStanding {
  state: string;
  intentId: string | null;
  /** Its account still asks for just this: it has not been turned off, is low, and wants this pack so many times. */
  wanted: boolean;
}

/** How its purchase stands now. */
export async function purchaseState(
  tx: Queryable,
  ref: AccountRef,
  purchaseId: string,
): Promise<PurchaseStanding | undefined> {
  const values = [ref.tenantId, ref.livemode, purchaseId];
  return (await tx.query<PurchaseStanding>({ text: STATE, values })).rows[0];
}

/** They were paid: does nothing where another purchase is under way, or none. `at`: when their credits came; without it, it is looked up. */
export async function endTopUps(
  tx: Queryable,
  paid: readonly (AccountRef & { purchaseId: string })[],
  at?: Date,
): Promise<void> {
  if (paid.length === 0) return;
  const values = [
    textArray(paid.map(({ tenantId }) => tenantId)),
    booleanArray(paid.map(({ livemode }) => livemode)),
    textArray(paid.map(({ accountId }) => accountId)),
    textArray(paid.map(({ purchaseId }) => purchaseId)),
    at?.toISOString() ?? null,
  ];
  await tx.query({ name: "end_top_ups", text: END, values });
}

/** It was refused: counted, and tried anew after so many seconds; `give up`: not by itself any more. */
export async function failTopUp(
  tx: Queryable,
  ref: AccountRef,
  purchaseId: string,
  { error, after, giveUp }: { error: string; after: number; giveUp: boolean },
): Promise<void> {
  await tx.query({ text: FAIL, values: [ref.tenantId, ref.livemode, ref.accountId, error, after, giveUp, purchaseId] });
}

/**
 * Nobody refused it: it goes on after so many seconds, and nothing is counted. `purchaseId` null: none was begun; `stays`: it
 * stays under way, because nobody knows whether it was charged.
 */
export async function putOffTopUp(
  tx: Queryable,
  ref: AccountRef,
  purchaseId: string | null,
  { error, after, stays = false }: { error: string | null; after: number; stays?: boolean },
): Promise<void> {
  const values = [ref.tenantId, ref.livemode, ref.accountId, error, after, stays, purchaseId];
  await tx.query({ text: PUT_OFF, values });
}

/** What it asks for cannot be bought: off, until somebody turns it on again. False: somebody has changed or begun it meanwhile. */
export async function stopTopUp(tx: Queryable, claimed: TopUp, error: string): Promise<boolean> {
  const { tenantId, livemode, accountId, priceId, quantity } = claimed;
  return (
    (await tx.query({ text: STOP, values: [tenantId, livemode, accountId, priceId, quantity, error] })).rowCount === 1
  );
}

const COLUMNS = `
  top_up.tenant_id as "tenantId", top_up.livemode, top_up.account_id as "accountId", top_up.enabled, top_up.threshold,
  top_up.price_id as "priceId", top_up.quantity, top_up.purchase_id as "purchaseId",
  top_up.payment_method_id as "paymentMethodId", top_up.failures, top_up.last_error as "lastError",
  top_up.bought_at::text as "boughtAt"`;

const SAVE = `
  insert into auto_top_ups as stored (tenant_id, livemode, account_id, enabled, threshold, price_id, quantity)
  values ($1, $2, $3, $4, $5, $6, $7)
  on conflict (tenant_id, livemode, account_id) do update
  set enabled = excluded.enabled, threshold = excluded.threshold, price_id = excluded.price_id,
      quantity = excluded.quantity, failures = 0, last_error = null, updated_at = now(),
      next_attempt_at = case when stored.purchase_id is null then now() else stored.next_attempt_at end`;

const READ = `select ${COLUMNS} from auto_top_ups as top_up where tenant_id = $1 and livemode = $2 and account_id = $3`;

const UNTIL = `
  select tenant_id as "tenantId", livemode, account_id as "accountId" from auto_top_ups
  where (tenant_id, livemode, account_id) > ($1::text, $2::boolean, $3::text) and enabled and purchase_id is null
  order by tenant_id, livemode, account_id offset $4 limit 1`;

const USES = `
  from credit_entries as used
  where used.tenant_id = account.tenant_id and used.livemode = account.livemode and used.account_id = account.id
    and used.kind in ('spend', 'expiry')`;

// An id's first seven characters are its time to half a minute: see src/base/ids.ts.
const TIME_OF_ID = Array.from({ length: 7 }, (_, place) => {
  const digit = `(since.milliseconds >> ${String(45 - 5 * place)} & 31)::integer`;
  return `substr('0123456789abcdefghjkmnpqrstvwxyz', ${digit} + 1, 1)`;
}).join(" || ");

// Ids are the clocks of the nodes that made them; when an entry was written, the database's says. Mostly the newest id tells;
// the others are looked at where the balance has moved since, by a transaction that began a moment before at the earliest.
// A node whose clock is off by more than five minutes takes no webhook of Stripe's either.
const USED_SINCE = `(
  coalesce((select used.created_at ${USES} order by used.id desc limit 1) > idle.bought_at, false)
  or stored.updated_at > idle.bought_at - interval '1 minute' and (
    select true
    ${USES} and used.created_at > idle.bought_at and used.id >= (
      select 'crd_' || ${TIME_OF_ID}
      from (select (extract(epoch from idle.bought_at) * 1000)::bigint - 300000 as milliseconds) as since)
    order by used.id desc limit 1))`;

const CLAIM = `
  update auto_top_ups as top_up set next_attempt_at = now() + $3 * interval '1 second'
  from (
    select wanted.tenant_id, wanted.livemode, wanted.account_id
    from (
      select tenant_id, livemode, account_id from auto_top_ups
      where purchase_id is not null and next_attempt_at <= now() and $10::text is distinct from 'low'
      union all
      select idle.tenant_id, idle.livemode, idle.account_id
      from auto_top_ups as idle
      join credit_balances as stored
        on stored.tenant_id = idle.tenant_id and stored.livemode = idle.livemode and stored.account_id = idle.account_id
      join accounts as account
        on account.tenant_id = idle.tenant_id and account.livemode = idle.livemode and account.id = idle.account_id
      where (idle.tenant_id, idle.livemode, idle.account_id) > ($4::text, $5::boolean, $6::text)
        and (idle.tenant_id, idle.livemode, idle.account_id) <= ($7::text, $8::boolean, $9::text)
        and idle.purchase_id is null and idle.enabled and idle.next_attempt_at <= now()
        and $10::text is distinct from 'under way'
        and stored.balance < idle.threshold and account.default_payment_method_id is not null
        and (idle.bought_at is null or ${USED_SINCE})) as found
    join auto_top_ups as wanted using (tenant_id, livemode, account_id)
    where wanted.livemode = any ($1::boolean[]) and wanted.next_attempt_at <= now()
    order by wanted.next_attempt_at limit $2 for update of wanted skip locked) as due
  where top_up.tenant_id = due.tenant_id and top_up.livemode = due.livemode and top_up.account_id = due.account_id
  returning ${COLUMNS}`;

const OF = "where tenant_id = $1 and livemode = $2 and account_id = $3";

const BEGIN = `
  update auto_top_ups
  set purchase_id = $4, payment_method_id = $5, updated_at = now(), next_attempt_at = now() + $10 * interval '1 second'
  ${OF} and purchase_id is null and enabled and price_id = $6 and quantity = $7 and failures = $8
    and bought_at is not distinct from $9::timestamptz`;

const STATE = `
  select purchase.state, purchase.payment_intent_id as "intentId",
         top_up.enabled and stored.balance < top_up.threshold and top_up.quantity = purchase.quantity
           and top_up.price_id is not distinct from purchase.stripe_price_id as wanted
  from credit_purchases as purchase
  join auto_top_ups as top_up using (tenant_id, livemode, account_id)
  join credit_balances as stored using (tenant_id, livemode, account_id)
  where purchase.tenant_id = $1 and purchase.livemode = $2 and purchase.id = $3`;

// What was used from the moment on at which the credits came is a reason to buy again.
const END = `
  update auto_top_ups as ended
  set purchase_id = null, payment_method_id = null, failures = 0, last_error = null,
      bought_at = coalesce($5::timestamptz, (
        select min(entry.created_at) from credit_entries as entry
        where entry.tenant_id = paid.tenant_id and entry.livemode = paid.livemode and entry.account_id = paid.account_id
          and entry.purchase_id = paid.purchase_id and entry.kind = 'purchase'), clock_timestamp()),
      next_attempt_at = now(), updated_at = now()
  from unnest($1::text[], $2::boolean[], $3::text[], $4::text[]) as paid (tenant_id, livemode, account_id, purchase_id)
  where ended.tenant_id = paid.tenant_id and ended.livemode = paid.livemode and ended.account_id = paid.account_id
    and ended.purchase_id = paid.purchase_id`;

const FAIL = `
  update auto_top_ups
  set purchase_id = null, payment_method_id = null, failures = failures + 1, last_error = $4,
      next_attempt_at = now() + $5 * interval '1 second', enabled = enabled and not $6, updated_at = now()
  ${OF} and purchase_id = $7`;

const PUT_OFF = `
  update auto_top_ups
  set purchase_id = case when $6 then purchase_id end, payment_method_id = case when $6 then payment_method_id end,
      last_error = $4, next_attempt_at = now() + $5 * interval '1 second', updated_at = now()
  ${OF} and purchase_id is not distinct from $7`;

const STOP = `
  update auto_top_ups set enabled = false, last_error = $6, updated_at = now()
  ${OF} and purchase_id is null and enabled and price_id = $4 and quantity = $5`;
