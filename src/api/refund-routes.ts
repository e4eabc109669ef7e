// The route that refunds a payment, whole or in part.
import { z } from "zod";

import { refundPayment } from "../billing/refunds.ts";
import { actOf, scopeOf } from "./caller.ts";
import { isoTime } from "./query-fields.ts";
import { operation } from "./route.ts";

const Refund = z
  .strictObject({
    id: z.string(),
    object: z.literal("refund"),
    payment_id: z.string(),
    amount: z.int().meta({ description: "In the smallest unit of the currency." }),
    currency: z.string(),
    status: z.string().nullable().meta({ description: "pending, succeeded, failed, requires_action or canceled." }),
    reason: z.string().nullable(),
    created_at: isoTime,
  })
  .meta({ id: "Refund" });

export const refundPaymentRoute = operation({
  tag: "Payments",
  params: z.strictObject({
    id: z.string().regex(/^(?:pi|ch|py)_[\w]{1,250}$/, "must be the id of a payment intent (pi_…) or a charge (ch_…)"),
  }),
  body: z
    .strictObject({
      amount: z
        .int()
        .min(1)
        .optional()
        .meta({ description: "In the smallest unit of the currency, at most what is left; without it all of that." }),
      reason: z.enum(["duplicate", "fraudulent", "requested_by_customer"]).optional(),
      refund_application_fee: z
        .boolean()
        .default(false)
        .meta({ description: "Whether the platform's fee goes back too, in the same share." }),
    })
    .nullish(),
  idempotent: true,
  answers: { 201: Refund.meta({ description: "Its credits are taken back by Stripe's event." }) },
  run: async (call) => {
    const { deps, params, body, caller, reply, idempotencyKey: requestKey } = call;
    const wanted = {
      ...{ livemode: caller.livemode, paymentId: params.id, amount: body?.amount, reason: body?.reason, requestKey },
      refundApplicationFee: body?.refund_application_fee ?? false,
    };
    const refund = await refundPayment(deps, scopeOf(call), wanted, actOf(caller));
    reply.status(201);
    return {
      ...{ id: refund.id, object: "refund", payment_id: params.id, amount: refund.amount, currency: refund.currency },
      ...{ status: refund.status, reason: refund.reason },
      created_at: new Date(refund.created * 1000).toISOString(),
    };
  },
});
