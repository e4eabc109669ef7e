// Credit notes, previews and searches of the sandbox's invoices, over HTTP; and the calls of the Stripe CLI's triggers.
import type Stripe from "stripe";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { projectionOf } from "../src/projections/registry.ts";
import { type OpenSandbox, openSandbox } from "./support/sandbox.ts";
import { observed, type StripeEvent } from "./support/stripe-fixtures.ts";

const DAY = 86_400;

let sandbox: OpenSandbox;
const now = 1_800_000_000;

beforeAll(async () => {
  sandbox = await openSandbox({ clock: () => now, tickMs: 3_600_000 });
});
afterAll(() => sandbox.close());

async function customer(card?: string): Promise<string> {
  const { id } = await sandbox.stripe.customers.create({ email: "ada@example.com" });
  if (card === undefined) return id;
  const { id: method } = await sandbox.stripe.paymentMethods.attach(card, { customer: id });
  await sandbox.stripe.customers.update(id, { invoice_settings: { default_payment_method: method } });
  return id;
}

async function invoice(of: string, end: "open" | "paid", amount = 2000): Promise<Stripe.Invoice> {
  await sandbox.stripe.invoiceItems.create({ customer: of, amount, currency: "usd" });
  const { id } = await sandbox.stripe.invoices.create({ customer: of, pending_invoice_items_behavior: "include" });
  return end === "paid" ? sandbox.stripe.invoices.pay(id) : sandbox.stripe.invoices.finalizeInvoice(id);
}

async function raisedBy(act: () => Promise<unknown>): Promise<string[]> {
  const before = sandbox.events().length;
  await act();
  return sandbox
    .events()
    .slice(before)
    .map(({ type }) => type);
}

const codeOf = (call: Promise<unknown>) =>
  call.then(
    () => undefined,
    (error: unknown) => {
      const { param, code, message } = error as Stripe.errors.StripeError;
      return param ?? code ?? message;
    },
  );

async function monthly(unit_amount: number): Promise<string> {
  const price = await sandbox.stripe.prices.create({
    unit_amount,
    currency: "usd",
    recurring: { interval: "month" },
    product_data: { name: "Gold" },
  });
  return price.id;
}

describe("credit notes", () => {
  test("before payment one lowers what is due, and voiding it brings that back", async () => {
    const open = await invoice(await customer(), "open");
    const lines: Stripe.CreditNoteCreateParams.Line[] = [
      { type: "custom_line_item", unit_amount: 500, quantity: 2, description: "Broken" },
    ];
    const types = await raisedBy(() => sandbox.stripe.creditNotes.create({ invoice: open.id, lines }));
    expect(types).toEqual(["credit_note.created", "invoice.updated"]);
    const note = sandbox.objects("credit_note").at(-1);
    if (note === undefined) throw new Error("there is a credit note");
    expect(note).toMatchObject({ amount: 1000, type: "pre_payment", status: "issued", number: `${open.number}-CN-01` });
    const lowered = await sandbox.stripe.invoices.retrieve(open.id, {
      expand: ["payments.data.payment.payment_intent"],
    });
    expect(lowered).toMatchObject({ amount_remaining: 1000, pre_payment_credit_notes_amount: 1000, status: "open" });
    expect(lowered.payments?.data[0]?.payment.payment_intent).toMatchObject({ amount: 1000 });
    await sandbox.stripe.creditNotes.update(note.id, { metadata: { foo: "bar" } });
    expect(sandbox.events("credit_note.updated").at(-1)?.data.previous_attributes).toEqual({ metadata: { foo: null } });
    expect(await sandbox.stripe.creditNotes.voidCreditNote(note.id)).toMatchObject({ status: "void" });
    expect(await sandbox.stripe.invoices.retrieve(open.id)).toMatchObject({ amount_remaining: 2000 });
    expect((await sandbox.stripe.creditNotes.listLineItems(note.id)).data).toMatchObject([
      { amount: 1000, quantity: 2 },
    ]);
  });

  test("one over all that is due pays the invoice", async () => {
    const open = await invoice(await customer(), "open");
    await sandbox.stripe.creditNotes.create({ invoice: open.id, amount: 2000 });
    expect(await sandbox.stripe.invoices.retrieve(open.id)).toMatchObject({
      status: "paid",
      amount_due: 0,
      amount_paid: 0,
    });
    expect(sandbox.events("invoice.paid").at(-1)?.data.object).toMatchObject({ id: open.id });
  });

  test("after payment the money goes back as a refund and as credit, and must add up", async () => {
    const of = await customer("pm_card_visa");
    const paid = await invoice(of, "paid");
    const [line] = paid.lines.data;
    if (line === undefined) throw new Error("the invoice has a line");
    const lines: Stripe.CreditNoteCreateParams.Line[] = [
      { type: "invoice_line_item", invoice_line_item: line.id, amount: 1500 },
    ];
    const short = sandbox.stripe.creditNotes.create({ invoice: paid.id, lines, refund_amount: 1000 });
    expect(await codeOf(short)).toBe("refund_amount");
    const seen = await sandbox.stripe.creditNotes.preview({
      invoice: paid.id,
      lines,
      refund_amount: 1000,
      credit_amount: 500,
    });
    expect(seen).toMatchObject({ amount: 1500, type: "post_payment" });
    expect(sandbox.objects("refund")).toHaveLength(0);
    const note = await sandbox.stripe.creditNotes.create({
      invoice: paid.id,
      lines,
      refund_amount: 1000,
      credit_amount: 500,
    });
    expect(note.refunds).toMatchObject([{ amount_refunded: 1000, type: "refund" }]);
    expect(await sandbox.stripe.customers.retrieve(of)).toMatchObject({ balance: -500 });
    expect(await sandbox.stripe.invoices.retrieve(paid.id)).toMatchObject({ post_payment_credit_notes_amount: 1500 });
    const more = sandbox.stripe.creditNotes.create({ invoice: paid.id, amount: 600, out_of_band_amount: 600 });
    expect(await codeOf(more)).toBe("amount");
    expect((await sandbox.stripe.creditNotes.list({ invoice: paid.id })).data).toHaveLength(1);
  });
});

