// Routes by which a customer asks for credits to be bought by themselves when they run low.
import { z } from "zod";

import { publicError } from "../base/errors.ts";
import { totalsOf } from "../billing/credit-checkout.ts";
import { MAX_AMOUNT } from "../credits/credit-requests.ts";
import { activePackOfPrice } from "../credits/pack-table.ts";
import { readTopUp, saveTopUp, type TopUp } from "../credits/top-up-table.ts";
import { accountOf } from "./account-caller.ts";
import { scopeOf } from "./caller.ts";
import { id } from "./query-fields.ts";
import { operation } from "./route.ts";

const TAG = "Own billing";

const AutoTopUp = z
  .strictObject({
    enabled: z.boolean().meta({
      description:
        "Turned off by itself after four refusals in a row, and when its pack is not sold at its price any more.",
    }),
    threshold: z.int().nullable(),
    price_id: z.string().nullable(),
    quantity: z.int().nullable(),
    pending: z.boolean().meta({ description: "A payment is under way." }),
    failures: z.int().meta({ description: "Refusals of the card in a row." }),
    last_error: z.string().nullable(),
  })
  .meta({ id: "AutoTopUp" });

function viewOf(topUp: TopUp | undefined): z.output<typeof AutoTopUp> {
  return {
    enabled: topUp?.enabled ?? false,
    threshold: topUp?.threshold ?? null,
    price_id: topUp?.priceId ?? null,
    quantity: topUp?.quantity ?? null,
    pending: (topUp?.purchaseId ?? null) !== null,
    failures: topUp?.failures ?? 0,
    last_error: topUp?.lastError ?? null,
  };
}

export const readTopUpRoute = operation({
  tag: TAG,
  answers: { 200: AutoTopUp },
  run: async (call) => viewOf(await readTopUp(scopeOf(call), await accountOf(call, "read"))),
});

export const changeTopUpRoute = operation({
  tag: TAG,
  body: z.strictObject({
    enabled: z.boolean(),
    threshold: z
      .int()
      .min(1)
      .max(MAX_AMOUNT)
      .optional()
      .meta({ description: "It buys when the balance is below this, with the default payment method." }),
    price_id: id.optional().meta({ description: "Of a credit pack: see `GET /account/credit-packs/`." }),
    quantity: z.int().min(1).max(1000).optional(),
  }),
  answers: { 200: AutoTopUp },
  run: async (call) => {
    const { enabled, threshold, price_id: priceId, quantity } = call.body;
    const account = await accountOf(call, "purchase");
    return scopeOf(call).transaction(async (tx) => {
      const before = await readTopUp(tx, account);
      const terms = {
        enabled,
        threshold: threshold ?? before?.threshold,
        priceId: priceId ?? before?.priceId,
        quantity: quantity ?? before?.quantity ?? 1,
      };
      if (terms.threshold === undefined || terms.priceId === undefined) {
        if (!enabled) return viewOf(before);
        const param = terms.threshold === undefined ? "threshold" : "price_id";
        throw publicError("invalid_request", { param, message: "Name a threshold and the price_id of a credit pack." });
      }
      const { threshold: below, priceId: price } = terms;
      if (enabled) {
        const pack = await activePackOfPrice(tx, { ...account, priceId: price });
        if (pack === undefined) {
          const message = "No credit pack is sold at this price now: take a price_id from GET /account/credit-packs/.";
          throw publicError("not_found", { message, param: "price_id" });
        }
        totalsOf(pack, terms.quantity);
      }
      await saveTopUp(tx, account, { enabled, threshold: below, priceId: price, quantity: terms.quantity });
      return viewOf(await readTopUp(tx, account));
    });
  },
});
