// Every event type that the product promises lands in typed columns, the same from old and new shapes.
import { describe, expect, it } from "vitest";

import { BEGIN, event, observed, type StripeEvent } from "../../test/support/stripe-fixtures.ts";
import { everyHandledEvent } from "../../test/support/stripe-fixtures-events.ts";
import {
  newInvoice,
  newSubscription,
  oldInvoice,
  oldSubscription,
} from "../../test/support/stripe-fixtures-billing.ts";
import { oldCard } from "../../test/support/stripe-fixtures-payments.ts";
import {
  customerOf,
  emailOf,
  isHandled,
  keyTypeOf,
  objectTypeOf,
  otherObject,
  projectionOf,
  PROJECTIONS,
  REGISTRY,
  unique,
} from "./registry.ts";

const PROMISED = `checkout.session.{completed,expired,async_payment_succeeded,async_payment_failed}
customer.{created,updated,deleted} customer.source.{expiring,updated}
customer.subscription.{created,updated,deleted,trial_will_end,paused,resumed}
payment_intent.{created,succeeded,payment_failed,canceled,processing,requires_action}
charge.{succeeded,failed,refunded,captured,updated} refund.{created,updated,failed} charge.refund.{updated}
charge.dispute.{created,updated,closed,funds_withdrawn,funds_reinstated}
invoice.{created,updated,finalized,paid,payment_succeeded,payment_failed,payment_action_required,voided,marked_uncollectible,sent,deleted,upcoming}
invoice_payment.{paid} setup_intent.{created,succeeded,setup_failed,canceled,requires_action}
payment_method.{attached,detached,updated,automatically_updated}
product.{created,updated,deleted} price.{created,updated,deleted} plan.{created,updated,deleted}
account.{updated} account.application.{deauthorized} capability.{updated}
payout.{created,updated,paid,failed,canceled,reconciliation_completed}`
  .split(/\s+/)
  .flatMap((family) => {
    const [prefix = "", names = ""] = family.split("{");
    return names
      .replace("}", "")
      .split(",")
      .map((name) => prefix + name);
  });

/** What webhooks in new shapes leave unsaid: only a fetched invoice with its payments tells. */
const UNSAID = ["paid_out_of_band"];

const events = everyHandledEvent();

function rowOf(stripeEvent: StripeEvent): Record<string, unknown> {
  const observation = observed(stripeEvent);
  return projectionOf(observation.objectType).row(observation.object, observation);
}

function unreadOf(row: Record<string, unknown>): string[] {
  return Object.keys(row).filter((name) => row[name] === undefined);
}

describe("events that something handles", () => {
  it("are all those that are promised, each with a fixture", () => {
    const written = events.map((one) => one.type);
    expect(PROMISED.filter((type) => !written.includes(type))).toEqual([]);
    expect(PROMISED.filter((type) => !isHandled(type))).toEqual([]);
    expect(new Set(written).size).toBe(written.length);
  });

  it("are no others", () => {
    expect(
      ["customer.discount.created", "coupon.created", "balance.available", "invoice.unheard_of", "x", ""].map(
        isHandled,
      ),
    ).toEqual([false, false, false, false, false, false]);
  });

  it.each(events)("$type is read whole, and alike in old and new shapes", (one) => {
    const projection = projectionOf(observed(one.new).objectType);
    const [before, now] = [one.old, one.new].map((shape) => (shape === null ? null : rowOf(shape)));
    expect(projection).not.toBe(otherObject);
    expect(now && unreadOf(now)).toEqual([]);
    if (before === null || before === undefined || now === null || now === undefined) return;
    expect(unreadOf(before)).toEqual([]);
    // New shapes no longer say some ids. Those are columns that stay known once another observation has said them.
    const unsaid = [...(projection.keeps ?? []), ...UNSAID];
    const differing = Object.keys(projection.columns).filter((name) => !(now[name] === null && unsaid.includes(name)));
    expect(pick(now, differing)).toEqual(pick(before, differing));
  });

  it("have the columns that they are about", () => {
    const columns = (object: string, of: readonly string[]) =>
      pick({ ...rowOf(event("x.updated", { ...byObject(object) })) }, of);
    expect(columns("invoice", ["subscription_id", "price_id", "tax", "amount_remaining", "line_period_end"])).toEqual({
      subscription_id: "sub_1",
      price_id: "price_1",
      tax: 100,
      amount_remaining: 3100,
      line_period_end: BEGIN + 30 * 86_400,
    });
    expect(columns("subscription", ["price_id", "quantity", "application_fee_percent", "current_period_end"])).toEqual({
      price_id: "price_1",
      quantity: 2,
      application_fee_percent: "12.5",
      current_period_end: BEGIN + 30 * 86_400,
    });
    expect(columns("payment_intent", ["latest_charge_id", "transfer_destination"])).toEqual({
      latest_charge_id: "ch_1",
      transfer_destination: "acct_2",
    });
    expect(columns("charge", ["card_brand", "card_last4"])).toEqual({ card_brand: "visa", card_last4: "4242" });
  });

  it("give a subscription the same items from old and new shapes", () => {
    const child = projectionOf("subscription").children?.[0];
    expect(child?.rows(oldSubscription())).toEqual(child?.rows(newSubscription()));
    expect(child?.rows(newSubscription())).toMatchObject([{ id: "si_1", price_id: "price_1", unit_amount: 1500 }]);
  });
});

