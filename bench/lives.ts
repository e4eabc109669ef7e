// Lives of customers: the Stripe events of a catalogue, a subscription with its renewal, a one-off payment. In true order. Pure.
import { priceObject, productObject } from "./catalogue-objects.ts";
import type { Chance } from "./chance.ts";
import type { ChargeState, IntentState, InvoiceState, Party, StripeObject, SubscriptionState } from "./objects.ts";
import {
  chargeObject,
  customerObject,
  disputeObject,
  invoiceObject,
  paymentIntentObject,
  paymentMethodObject,
  refundObject,
  setupIntentObject,
  subscriptionObject,
} from "./objects.ts";

/** One event before it has an id: what happened, when, to which object, and what it was before (`*.updated` only). */
export interface Step {
  type: string;
  created: number;
  object: StripeObject;
  previous: StripeObject | null;
}

/** Of two steps of one life, how often the second falls into the first one's second. */
const SAME_SECOND = 0.25;

/** A life as it is written down: its clock, and what has happened. */
export class Life {
  readonly steps: Step[] = [];
  readonly chance: Chance;
  now: number;

  constructor(chance: Chance, start: number) {
    this.chance = chance;
    this.now = start;
  }

  happens(type: string, object: StripeObject, previous: StripeObject | null = null): void {
    if (!this.chance.is(SAME_SECOND)) this.now += 1 + this.chance.below(3);
    this.steps.push({ type, created: this.now, object, previous });
  }

  waits(seconds: number): void {
    this.now += seconds;
  }
}

export interface Catalogue {
  price: string;
  product: string;
}

export function liveCatalogue(life: Life, catalogue: Catalogue): void {
  const { price, product } = catalogue;
  const born = life.now;
  life.happens("product.created", productObject(product, born, false));
  life.happens("price.created", priceObject(price, product, born, 2900));
  life.waits(2);
  life.happens("product.updated", productObject(product, born, true), { active: false });
  life.happens(
    "price.updated",
    { ...priceObject(price, product, born, 2900), nickname: "Monthly" },
    { nickname: null },
  );
}

export function liveSubscription(life: Life, who: Party): void {
  const { chance } = life;
  life.happens("customer.created", customerObject(who, null));
  life.happens("payment_method.attached", paymentMethodObject(who));
  const before = { invoice_settings: { default_payment_method: null } };
  const setup = chance.id("seti");
  life.happens("setup_intent.created", setupIntentObject(who, setup, life.now, "requires_confirmation"));
  life.happens("setup_intent.succeeded", setupIntentObject(who, setup, life.now, "succeeded"));
  life.happens("customer.updated", customerObject(who, who.paymentMethod), before);
  life.waits(1);
  const state: SubscriptionState = {
    ...{ id: chance.id("sub"), item: chance.id("si", 14), created: life.now, periodStart: life.now },
    ...{ status: "incomplete", latestInvoice: chance.id("in"), endedAt: null },
  };
  life.happens("customer.subscription.created", subscriptionObject(who, state));
  const charge = liveInvoice(life, who, state, "subscription_create");
  if (chance.is(0.12)) liveRefund(life, who, charge);
  else if (chance.is(0.04)) liveDispute(life, who, charge);
  life.waits(3);
  const last = { periodStart: state.periodStart, latestInvoice: state.latestInvoice };
  Object.assign(state, { periodStart: life.now, latestInvoice: chance.id("in") });
  life.happens("customer.subscription.updated", subscriptionObject(who, state), {
    latest_invoice: last.latestInvoice,
    ...(who.shape === "old" ? { current_period_start: last.periodStart } : {}),
  });
  liveInvoice(life, who, state, "subscription_cycle");
  if (!chance.is(0.2)) return;
  life.waits(2);
  Object.assign(state, { status: "canceled", endedAt: life.now });
  life.happens("customer.subscription.deleted", subscriptionObject(who, state));
}

