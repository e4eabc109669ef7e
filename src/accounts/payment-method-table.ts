// Payment methods that people add: written before Stripe is asked; when the setup has succeeded, what is to be charged uses it.
// Table: payment_method_setups
import { booleanArray, textArray } from "../db/arrays.ts";
import type { Queryable } from "../db/database.ts";

export interface SetupRef {
  tenantId: string;
  livemode: boolean;
  /** pms_… */
  id: string;
}

export interface NewSetup extends SetupRef {
  accountId: string;
  /** "" for the platform's own. */
  stripeAccount: string;
  requestKey: string | null;
}

/** One that has succeeded, and whose method is not in use yet. */
export interface DueSetup extends SetupRef {
  accountId: string;
  stripeAccount: string;
  paymentMethodId: string;
  attempts: number;
}

export async function insertSetup(tx: Queryable, setup: NewSetup): Promise<boolean> {
  const { tenantId, livemode, id, accountId, stripeAccount, requestKey } = setup;
  const values = [tenantId, livemode, id, accountId, stripeAccount, requestKey];
  return (await tx.query({ text: INSERT, values })).rowCount === 1;
}

/** What an earlier run of the same request wrote. */
export async function findSetupByKey(
  tx: Queryable,
  { tenantId, livemode, requestKey }: { tenantId: string; livemode: boolean; requestKey: string },
): Promise<NewSetup | undefined> {
  return (await tx.query<NewSetup>({ text: BY_KEY, values: [tenantId, livemode, requestKey] })).rows[0];
}

/** Before its client_secret is handed out: nobody can complete it earlier. */
export async function recordSetupIntent(tx: Queryable, ref: SetupRef, setupIntentId: string): Promise<void> {
  await tx.query({ text: RECORD, values: [ref.tenantId, ref.livemode, ref.id, setupIntentId] });
}

/** How a setup intent has ended. */
export interface SetupLink {
  tenantId: string;
  livemode: boolean;
  stripeAccount: string;
  setupIntentId: string;
  /** null: it was canceled. */
  paymentMethodId: string | null;
}

/** In the commit of what ended them. Of one that has ended already nothing changes. */
export async function settleSetups(tx: Queryable, links: readonly SetupLink[]): Promise<void> {
  if (links.length === 0) return;
  await tx.query({
    name: "settle_setups",
    text: SETTLE,
    values: [
      textArray(links.map((link) => link.tenantId)),
      booleanArray(links.map((link) => link.livemode)),
      textArray(links.map((link) => link.stripeAccount)),
      textArray(links.map((link) => link.setupIntentId)),
      textArray(links.map((link) => link.paymentMethodId)),
    ],
  });
}

/**
 * Takes what is due for so many seconds, in these modes. Of an account's setups only the one that was completed last is worth
 * using: the others end here.
 */
export async function claimDueSetups(
  tx: Queryable,
  { modes, limit, seconds }: { modes: readonly boolean[]; limit: number; seconds: number },
): Promise<DueSetup[]> {
  await tx.query({ text: SUPERSEDE });
  return (await tx.query<DueSetup>({ text: CLAIM, values: [modes, limit, seconds] })).rows;
}

/** @param after seconds until it is tried again; undefined: it has ended */
export async function endAttempt(
  tx: Queryable,
  { tenantId, livemode, id }: SetupRef,
  outcome: { state: "used" | "failed" | "succeeded"; error: string | null; after?: number },
): Promise<void> {
  await tx.query({ text: OUTCOME, values: [tenantId, livemode, id, outcome.state, outcome.error, outcome.after ?? 0] });
}

const INSERT = `
  insert into payment_method_setups (tenant_id, livemode, id, account_id, stripe_account, request_key)
  values ($1, $2, $3, $4, $5, $6) on conflict do nothing`;

const BY_KEY = `
  select tenant_id as "tenantId", livemode, id, account_id as "accountId", stripe_account as "stripeAccount",
         request_key as "requestKey"
  from payment_method_setups where tenant_id = $1 and livemode = $2 and request_key = $3`;

const RECORD = `
  update payment_method_setups set setup_intent_id = $4
  where tenant_id = $1 and livemode = $2 and id = $3 and setup_intent_id is null`;

// The rows are there: a conflict finds them by index, where the plan of an update from a join may read the whole table for ever.
const SETTLE = `
  insert into payment_method_setups as stored (tenant_id, livemode, id, account_id, stripe_account, state, payment_method_id)
  select distinct on (asked.tenant_id, asked.livemode, asked.id)
         asked.tenant_id, asked.livemode, asked.id, asked.account_id, asked.stripe_account,
         case when ended.method is null then 'failed' else 'succeeded' end, ended.method
  from unnest($1::text[], $2::boolean[], $3::text[], $4::text[], $5::text[])
    as ended (tenant_id, livemode, stripe_account, setup_intent_id, method)
  cross join lateral (
    select * from payment_method_setups as asked
    where asked.setup_intent_id = ended.setup_intent_id and asked.tenant_id = ended.tenant_id
      and asked.livemode = ended.livemode and asked.stripe_account = ended.stripe_account
    offset 0) as asked
  order by asked.tenant_id, asked.livemode, asked.id
  on conflict (tenant_id, livemode, id) do update
  set state = excluded.state, payment_method_id = excluded.payment_method_id, next_attempt_at = now()
  where stored.state = 'asked'`;

// What people do last counts, not what they asked for last: of two open pages either may be completed first. When that was,
// the intents' heads say; of one second, the ids.
const SUPERSEDE = `
  update payment_method_setups as older set state = 'failed', last_error = 'a newer one took its place'
  from setup_intents as done
  where older.state = 'succeeded' and done.livemode = older.livemode and done.stripe_account = older.stripe_account
    and done.id = older.setup_intent_id and exists (
      select from setup_intents as later
      join payment_method_setups as newer on newer.setup_intent_id = later.id
      where later.livemode = done.livemode and later.stripe_account = done.stripe_account
        and later.customer_id = done.customer_id and later.status = 'succeeded'
        and newer.tenant_id = older.tenant_id and newer.livemode = older.livemode and newer.account_id = older.account_id
        and newer.state in ('succeeded', 'used') and (later.head_created, newer.id) > (done.head_created, older.id))`;

const CLAIM = `
  update payment_method_setups as claimed
  set attempts = claimed.attempts + 1, next_attempt_at = now() + $3 * interval '1 second'
  from (
    select tenant_id, livemode, id from payment_method_setups
    where state = 'succeeded' and next_attempt_at <= now() and livemode = any ($1::boolean[])
    order by next_attempt_at limit $2 for update skip locked) as due
  where claimed.tenant_id = due.tenant_id and claimed.livemode = due.livemode and claimed.id = due.id
  returning claimed.tenant_id as "tenantId", claimed.livemode, claimed.id, claimed.account_id as "accountId",
            claimed.stripe_account as "stripeAccount", claimed.payment_method_id as "paymentMethodId", claimed.attempts`;

const OUTCOME = `
  update payment_method_setups
  set state = $4, last_error = $5, next_attempt_at = now() + $6 * interval '1 second'
  where tenant_id = $1 and livemode = $2 and id = $3 and state = 'succeeded'`;
