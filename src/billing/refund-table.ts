// Refunds that were asked for: written before Stripe is asked, so that no request is refunded twice. Table: refund_requests
import type { Queryable } from "../db/database.ts";

export type RefundReason = "duplicate" | "fraudulent" | "requested_by_customer";

export interface RefundRequest {
  tenantId: string;
  livemode: boolean;
  /** rfr_… */
  id: string;
  /** pi_… or ch_… */
  paymentId: string;
  /** "" for the platform's own. */
  stripeAccount: string;
  /** Minor units; null: all that is left. */
  amount: number | null;
  reason: RefundReason | null;
  refundApplicationFee: boolean;
  /** The same for each run of one request. */
  requestKey: string | null;
}

export async function insertRefundRequest(tx: Queryable, request: RefundRequest): Promise<void> {
  const { tenantId, livemode, id, paymentId, stripeAccount, amount, reason, refundApplicationFee, requestKey } =
    request;
  const values = [tenantId, livemode, id, paymentId, stripeAccount, amount, reason, refundApplicationFee, requestKey];
  await tx.query({ text: INSERT, values });
}

/** What an earlier run of the same request wrote. */
export async function findRefundByKey(
  tx: Queryable,
  { tenantId, livemode, requestKey }: { tenantId: string; livemode: boolean; requestKey: string },
): Promise<RefundRequest | undefined> {
  return (await tx.query<RefundRequest>({ text: BY_KEY, values: [tenantId, livemode, requestKey] })).rows[0];
}

/** Of Stripe's answer: re_… */
export async function recordRefund(tx: Queryable, request: RefundRequest, refundId: string): Promise<void> {
  await tx.query({ text: RECORD, values: [request.tenantId, request.livemode, request.id, refundId] });
}

export interface RefundablePayment {
  /** "" for the platform's own. */
  stripeAccount: string;
}

/** The tenant's payment by its pi_ or ch_ id; undefined: there is none in this mode. */
export async function findPayment(
  tx: Queryable,
  { tenantId, livemode, paymentId }: { tenantId: string; livemode: boolean; paymentId: string },
): Promise<RefundablePayment | undefined> {
  return (await tx.query<RefundablePayment>({ text: PAYMENT, values: [tenantId, livemode, paymentId] })).rows[0];
}

const INSERT = `
  insert into refund_requests (tenant_id, livemode, id, payment_id, stripe_account, amount, reason, refund_application_fee,
    request_key)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9)`;

const BY_KEY = `
  select tenant_id as "tenantId", livemode, id, payment_id as "paymentId", stripe_account as "stripeAccount", amount, reason,
         refund_application_fee as "refundApplicationFee", request_key as "requestKey"
  from refund_requests where tenant_id = $1 and livemode = $2 and request_key = $3`;

const RECORD = `
  update refund_requests set refund_id = $4 where tenant_id = $1 and livemode = $2 and id = $3 and refund_id is null`;

const PAYMENT = `
  select stripe_account as "stripeAccount" from payment_intents
  where tenant_id = $1 and livemode = $2 and id = $3
  union all
  select stripe_account from charges where tenant_id = $1 and livemode = $2 and id = $3
  limit 1`;