/** An invoice from its draft to its payment, with the first subscription payment moving the subscription to `active`. */
function liveInvoice(life: Life, who: Party, subscription: SubscriptionState, reason: string): ChargeState {
  const { chance } = life;
  const charge = newCharge(life, chance.id("pi"), subscription.latestInvoice);
  const invoice: InvoiceState = {
    ...{
      id: subscription.latestInvoice,
      line: chance.id("il"),
      subscription: subscription.id,
      item: subscription.item,
    },
    ...{ intent: charge.intent, charge: charge.id, created: life.now, status: "draft", attempts: 0 },
    ...{ reason, paidAt: null },
  };
  life.happens("invoice.created", invoiceObject(who, invoice));
  invoice.status = "open";
  life.happens("invoice.finalized", invoiceObject(who, invoice));
  const intent = newIntent(life, charge, invoice.id);
  life.happens("payment_intent.created", paymentIntentObject(who, intent));
  if (chance.is(0.15)) {
    liveDecline(life, who, intent, invoice.id);
    invoice.attempts += 1;
    life.happens("invoice.payment_failed", invoiceObject(who, invoice));
    life.waits(2);
  }
  livePayment(life, who, intent, charge);
  Object.assign(invoice, { status: "paid", attempts: invoice.attempts + 1, paidAt: life.now });
  life.happens("invoice.updated", invoiceObject(who, invoice), { status: "open", amount_paid: 0 });
  life.happens("invoice.paid", invoiceObject(who, invoice));
  life.happens("invoice.payment_succeeded", invoiceObject(who, invoice));
  if (subscription.status === "incomplete") {
    subscription.status = "active";
    life.happens("customer.subscription.updated", subscriptionObject(who, subscription), { status: "incomplete" });
  }
  charge.balance = chance.id("txn");
  life.happens("charge.updated", chargeObject(who, charge), { balance_transaction: null });
  return charge;
}

export function liveOnePayment(life: Life, who: Party): void {
  life.happens("customer.created", customerObject(who, null));
  const charge = newCharge(life, life.chance.id("pi"), null);
  const intent = newIntent(life, charge, null);
  life.happens("payment_intent.created", paymentIntentObject(who, intent));
  if (life.chance.is(0.15)) liveDecline(life, who, intent, null);
  livePayment(life, who, intent, charge);
  charge.balance = life.chance.id("txn");
  life.happens("charge.updated", chargeObject(who, charge), { balance_transaction: null });
  if (life.chance.is(0.1)) liveRefund(life, who, charge);
}

function newCharge(life: Life, intent: string, invoice: string | null): ChargeState {
  return {
    ...{ id: life.chance.id("ch"), intent, invoice, created: life.now, failed: false, refunded: 0 },
    ...{ balance: null, disputed: false },
  };
}

function newIntent(life: Life, charge: ChargeState, invoice: string | null): IntentState {
  return {
    id: charge.intent,
    invoice,
    charge: null,
    created: life.now,
    status: "requires_payment_method",
    error: null,
  };
}

function liveDecline(life: Life, who: Party, intent: IntentState, invoice: string | null): void {
  const charge = { ...newCharge(life, intent.id, invoice), failed: true };
  life.happens("charge.failed", chargeObject(who, charge));
  const declined = {
    ...{ charge: charge.id, code: "card_declined", decline_code: "generic_decline", type: "card_error" },
    ...{ doc_url: "https://stripe.com/docs/error-codes/card-declined", message: "Your card was declined." },
  };
  Object.assign(intent, { charge: charge.id, error: declined });
  life.happens("payment_intent.payment_failed", paymentIntentObject(who, intent));
}

function livePayment(life: Life, who: Party, intent: IntentState, charge: ChargeState): void {
  Object.assign(intent, { error: null, charge: charge.id });
  if (life.chance.is(0.3)) {
    intent.status = "requires_action";
    life.happens("payment_intent.requires_action", paymentIntentObject(who, intent));
    life.waits(1);
  }
  life.happens("charge.succeeded", chargeObject(who, charge));
  intent.status = "succeeded";
  life.happens("payment_intent.succeeded", paymentIntentObject(who, intent));
}

function liveRefund(life: Life, who: Party, charge: ChargeState): void {
  life.waits(2);
  charge.refunded = life.chance.is(0.5) ? who.amount : Math.floor(who.amount / 2);
  const [id, created] = [life.chance.id("re"), life.now];
  life.happens("refund.created", refundObject(who, id, charge, created, "pending"));
  life.happens("charge.refunded", chargeObject(who, charge));
  life.happens("refund.updated", refundObject(who, id, charge, created, "succeeded"), { status: "pending" });
}

function liveDispute(life: Life, who: Party, charge: ChargeState): void {
  life.waits(2);
  const [id, created] = [life.chance.id("du"), life.now];
  life.happens("charge.dispute.created", disputeObject(who, id, charge, created, "needs_response"));
  charge.disputed = true;
  life.happens("charge.updated", chargeObject(who, charge), { disputed: false });
  life.happens("charge.dispute.funds_withdrawn", disputeObject(who, id, charge, created, "needs_response"));
  life.waits(1);
  life.happens("charge.dispute.closed", disputeObject(who, id, charge, created, life.chance.pick(["won", "lost"])));
}
