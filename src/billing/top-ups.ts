// Automatic top-up: an account that has asked for it buys a pack with its saved payment method when its credits run low.
import { readAccount } from "../accounts/account-table.ts";
import { PublicError } from "../base/errors.ts";
import { newId, timeOfId } from "../base/ids.ts";
import type { AccountRef } from "../credits/lots.ts";
import { activePackOfPrice, type SoldPack } from "../credits/pack-table.ts";
import { insertPurchase, lockBegunPurchase } from "../credits/purchase-table.ts";
import {
  beginTopUp,
  claimDueTopUps,
  endTopUps,
  FIRST,
  purchaseState,
  type TopUp,
  topUpsUntil,
} from "../credits/top-up-table.ts";
import type { Database } from "../db/database.ts";
import type { Found } from "../work/claim-loop.ts";
import { totalsOf } from "./credit-checkout.ts";
import { feeAmountOf, feePercentOf } from "./selling-account.ts";
import { putOffBegin, refused, stop, type TopUpContext, whyNotSold } from "./top-up-ends.ts";
import { lookAt, lookFor, pay, sellingAccount } from "./top-up-payment.ts";

export type { TopUpContext } from "./top-up-ends.ts";

/** Of each kind: each has the whole lease for itself. */
const AT_ONCE = 1;
/** Longer than its calls take; a payment that is under way is looked at again so soon. */
const LEASE_SECONDS = 60;
/** Stripe keeps idempotency keys for 24 hours. */
const KEYS_HOLD_SECONDS = 23 * 3600;

/** How far a process has looked among all accounts that have asked for it. */
export interface TopUpRound {
  /** At most so many are looked at in one go. */
  size: number;
  after: AccountRef;
}

/** 50,000 at once took the embedded database a second, every two seconds; there nothing else runs meanwhile. */
const LOOKED_AT = { embedded: 2000, server: 20_000 } as const;

export const topUpRound = (kind: Database["kind"], size: number = LOOKED_AT[kind]): TopUpRound => ({
  size,
  after: FIRST,
});

/**
 * Goes on with what is due: with the next account of the round that is low, and with a payment that is under way. One of each,
 * so that many payments that take days keep no account from buying.
 */
export async function topUpDue(context: TopUpContext, round = topUpRound(context.database.kind)): Promise<Found> {
  const modes = [true, false].filter((livemode) => context.stripe.has(livemode));
  const wanted = { modes, limit: AT_ONCE, seconds: LEASE_SECONDS };
  const { low, underWay, until } = await context.database.transaction(async (tx) => {
    const { after, size } = round;
    const last = await topUpsUntil(tx, after, size);
    return {
      until: last,
      low: await claimDueTopUps(tx, { ...wanted, only: "low", after, until: last }),
      underWay: await claimDueTopUps(tx, { ...wanted, only: "under way" }),
    };
  });
  if (low.length === 0) round.after = until ?? FIRST;
  await Promise.all([...low, ...underWay].map((topUp) => goOn(context, topUp)));
  return low.length + underWay.length === 0 ? "none" : "full";
}

async function goOn(context: TopUpContext, topUp: TopUp): Promise<void> {
  const { database } = context;
  const begun = topUp.purchaseId === null ? await begin(context, topUp) : topUp;
  if (begun === undefined || begun.purchaseId === null || begun.paymentMethodId === null) return;
  const { purchaseId, paymentMethodId } = begun;
  const standing = await purchaseState(database, topUp, purchaseId);
  const purchase = await database.transaction((tx) => lockBegunPurchase(tx, { ...topUp, id: purchaseId }));
  if (standing === undefined || purchase === undefined) return;
  const { state, intentId, wanted } = standing;
  // Its commit ends it; this one was paid by a version that did not.
  if (state === "paid") return endTopUps(database, [{ ...topUp, purchaseId }]);
  const underWay = { topUp: begun, purchase, wanted };
  if (intentId !== null) {
    if (state !== "pending") return refused(context, underWay, "The payment was canceled.");
    return lookAt(context, underWay, intentId);
  }
  // Under an older key Stripe would charge a second time.
  const age = (context.clock.now() - timeOfId(purchaseId)) / 1000;
  // What was asked in an earlier lease has ended by now, one way or the other.
  if (!wanted || state !== "pending" || age > KEYS_HOLD_SECONDS)
    return lookFor(context, underWay, "Stripe did not answer for a day.");
  await pay(context, underWay, paymentMethodId);
}

/** Undefined: it cannot be bought, the account cannot pay, or another process was faster. */
async function begin(context: TopUpContext, topUp: TopUp): Promise<TopUp | undefined> {
  const { tenantId, livemode, accountId, priceId, quantity } = topUp;
  return context.database.transaction(async (tx) => {
    const account = await readAccount(tx, topUp, accountId);
    const pack = await activePackOfPrice(tx, { tenantId, livemode, priceId });
    const selling = await sellingAccount(context, tx, topUp);
    if (selling instanceof PublicError) return putOffBegin(context, tx, topUp, selling.message);
    if (pack?.stripeAccount !== selling) return stop(context, tx, topUp, await whyNotSold(tx, topUp, selling));
    if (account === undefined || account.paymentMethod === null) return undefined;
    const price = { amount: pack.amount * quantity, currency: pack.currency };
    if (account.stripeCustomerAccount !== selling) {
      const reason = "Nothing was charged: the payment method was saved with another Stripe account. Save one again.";
      return stop(context, tx, topUp, { reason, price });
    }
    const totals = totalsIfPayable(pack, quantity);
    if (totals instanceof PublicError) return stop(context, tx, topUp, { reason: totals.message, price });
    const { amount, credits } = totals;
    const fee = feeAmountOf(amount, await feePercentOf(tx, tenantId, context));
    const [purchaseId, paymentMethodId] = [newId("pur"), account.paymentMethod.id];
    if (!(await beginTopUp(tx, topUp, { purchaseId, paymentMethodId, seconds: LEASE_SECONDS }))) return undefined;
    await insertPurchase(tx, {
      ...{ tenantId, livemode, id: purchaseId, accountId, packId: pack.id, quantity, amount, priceId },
      ...{ credits, currency: pack.currency, stripeAccount: selling, applicationFeeAmount: fee },
    });
    return { ...topUp, purchaseId, paymentMethodId };
  });
}

function totalsIfPayable(pack: SoldPack, quantity: number): ReturnType<typeof totalsOf> | PublicError {
  try {
    return totalsOf(pack, quantity);
  } catch (error) {
    if (error instanceof PublicError) return error;
    throw error;
  }
}
