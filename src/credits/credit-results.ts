// What payments brought in credits, for many who wait at once.
import { booleanArray, textArray } from "../db/arrays.ts";
import type { Queryable } from "../db/database.ts";
import type { Credits } from "./lots.ts";

export interface CreditQuestion {
  tenantId: string;
  livemode: boolean;
  /** "" for the platform's own account. */
  stripeAccount: string;
  accountId: string | null;
  sessionId: string | null;
  intentId: string | null;
}

export interface CreditResult {
  /** Of the purchase that this session or payment is of; 0 until it is paid; null: it is of none. */
  added: Credits | null;
  /** The account's; null without one. What has expired does not count, though the job that writes it comes later. */
  balance: Credits | null;
}

/** In the order of the questions. */
export async function readCreditResults(tx: Queryable, questions: readonly CreditQuestion[]): Promise<CreditResult[]> {
  if (questions.length === 0) return [];
  const { rows } = await tx.query<CreditResult>({
    name: "credit_results",
    text: RESULTS,
    values: [
      textArray(questions.map((one) => one.tenantId)),
      booleanArray(questions.map((one) => one.livemode)),
      textArray(questions.map((one) => one.stripeAccount)),
      textArray(questions.map((one) => one.accountId)),
      textArray(questions.map((one) => one.sessionId)),
      textArray(questions.map((one) => one.intentId)),
    ],
  });
  return rows;
}

const SAME = `
  found.tenant_id = asked.tenant_id and found.livemode = asked.livemode and found.account_id = coalesce(asked.account_id, purchase.account_id)`;

// `limit 1` makes each a look-up by index, whatever the plan's age.
const RESULTS = `
  select case when purchase.id is null then null when purchase.state = 'paid' then purchase.credits else 0 end as added,
         stored.balance - coalesce((
           select sum(found.remaining)::bigint from credit_lots as found
           where ${SAME} and found.open and found.expires_at <= statement_timestamp()), 0) as balance
  from unnest($1::text[], $2::boolean[], $3::text[], $4::text[], $5::text[], $6::text[]) with ordinality
    as asked (tenant_id, livemode, stripe_account, account_id, session_id, intent_id, place)
  left join lateral (
    select found.id, found.state, found.credits, found.account_id from credit_purchases as found
    where found.livemode = asked.livemode and found.stripe_account = asked.stripe_account
      and found.stripe_session_id = asked.session_id and found.tenant_id = asked.tenant_id limit 1) as by_session on true
  left join lateral (
    select found.id, found.state, found.credits, found.account_id from credit_purchases as found
    where by_session.id is null and found.livemode = asked.livemode and found.stripe_account = asked.stripe_account
      and found.payment_intent_id = asked.intent_id and found.tenant_id = asked.tenant_id limit 1) as by_intent on true
  cross join lateral (
    select coalesce(by_session.id, by_intent.id) as id, coalesce(by_session.state, by_intent.state) as state,
           coalesce(by_session.credits, by_intent.credits) as credits,
           coalesce(by_session.account_id, by_intent.account_id) as account_id) as purchase
  left join lateral (
    select found.balance from credit_balances as found where ${SAME} limit 1) as stored on true
  order by asked.place`;