describe("previews", () => {
  test("the next invoice of a subscription is what its renewal will cost, and nothing is kept", async () => {
    const of = await customer("pm_card_visa");
    const price = await monthly(1500);
    const subscription = await sandbox.stripe.subscriptions.create({ customer: of, items: [{ price }] });
    await sandbox.stripe.invoiceItems.create({ customer: of, amount: 250, currency: "usd" });
    const [events, invoices] = [sandbox.events().length, sandbox.objects("invoice").length];
    const seen = await sandbox.stripe.invoices.createPreview({ subscription: subscription.id });
    expect(seen).toMatchObject({ total: 1750, status: "draft", billing_reason: "upcoming", number: null });
    const [item] = subscription.items.data;
    expect(seen.created).toBe(item?.current_period_end);
    expect([sandbox.events().length, sandbox.objects("invoice").length]).toEqual([events, invoices]);
  });

  test("a change of plan is seen with its prorations, and not made", async () => {
    const of = await customer("pm_card_visa");
    const [cheap, dear] = [await monthly(1000), await monthly(3000)];
    const subscription = await sandbox.stripe.subscriptions.create({ customer: of, items: [{ price: cheap }] });
    const [item] = subscription.items.data;
    if (item === undefined) throw new Error("the subscription has an item");
    const seen = await sandbox.stripe.invoices.createPreview({
      subscription: subscription.id,
      subscription_details: { items: [{ id: item.id, price: dear }], proration_behavior: "always_invoice" },
    });
    expect(seen.total).toBe(2000);
    const amounts = seen.lines.data.map(({ amount }) => amount).toSorted((one, other) => one - other);
    expect(amounts).toEqual([-1000, 3000]);
    const after = await sandbox.stripe.subscriptions.retrieve(subscription.id);
    expect(after.items.data[0]?.price.id).toBe(cheap);
  });

  test("a subscription that is not there yet is seen with its first invoice", async () => {
    const of = await customer("pm_card_visa");
    const price = await monthly(1200);
    const seen = await sandbox.stripe.invoices.createPreview({
      customer: of,
      subscription_details: { items: [{ price, quantity: 2 }] },
    });
    expect(seen.total).toBe(2400);
    expect(await codeOf(sandbox.stripe.invoices.createPreview({ customer: of }))).toBe("invoice_upcoming_none");
  });
});

describe("finding invoices", () => {
  test("by customer, status, number and subscription", async () => {
    const of = await customer("pm_card_visa");
    const paid = await invoice(of, "paid", 4200);
    await invoice(of, "open");
    const found = await sandbox.stripe.invoices.list({ customer: of, status: "paid" });
    expect(found.data.map(({ id }) => id)).toEqual([paid.id]);
    const searched = await sandbox.stripe.invoices.search({ query: `customer:'${of}' AND total>4000` });
    expect(searched.data.map(({ id }) => id)).toEqual([paid.id]);
    const none = await sandbox.stripe.invoices.list({ customer: of, due_date: { gt: now + DAY } });
    expect(none.data).toEqual([]);
  });

  test("a coupon of the customer that counts once is used up by one invoice", async () => {
    const coupon = await sandbox.stripe.coupons.create({ amount_off: 300, currency: "usd", duration: "once" });
    const of = await customer();
    const answer = await sandbox.call("POST", `/v1/customers/${of}`, `coupon=${coupon.id}`);
    expect(answer.status).toBe(200);
    expect(await invoice(of, "open")).toMatchObject({ subtotal: 2000, total: 1700 });
    expect(await invoice(of, "open")).toMatchObject({ total: 2000 });
  });
});

describe("Billhook", () => {
  test("reads every field that it requires from all the events above", async () => {
    const of = await customer("pm_card_visa");
    await sandbox.stripe.subscriptions.create({ customer: of, items: [{ price: await monthly(900) }] });
    const unread = sandbox.events().flatMap((event) => {
      const observation = observed(event as unknown as StripeEvent);
      const { row, table, facts } = projectionOf(observation.objectType);
      facts?.(observation.object, observation);
      return Object.entries(row(observation.object, observation))
        .filter(([, value]) => value === undefined)
        .map(([name]) => `${table}.${name} of ${observation.type}`);
    });
    expect(sandbox.events().length).toBeGreaterThan(60);
    expect([...new Set(unread)]).toEqual([]);
  });
});
