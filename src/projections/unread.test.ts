// What cannot be read is flagged by name, also on child rows; what is whole is not, in any shape.
import { describe, expect, it } from "vitest";

import { event, list, observed, type Overrides } from "../../test/support/stripe-fixtures.ts";
import {
  newInvoice,
  newSubscription,
  oldInvoice,
  oldSubscription,
} from "../../test/support/stripe-fixtures-billing.ts";
import { everyHandledEvent } from "../../test/support/stripe-fixtures-events.ts";
import {
  newCheckoutSession,
  newPaymentIntent,
  newRefund,
  oldCheckoutSession,
  oldPaymentIntent,
} from "../../test/support/stripe-fixtures-payments.ts";
import { fold, isStub } from "./fold.ts";
import type { Observation, StripeObject } from "./observation.ts";
import { projectionOf } from "./registry.ts";

function unreadOf(observation: Observation): string[] {
  const { livemode, account, objectType, objectId } = observation;
  const key = { livemode, account, objectType, objectId: objectId ?? "" };
  return fold(key, projectionOf(objectType), [observation], undefined)?.unread ?? [];
}

const unread = (object: StripeObject): string[] => unreadOf(observed(event("thing.updated", object)));

const ITEM = { id: "si_1", object: "subscription_item", price: { id: "price_1" }, quantity: 1 };
const PERIOD = { current_period_start: 1, current_period_end: 2 };
const itemsOf = (...items: unknown[]) => ({ items: list("/v1/subscription_items", ...(items as StripeObject[])) });

describe("an object of a known shape", () => {
  it("has nothing flagged, in the oldest and in the newest version", () => {
    const events = everyHandledEvent().flatMap(({ old, new: newer }) => (old === null ? [newer] : [old, newer]));
    const flagged = events
      .map(observed)
      .filter((one) => one.objectId !== null && !isStub(one))
      .flatMap((one) => unreadOf(one).map((name) => `${name} of ${one.type} (${String(one.apiVersion)})`));
    expect(flagged).toEqual([]);
  });
});

describe("a subscription's items", () => {
  it.each<[string, Overrides, string[]]>([
    ["a price of an unknown shape", { price: undefined, pricing: { price_v3: "price_2" } }, ["price_id"]],
    ["a quantity as text", { quantity: "1" }, ["quantity"]],
    ["a period as text", { current_period_end: "2" }, ["current_period_end"]],
    ["an id that is no text", { id: 5 }, ["id"]],
    ["no id", { id: undefined }, ["id"]],
  ])("flag %s on the subscription, whichever item has it", (_what, fields, names) => {
    const second = { ...ITEM, ...PERIOD, id: "si_2", ...fields };
    const flagged = unread(newSubscription(itemsOf({ ...ITEM, ...PERIOD }, second)));
    expect(flagged.filter((name) => name.startsWith("subscription_items."))).toEqual(
      names.map((name) => `subscription_items.${name}`),
    );
  });

  it("flag a list that goes on elsewhere, and one that is none", () => {
    const more = { ...list("/v1/subscription_items", { ...ITEM, ...PERIOD }), has_more: true };
    expect(unread(newSubscription({ items: more }))).toEqual(["subscription_items.has_more"]);
    expect(unread(oldSubscription({ items: { object: "list" } }))).toEqual(["subscription_items.id"]);
    expect(unread(oldSubscription(itemsOf({ ...ITEM }, null)))).toEqual(["subscription_items.id"]);
  });

  it("flag nothing where an old shape has no items but a plan", () => {
    expect(unread(oldSubscription({ items: undefined }))).toEqual([]);
  });
});

describe("a field that much depends on", () => {
  it("is flagged on an invoice of nobody, and not on one of a customer account", () => {
    for (const make of [oldInvoice, newInvoice]) expect(unread(make({ customer: undefined }))).toEqual(["customer_id"]);
    expect(unread(newInvoice({ customer: null, customer_account: "acct_9" }))).toEqual([]);
  });

  it("is flagged on a session that has a status and no payment status, and not on one from before sessions had either", () => {
    const gone = { payment_status: undefined };
    expect(unread(newCheckoutSession({ ...gone, status: "complete" }))).toEqual(["payment_status"]);
    expect(unread(oldCheckoutSession({ ...gone, status: undefined }))).toEqual([]);
  });

  it("is flagged on a payment that took money by no known charge, and not on one of nothing or that is still to come", () => {
    const paid = { status: "succeeded", latest_charge: undefined };
    expect(unread(newPaymentIntent(paid))).toEqual(["latest_charge_id"]);
    expect(unread(oldPaymentIntent({ status: "succeeded", charges: undefined }))).toEqual(["latest_charge_id"]);
    expect(unread(newPaymentIntent({ ...paid, amount: 0 }))).toEqual([]);
    expect(unread(newPaymentIntent({ ...paid, status: "processing" }))).toEqual([]);
  });
});

describe("text that no index or column could keep", () => {
  it("is flagged: a status as no status of Stripe's is, and a reference with NUL or half a character", () => {
    const long = "x".repeat(256);
    expect(unread(newInvoice({ status: long }))).toEqual(["status", "paid"]);
    expect(unread(newSubscription({ status: long }))).toEqual(["status"]);
    expect(unread(newPaymentIntent({ status: long }))).toEqual(["status"]);
    expect(unread(newRefund({ status: long, currency: long }))).toEqual(["status", "currency"]);
    expect(unread(newRefund({ payment_intent: "pi_\0", charge: { id: "ch_\ud800" } }))).toEqual([
      "charge_id",
      "payment_intent_id",
    ]);
  });

  it("is not what it takes to be a plan's or coupon's own id: spaces and any script are read", () => {
    const item = { ...ITEM, price: undefined, plan: { id: "Gold-Tarif für Großkunden" } };
    const row = projectionOf("subscription").row(
      oldSubscription(itemsOf(item)),
      observed(event("x", oldSubscription())),
    );
    expect(row.price_id).toBe("Gold-Tarif für Großkunden");
  });
});
