// Lives of Stripe objects, step by step and in both shapes: what the order tests permute, duplicate and cut.
import type { StripeObject } from "../../src/projections/observation.ts";
import { NEW_API, OLD_API, type Overrides } from "./stripe-fixtures.ts";
import * as billing from "./stripe-fixtures-billing.ts";
import * as payments from "./stripe-fixtures-payments.ts";

type Build = (overrides?: Overrides) => StripeObject;

export interface Step {
  /** The event's type, or "fetch" for the object as an API call answers it. */
  type: string;
  old: Build;
  new: Build;
  /** All that the object says after this step, over the fixture's defaults. */
  says: Overrides;
  /** What the event names as past. */
  previous?: Overrides;
  /** Arrives a second time in the other API version, under the same event id. */
  twice?: boolean;
}

interface Kind {
  old: Build;
  new: Build;
}

/** Builds a life: each step changes some fields, and `*.updated` events name what those fields said before. */
function life(
  kind: Kind,
  first: Overrides,
  ...steps: [type: string, changes: Overrides, more?: Partial<Step>][]
): Step[] {
  let says: Overrides = first;
  return steps.map(([type, changes, more]) => {
    const before = Object.fromEntries(Object.keys(changes).map((name) => [name, says[name] ?? null]));
    says = { ...says, ...changes };
    const names = type.endsWith(".updated") && Object.keys(changes).length > 0;
    return { type, ...kind, says, ...(names ? { previous: before } : {}), ...more };
  });
}

const CUSTOMER: Kind = { old: billing.oldCustomer, new: billing.newCustomer };
const SUBSCRIPTION: Kind = { old: billing.oldSubscription, new: billing.newSubscription };
const INVOICE: Kind = { old: billing.oldInvoice, new: billing.newInvoice };
const INTENT: Kind = { old: payments.oldPaymentIntent, new: payments.newPaymentIntent };
const CHARGE: Kind = { old: payments.oldCharge, new: payments.newCharge };
const REFUND: Kind = { old: payments.oldRefund, new: payments.newRefund };
const DISPUTE: Kind = { old: payments.oldDispute, new: payments.newDispute };
const SESSION: Kind = { old: payments.oldCheckoutSession, new: payments.newCheckoutSession };
const METHOD: Kind = { old: payments.oldPaymentMethod, new: payments.newPaymentMethod };

export const LIVES: Readonly<Record<string, Step[]>> = {
  "a subscription from trial to its end": life(
    SUBSCRIPTION,
    { status: "trialing" },
    ["customer.subscription.created", {}],
    ["customer.subscription.trial_will_end", {}],
    ["customer.subscription.updated", { status: "active" }],
    ["customer.subscription.updated", { status: "past_due", latest_invoice: "in_2" }],
    ["customer.subscription.updated", { status: "active" }, { twice: true }],
    ["fetch", {}],
    ["customer.subscription.updated", { cancel_at_period_end: true }],
    ["customer.subscription.deleted", { status: "canceled", canceled_at: 1_700_500_000, ended_at: 1_700_500_000 }],
  ),
  "an invoice that fails, and is paid, with a late update": life(
    INVOICE,
    { status: "draft", number: null, attempt_count: 0, attempted: false, amount_paid: 0 },
    ["invoice.created", {}],
    ["invoice.finalized", { status: "open", number: "A-1" }, { previous: { status: "draft", number: null } }],
    ["invoice.payment_failed", { attempt_count: 1, attempted: true }],
    ["invoice.updated", { next_payment_attempt: 1_700_300_000 }],
    ["invoice.payment_failed", { attempt_count: 2 }, { twice: true }],
    ["invoice.paid", { ...billing.PAID, attempt_count: 3 }],
    ["invoice.payment_succeeded", {}],
    // Sent after it was paid, with what was true before: it must not undo the payment.
    ["invoice.updated", { status: "open", amount_paid: 0 }],
  ),
  "a payment that needs action, fails and succeeds": life(
    INTENT,
    { status: "requires_payment_method" },
    ["payment_intent.created", {}],
    ["payment_intent.requires_action", { status: "requires_action" }],
    ["payment_intent.payment_failed", payments.declined("ch_0")],
    ["fetch", {}],
    ["payment_intent.processing", { status: "processing", last_payment_error: null }],
    ["payment_intent.succeeded", { status: "succeeded", amount_received: 3100 }],
  ),
  "a charge that is refunded in parts and disputed": [
    ...life(
      CHARGE,
      {},
      ["charge.succeeded", { balance_transaction: null }],
      ["charge.updated", { balance_transaction: "txn_1" }],
      ["charge.refunded", { amount_refunded: 1000 }, { previous: { amount_refunded: 0 } }],
      [
        "charge.refunded",
        { amount_refunded: 3100, refunded: true },
        { previous: { amount_refunded: 1000, refunded: false } },
      ],
      ["charge.updated", { disputed: true }],
    ),
    ...life(
      REFUND,
      { status: "pending" },
      ["refund.created", {}],
      ["refund.updated", { status: "succeeded" }],
      ["refund.failed", { status: "failed" }],
    ),
    ...life(
      DISPUTE,
      { status: "needs_response" },
      ["charge.dispute.created", {}],
      ["charge.dispute.funds_withdrawn", {}],
      ["charge.dispute.updated", { status: "under_review" }],
      ["charge.dispute.closed", { status: "won" }],
      ["charge.dispute.funds_reinstated", {}],
    ),
  ],
  "a customer that comes back from A to B to A within a second, and is deleted before its last update": life(
    CUSTOMER,
    { name: "A\u0000\ud800" },
    ["customer.created", {}],
    ["customer.updated", { name: "B" }],
    ["customer.updated", { name: "A\u0000\ud800" }],
    ["customer.updated", { email: "new@example.com" }],
    ["fetch", {}],
    ["customer.updated", { name: "\udfff C" }],
    ["customer.deleted", {}],
    ["customer.updated", { name: "D" }],
  ),
  "a checkout that is paid by a slow method": [
    ...life(
      SESSION,
      { status: "complete", payment_status: "unpaid" },
      ["checkout.session.completed", {}],
      ["checkout.session.async_payment_succeeded", { payment_status: "paid" }],
    ),
    ...life(
      METHOD,
      { customer: "cus_1" },
      ["payment_method.attached", {}, { previous: { customer: null } }],
      ["payment_method.updated", { metadata: { a: "1" } }],
      ["payment_method.detached", { customer: null }, { previous: { customer: "cus_1" } }],
    ),
  ],
};

/** A step as it arrives, at a given second, in a given shape. `index` names its event. */
export function bodyOf(step: Step, shape: "old" | "new"): { object: StripeObject; apiVersion: string } {
  return shape === "old"
    ? { object: step.old(step.says), apiVersion: OLD_API }
    : { object: step.new(step.says), apiVersion: NEW_API };
}
