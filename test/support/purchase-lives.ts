// Lives of purchases for tests: the events of a payment from its session to its disputes, and what must have come of them.
import { newId } from "../../src/base/ids.ts";
import { openAccount } from "../../src/billing/open-account.ts";
import { insertPurchase, type NewPurchase } from "../../src/credits/purchase-table.ts";
import type { Database } from "../../src/db/database.ts";
import type { Arrival } from "./pipe.ts";
import { BEGIN, event, NEW_API, OLD_API, type Overrides, type StripeEvent } from "./stripe-fixtures.ts";
import * as payments from "./stripe-fixtures-payments.ts";

export const CREDITS = 100;
export const PRICE = 1000;

export async function makeAccount(
  database: Database,
  tenantId: string,
  lowThreshold: number | null = null,
  trialCredits = 0,
): Promise<string> {
  const profile = { externalId: null, email: null, name: null, metadata: {} };
  const opened = database.transaction((tx) =>
    openAccount(tx, { tenantId, livemode: false }, { ...profile, lowThreshold }, trialCredits),
  );
  return (await opened).id;
}

/** A purchase as it is written before Stripe is asked; its session's id is known unless `sessionId` is null. */
export async function makePurchase(
  database: Database,
  ref: { tenantId: string; accountId: string },
  also: Partial<NewPurchase> & { sessionId?: string | null } = {},
): Promise<{ id: string; sessionId: string }> {
  const id = also.id ?? newId("pur");
  const { sessionId = `cs_test_${id}`, ...more } = also;
  const purchase: NewPurchase = {
    ...{ ...ref, id, livemode: false, packId: null, quantity: 1, credits: CREDITS, amount: PRICE, currency: "usd" },
    stripeAccount: "",
    ...more,
  };
  await insertPurchase(database, purchase);
  if (sessionId !== null) {
    await database.query({
      text: "update credit_purchases set stripe_session_id = $2 where id = $1",
      values: [id, sessionId],
    });
  }
  return { id, sessionId: sessionId ?? `cs_test_${id}` };
}

/** What happens to a payment after it was made, in this order. Amounts in minor units. */
export type Turn =
  | { what: "refund"; amount: number; fails: boolean }
  | { what: "dispute"; amount: number; ends: "open" | "won" | "lost" | "prevented" | "warning_closed" };

export interface Payment {
  purchaseId: string;
  sessionId: string;
  /** A slow method: the session completes unpaid, and is paid later. */
  slow: boolean;
  /** In old shapes refunds and disputes name only the charge. */
  old: boolean;
  /** Without a session, as a top-up: the payment intent names the purchase. */
  direct?: boolean;
  turns: readonly Turn[];
}

/** Every event of a payment, in the order in which it happened. Each has its own second. */
export function eventsOf({ purchaseId, sessionId, slow, old, direct = false, turns }: Payment): Arrival[] {
  const [intent, charge] = [`pi_${purchaseId}`, `ch_${purchaseId}`];
  let second = BEGIN;
  const arrivals: Arrival[] = [];
  const tell = (type: string, object: StripeEvent["data"]["object"], also: Overrides = {}): void => {
    second += 1;
    const id = `evt_${purchaseId}_${String(second)}`;
    arrivals.push({
      event: { ...event(type, { ...object, ...also }, { id, created: second, apiVersion: old ? OLD_API : NEW_API }) },
    });
  };
  const session = { id: sessionId, payment_intent: intent, client_reference_id: purchaseId, ...TOTAL };
  const [sessionOf, chargeOf] = old
    ? [payments.oldCheckoutSession, payments.oldCharge]
    : [payments.newCheckoutSession, payments.newCharge];
  const charged = { id: charge, payment_intent: intent, amount: PRICE, amount_captured: PRICE };
  const metadata = { billhook_purchase: purchaseId };
  const paid = { id: intent, amount: PRICE, amount_received: PRICE, latest_charge: charge, metadata };
  if (slow) {
    if (!direct) tell("checkout.session.completed", sessionOf({ ...session, payment_status: "unpaid" }));
    tell("payment_intent.processing", payments.newPaymentIntent({ ...paid, status: "processing", amount_received: 0 }));
  }
  tell("payment_intent.succeeded", payments.newPaymentIntent(paid));
  tell("charge.succeeded", chargeOf(charged));
  if (!direct)
    tell(slow ? "checkout.session.async_payment_succeeded" : "checkout.session.completed", sessionOf(session));
  const link = old ? { charge, payment_intent: null } : { charge, payment_intent: intent };
  let refunded = 0;
  for (const [index, turn] of turns.entries()) {
    const id = `${turn.what === "refund" ? "re" : "dp"}_${purchaseId}_${String(index)}`;
    if (turn.what === "refund") {
      const refund = { id, amount: turn.amount, ...link };
      refunded += turn.amount;
      tell("refund.created", payments.newRefund({ ...refund, status: "pending" }));
      tell("charge.refunded", chargeOf({ ...charged, amount_refunded: refunded }));
      tell("refund.updated", payments.newRefund({ ...refund, status: turn.fails ? "failed" : "succeeded" }));
      if (!turn.fails) continue;
      refunded -= turn.amount;
      // Stripe sends no event for it: this is what the fetch that was queued answers.
      second += 1;
      arrivals.push({
        fetched: {
          ...{ livemode: false, account: "", asOf: second, apiVersion: NEW_API },
          object: payments.newCharge({ ...charged, amount_refunded: refunded }),
        },
      });
    } else {
      const dispute = { id, amount: turn.amount, ...link };
      tell("charge.dispute.created", payments.newDispute({ ...dispute, status: "needs_response" }));
      if (turn.ends === "open") continue;
      tell("charge.dispute.updated", payments.newDispute({ ...dispute, status: "under_review" }));
      tell("charge.dispute.closed", payments.newDispute({ ...dispute, status: turn.ends }));
    }
  }
  return arrivals;
}

const TOTAL = { amount_subtotal: PRICE, amount_total: PRICE, currency: "usd" };

/** What the purchase has brought in the end, when nothing of it expires. */
export function creditsOf({ turns }: Pick<Payment, "turns">): number {
  const gone = turns.reduce((sum, turn) => {
    const stands = turn.what === "refund" ? !turn.fails : turn.ends === "open" || turn.ends === "lost";
    return sum + (stands ? turn.amount : 0);
  }, 0);
  return CREDITS - Math.floor((CREDITS * Math.min(PRICE, gone)) / PRICE);
}
