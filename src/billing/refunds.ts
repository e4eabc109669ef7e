// Refunding a payment, whole or in part, on the account that it was made on. The credits follow by the event.
import { audit } from "../audit/audit-log.ts";
import { publicError } from "../base/errors.ts";
import { newId } from "../base/ids.ts";
import type { Queryable } from "../db/database.ts";
import type { TenantScope } from "../db/tenant-scope.ts";
import { observe } from "../inbox/observe.ts";
import type { StripeAnswer } from "../stripe/access.ts";
import type { StripeClient } from "../stripe/client.ts";
import type { Act } from "../tenants/people-context.ts";
import {
  findPayment,
  findRefundByKey,
  insertRefundRequest,
  type RefundReason,
  type RefundRequest,
  recordRefund,
} from "./refund-table.ts";
import { mustBeConnected } from "./selling-account.ts";
import type { CustomerContext } from "./stripe-customer.ts";
import { observationOf } from "./subscription-calls.ts";

export interface WantedRefund {
  livemode: boolean;
  /** pi_… or ch_… */
  paymentId: string;
  /** Minor units; undefined: all that is left. */
  amount: number | undefined;
  reason: RefundReason | undefined;
  /** Whether the platform's fee goes back as well, in the same share. */
  refundApplicationFee: boolean;
  /** The same for each run of one request; undefined: the request is not repeated. */
  requestKey: string | undefined;
}

export type StripeRefund = Awaited<ReturnType<StripeClient["refunds"]["create"]>>;

const FIELDS = { amount: "amount", reason: "reason", refund_application_fee: "refund_application_fee" };

/** @throws PublicError `not_found` for another tenant's payment, `stripe_refused` for more than is left of it */
export async function refundPayment(
  context: CustomerContext,
  scope: TenantScope,
  wanted: WantedRefund,
  act: Act,
): Promise<StripeRefund> {
  if (!context.stripe.has(wanted.livemode)) throw publicError("stripe_not_configured");
  const request = await scope.transaction(async (tx) => {
    const begun = await begin(tx, scope.tenantId, wanted, act);
    await mustBeConnected(tx, begun, begun.stripeAccount);
    return begun;
  });
  const answer = await createRefund(context, request);
  await context.database.transaction(async (tx) => {
    await recordRefund(tx, request, answer.value.id);
    await observe(tx, [observationOf(request, answer)], context.platformTenant);
  });
  context.wake();
  return answer.value;
}

async function begin(tx: Queryable, tenantId: string, wanted: WantedRefund, act: Act): Promise<RefundRequest> {
  const { livemode, paymentId, amount = null, reason = null, refundApplicationFee, requestKey } = wanted;
  const known = requestKey === undefined ? undefined : await findRefundByKey(tx, { tenantId, livemode, requestKey });
  if (known !== undefined) return known;
  const payment = await findPayment(tx, { tenantId, livemode, paymentId });
  if (payment === undefined) {
    throw publicError("not_found", { message: "There is no payment with this id in this mode: check both." });
  }
  const { stripeAccount } = payment;
  if (refundApplicationFee && stripeAccount === "") {
    throw publicError("invalid_request", {
      param: "refund_application_fee",
      message: "A payment to the platform itself has no application fee: leave refund_application_fee out.",
    });
  }
  const request = {
    ...{ tenantId, livemode, id: newId("rfr"), paymentId, stripeAccount, amount, reason, refundApplicationFee },
    requestKey: requestKey ?? null,
  };
  await insertRefundRequest(tx, request);
  const after = { livemode, payment: paymentId, amount, reason, refund_application_fee: refundApplicationFee };
  await audit(tx, { tenantId, ...act, action: "payment.refund_requested", target: request.id, after });
  return request;
}

/** Under the request's own key: a second run is answered with the same refund. */
function createRefund({ stripe }: CustomerContext, request: RefundRequest): Promise<StripeAnswer<StripeRefund>> {
  const { id, livemode, stripeAccount: account, paymentId, amount, reason, refundApplicationFee } = request;
  const parameters = {
    ...(paymentId.startsWith("pi_") ? { payment_intent: paymentId } : { charge: paymentId }),
    ...(amount === null ? {} : { amount }),
    ...(reason === null ? {} : { reason }),
    ...(refundApplicationFee ? { refund_application_fee: true } : {}),
    metadata: { billhook_refund: id },
  };
  const target = { livemode, account, idempotencyKey: `${id}:refund`, fields: FIELDS };
  return stripe.call(target, (client, options) => client.refunds.create(parameters, options));
}