function byObject(object: string): Record<string, unknown> {
  const found = events.find((one) => one.new.data.object.object === object && one.type.endsWith("updated"));
  const fallback = events.find((one) => one.new.data.object.object === object && one.type.endsWith("succeeded"));
  return (found ?? fallback)?.new.data.object ?? {};
}

function pick(row: Record<string, unknown>, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(names.map((name) => [name, row[name]]));
}

describe("an object whose required field cannot be read", () => {
  it("says which, instead of a silent null", () => {
    const broken = (overrides: Record<string, unknown>) =>
      unreadOf(rowOf(event("invoice.updated", newInvoice(overrides))));
    expect(broken({ status: 7 })).toEqual(["status", "paid"]);
    expect(broken({ total: "3100" })).toEqual(["total"]);
    expect(broken({ amount_due: 1e300 })).toEqual(["amount_due"]);
    expect(broken({ subscription: null, parent: "gone", lines: [] })).toEqual([
      "subscription_id",
      "subscription_metadata",
    ]);
    expect(broken({ parent: undefined, lines: undefined })).toEqual(["subscription_id"]);
    const subscription = newSubscription({ items: { object: "list", data: [] } });
    expect(unreadOf(rowOf(event("customer.subscription.updated", subscription)))).toEqual([
      "price_id",
      "current_period_start",
      "current_period_end",
    ]);
  });

  it("is not one with a status that we have never heard of", () => {
    expect(rowOf(event("invoice.updated", oldInvoice({ status: "levitating" })))).toMatchObject({
      status: "levitating",
      paid: false,
    });
  });
});

describe("the registry", () => {
  it("refuses a second line for the same object, event or table", () => {
    expect(() =>
      unique([
        ["invoice", 1],
        ["charge", 2],
        ["invoice", 3],
      ]),
    ).toThrow(/names invoice twice/);
  });

  it("declares kept columns and tracked columns that exist, and kept ones as text", () => {
    for (const { table, columns, keeps = [], tracked = [] } of PROJECTIONS) {
      expect(
        [...keeps, ...tracked].filter((name) => !(name in columns)),
        table,
      ).toEqual([]);
      expect(
        keeps.filter((name) => columns[name] !== "text"),
        table,
      ).toEqual([]);
    }
    expect(PROJECTIONS).toHaveLength(REGISTRY.length + 1);
    expect(PROJECTIONS.at(-1)).toBe(otherObject);
  });

  it("knows an event's object by its own word, else by the event's type, under one name per table", () => {
    expect(objectTypeOf("customer.source.updated", oldCard())).toBe("source");
    expect(objectTypeOf("account.application.deauthorized", { id: "ca_1" })).toBe("application");
    expect(objectTypeOf("customer.subscription.updated", {})).toBe("subscription");
    expect(objectTypeOf("charge.dispute.created", { object: 7 })).toBe("dispute");
    expect(objectTypeOf("invoice.paid", { object: "" })).toBe("invoice");
    expect(objectTypeOf("checkout.session.expired", {})).toBe("checkout.session");
    expect(objectTypeOf("nodots", {})).toBe("nodots");
    expect(keyTypeOf("bank_account")).toBe("source");
    expect(keyTypeOf("tax_rate")).toBe("tax_rate");
    expect(projectionOf("tax_rate")).toBe(otherObject);
    expect(projectionOf("*")).toBe(otherObject);
    expect(projectionOf("constructor")).toBe(otherObject);
  });
});

describe("the search columns of an event", () => {
  it("are the customer and the address that its object names", () => {
    expect(customerOf({ object: "customer", id: "cus_1" })).toBe("cus_1");
    expect(customerOf({ object: "invoice", customer: { id: "cus_2", object: "customer" } })).toBe("cus_2");
    expect(customerOf({ object: "invoice", customer: 5 })).toBeNull();
    expect(emailOf({ customer_details: { email: "Ada@Example.com" }, customer_email: null })).toBe("ada@example.com");
    const both = { customer_details: { email: "paid@example.com" }, customer_email: "asked@example.com" };
    expect(emailOf(both)).toBe("paid@example.com");
    expect(emailOf({ billing_details: { email: "b@example.com" }, email: "" })).toBe("b@example.com");
    expect(emailOf({ email: "x".repeat(600), receipt_email: "r@example.com" })).toBe("r@example.com");
    expect(emailOf({ customer_details: "none" })).toBeNull();
  });
});
