// The readers, each on the shapes of the API versions that differ.
import { describe, expect, it } from "vitest";

import { couponOf, discountOf } from "./read-discount.ts";
import {
  invoiceAmountPaid,
  invoiceAmountRemaining,
  invoiceApplicationFee,
  invoiceAutoAdvance,
  invoiceCharge,
  invoiceFinalizedAt,
  invoicePaidOutOfBand,
  invoicePaymentIntent,
  invoicePrice,
  invoiceStatus,
  invoiceSubscription,
  invoiceTax,
  linePeriodEnd,
  linePeriodStart,
} from "./read-invoice.ts";
import {
  chargeCard,
  chargeStatus,
  disputeDueBy,
  intentStatus,
  latestCharge,
  sessionStatus,
  typedDetails,
} from "./read-payment.ts";
import { isCancelScheduled, periodEnd, periodStart, subscriptionPrice } from "./read-subscription.ts";
import { at, decimal, email, firstOf, integer, listed, reference, text, time } from "./read-values.ts";

describe("a value", () => {
  it("is read, absent (null) or unreadable (undefined)", () => {
    expect([reference("in_1"), reference({ id: "in_1", object: "invoice" }), reference(null), reference("")]).toEqual([
      "in_1",
      "in_1",
      null,
      null,
    ]);
    expect([reference(5), reference({}), reference([]), reference("x".repeat(256))]).toEqual([
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
    expect([integer(5), integer("5"), integer(2 ** 53), integer(0.5), integer(undefined)]).toEqual([
      5,
      undefined,
      undefined,
      undefined,
      null,
    ]);
    expect([time(0), time(-1), time(253_370_764_799), time(253_370_764_800)]).toEqual([
      0,
      undefined,
      253_370_764_799,
      undefined,
    ]);
    expect([decimal(12.5), decimal("0.0001"), decimal("1e3"), decimal(1e300), decimal(NaN)]).toEqual([
      "12.5",
      "0.0001",
      undefined,
      undefined,
      undefined,
    ]);
    expect([email("a@b.c"), email("x".repeat(513)), text(7)]).toEqual(["a@b.c", undefined, undefined]);
  });

  it("behind a path is absent when a step is, and unreadable when a step is no object", () => {
    expect(text(at({ a: { b: "c" } }, "a", "b"))).toBe("c");
    expect([text(at({ a: null }, "a", "b")), text(at({}, "a", "b")), text(at({ a: [] }, "a", "b"))]).toEqual([
      null,
      null,
      undefined,
    ]);
    expect(listed({ data: [null, { id: "x" }, 3] })).toEqual([{ id: "x" }]);
    expect([firstOf(null, "b"), firstOf(undefined, "b"), firstOf<string>(null, undefined), firstOf<string>()]).toEqual([
      "b",
      "b",
      undefined,
      null,
    ]);
  });
});

describe("an invoice", () => {
  it("names its subscription in its field, its parent or its lines", () => {
    expect(invoiceSubscription({ subscription: { id: "sub_1" } })).toBe("sub_1");
    expect(invoiceSubscription({ parent: { subscription_details: { subscription: "sub_1" } } })).toBe("sub_1");
    const line = { parent: { subscription_item_details: { subscription: "sub_1" } } };
    expect(invoiceSubscription({ lines: { data: [{}, line] } })).toBe("sub_1");
    expect(invoiceSubscription({ lines: { data: [{ type: "subscription", subscription: "sub_1" }] } })).toBe("sub_1");
    expect(
      invoiceSubscription({
        lines: { data: [{ type: "invoiceitem", subscription: "sub_1" }] },
        billing_reason: "manual",
      }),
    ).toBeNull();
    expect(invoiceSubscription({ billing_reason: "subscription_cycle" })).toBeUndefined();
    expect(invoiceSubscription({ parent: { type: "subscription_details" } })).toBeUndefined();
  });

  it("names its payment where this version or an expanded answer has it", () => {
    const paid = (payment: object) => ({
      payments: { data: [{ payment: { payment_intent: "pi_0" } }, { is_default: true, payment }] },
    });
    expect(invoicePaymentIntent(paid({ payment_intent: "pi_1" }))).toBe("pi_1");
    expect(invoiceCharge(paid({ charge: "ch_1" }))).toBe("ch_1");
    expect(invoiceCharge({ payment_intent: { id: "pi_1", latest_charge: "ch_1" } })).toBe("ch_1");
    expect(invoiceCharge({ payment_intent: "pi_1" })).toBeNull();
  });

  it("from before 2018-11-08 has its status in booleans", () => {
    const old = { closed: false, paid: false, attempted: true, amount_due: 1000 };
    expect([
      invoiceStatus(old),
      invoiceStatus({ ...old, paid: true }),
      invoiceStatus({ ...old, attempted: false }),
    ]).toEqual(["open", "paid", "draft"]);
    expect(invoiceStatus({ ...old, closed: true, forgiven: true })).toBe("uncollectible");
    expect([invoiceAmountPaid(old), invoiceAmountRemaining(old)]).toEqual([0, 1000]);
    expect(invoiceAmountPaid({ ...old, paid: true })).toBe(1000);
    expect(invoiceAutoAdvance(old)).toBe(true);
    expect(invoiceStatus({ paid: true })).toBeUndefined();
  });

  it("from before 2019-03-14 has its application fee and the time of its finalization under other names", () => {
    expect([
      invoiceFinalizedAt({ finalized_at: 5 }),
      invoiceFinalizedAt({ status_transitions: { finalized_at: 5 } }),
      invoiceFinalizedAt({ status_transitions: { finalized_at: null } }),
    ]).toEqual([5, 5, null]);
    expect([
      invoiceApplicationFee({ application_fee: 300 }),
      invoiceApplicationFee({ application_fee_amount: 300 }),
      invoiceApplicationFee({ application_fee_amount: 0, application_fee: 300 }),
      invoiceApplicationFee({}),
    ]).toEqual([300, 300, 0, null]);
    expect([invoiceFinalizedAt({ finalized_at: "5" }), invoiceApplicationFee({ application_fee: "3" })]).toEqual([
      undefined,
      undefined,
    ]);
  });

  it("is for the time of its lines, from the earliest start to the latest end; prorations count where there is nothing else", () => {
    const line = (start: unknown, end: unknown, more: object = {}) => ({ period: { start, end }, ...more });
    const periodOf = (...data: object[]) => [linePeriodStart({ lines: { data } }), linePeriodEnd({ lines: { data } })];
    expect(periodOf(line(5, 9), line(3, 7))).toEqual([3, 9]);
    expect(periodOf(line(1, 99, { proration: true }), line(5, 9))).toEqual([5, 9]);
    const details = { parent: { subscription_item_details: { proration: true } } };
    expect(periodOf(line(5, 9, details), line(4, 8, details))).toEqual([4, 9]);
    expect(periodOf(line(2, 2), line(5, 9))).toEqual([5, 9]);
    expect(periodOf(line(2, 2))).toEqual([2, 2]);
    expect(linePeriodEnd({ lines: { data: [line(5, 9)], has_more: true } })).toBeNull();
    expect(periodOf({}, line(5, 9))).toEqual([5, 9]);
    expect([periodOf(), linePeriodEnd({})]).toEqual([[null, null], null]);
    expect(periodOf(line("5", 9), line(4, 8))).toEqual([undefined, 9]);
  });

  it("has its tax in one number or in a list, and its price in price, pricing or plan", () => {
    expect([
      invoiceTax({ tax: 5 }),
      invoiceTax({ total_taxes: [{ amount: 2 }, { amount: 3 }] }),
      invoiceTax({ total_taxes: [] }),
    ]).toEqual([5, 5, null]);
    expect(invoiceTax({ total_taxes: [{ amount: "2" }] })).toBeUndefined();
    expect(
      invoicePrice({
        lines: { data: [{ proration: true, price: "price_0" }, { pricing: { price_details: { price: "price_1" } } }] },
      }),
    ).toBe("price_1");
    expect(invoicePrice({ lines: { data: [{ price: null, plan: { id: "plan_1" } }] } })).toBe("plan_1");
    expect([
      invoicePaidOutOfBand({ paid_out_of_band: true }),
      invoicePaidOutOfBand({ amount_paid_off_stripe: 5 }),
      invoicePaidOutOfBand({}),
    ]).toEqual([true, true, null]);
  });

  it("was paid out of band where one of its paid payments is a record, which only a fetched one tells", () => {
    const paid = (type: unknown, status: unknown = "paid") => ({ status, payment: { type } });
    const outOfBand = (data: object[], more: object = {}) =>
      invoicePaidOutOfBand({ payments: { object: "list", data, ...more } });
    const [record, intent, charge] = [paid("payment_record"), paid("payment_intent"), paid("charge")];
    expect([
      outOfBand([{ is_default: true, status: "paid", payment: { type: "payment_record", payment_record: "pr_1" } }]),
      outOfBand([paid("payment_record", null)]),
      outOfBand([intent, record], { has_more: true }),
      outOfBand([intent, charge, paid("payment_record", "canceled")], { has_more: false }),
    ]).toEqual([true, true, true, false]);
    const unknown = [outOfBand([intent], { has_more: true }), outOfBand([intent, paid("new_one")]), outOfBand([])];
    expect([...unknown, outOfBand([paid("payment_record", "open")])]).toEqual([null, null, null, null]);
    expect([outOfBand([intent, paid(5)]), outOfBand([paid(5), record])]).toEqual([undefined, true]);
    expect(invoicePaidOutOfBand({ amount_paid_off_stripe: 0, payments: { data: [record] } })).toBe(false);
  });
});

describe("a subscription", () => {
  it("has its period on itself, or from the earliest to the latest of its items", () => {
    expect([periodStart({ current_period_start: 5 }), periodEnd({ current_period_end: 9 })]).toEqual([5, 9]);
    const items = {
      data: [
        { current_period_start: 5, current_period_end: 7 },
        { current_period_start: 3, current_period_end: 9 },
      ],
    };
    expect([periodStart({ items }), periodEnd({ items })]).toEqual([3, 9]);
    expect(periodEnd({ items: { data: [{ current_period_end: 7 }, {}] } })).toBeUndefined();
    expect(subscriptionPrice({ plan: { id: "gold" } })).toBe("gold");
  });

  it("is to be canceled by either sign", () => {
    expect(isCancelScheduled({ cancel_at_period_end: true })).toBe(true);
    expect(isCancelScheduled({ cancel_at_period_end: false, cancel_at: 99 })).toBe(true);
    expect(isCancelScheduled({ cancel_at_period_end: false, cancel_at: null })).toBe(false);
    expect(isCancelScheduled({ cancel_at_period_end: "no" })).toBeUndefined();
  });

  it("has its coupon in a discount, in a source, or nowhere when discounts are ids", () => {
    expect(couponOf({ discount: { coupon: { id: "TEN" } } })).toBe("TEN");
    expect(
      couponOf({ discount: null, discounts: ["di_0", { id: "di_1", source: { type: "coupon", coupon: "TEN" } }] }),
    ).toBe("TEN");
    expect(couponOf({ discounts: ["di_1"] })).toBeNull();
    expect([couponOf({ discount: { id: "di_1" } }), couponOf({ discounts: 5 }), couponOf({ discounts: [5] })]).toEqual([
      undefined,
      undefined,
      undefined,
    ]);
    expect([discountOf({ discounts: ["di_1"] }), discountOf({ discount: { coupon: {} } })]).toEqual(["di_1", null]);
  });
});

describe("a payment", () => {
  it("has its charge, status and card where this version has them", () => {
    expect([
      latestCharge({ latest_charge: { id: "ch_1" } }),
      latestCharge({ charges: { data: [{ id: "ch_1" }] } }),
      latestCharge({}),
    ]).toEqual(["ch_1", "ch_1", null]);
    expect([
      intentStatus({ status: "requires_source" }),
      intentStatus({ status: "new_one" }),
      intentStatus({}),
    ]).toEqual(["requires_payment_method", "new_one", undefined]);
    expect([chargeStatus({ paid: true }), chargeStatus({ status: "pending", paid: false }), chargeStatus({})]).toEqual([
      "succeeded",
      "pending",
      undefined,
    ]);
    expect(chargeCard({ payment_method_details: { card: { last4: "1" } } }).last4).toBe("1");
    expect(chargeCard({ source: { object: "card", last4: "2" } }).last4).toBe("2");
    expect(chargeCard({ source: { object: "source", card: { last4: "3" } } }).last4).toBe("3");
    expect(typedDetails({ type: "sepa_debit", sepa_debit: { last4: "9" } }).last4).toBe("9");
    expect(typedDetails({ type: "constructor" })).toEqual({});
    expect([
      sessionStatus({ status: "open" }),
      sessionStatus({ payment_status: "paid" }),
      sessionStatus({ payment_status: "unpaid" }),
    ]).toEqual(["open", "complete", null]);
  });
});

describe("a dispute", () => {
  it("that its bank takes no answer to is due at no time", () => {
    const due = (due_by: unknown, evidence_due_by?: unknown) =>
      disputeDueBy({ evidence_details: { due_by }, evidence_due_by });
    expect([due(0), due(null), due(undefined, 0), due(5), due(undefined, 5)]).toEqual([null, null, null, 5, 5]);
    expect(due("0")).toBeUndefined();
  });
});
