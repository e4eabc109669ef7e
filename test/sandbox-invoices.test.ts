// Invoices of the sandbox, driven by the official SDK over HTTP: drafts, payment, events in Stripe's order, refusals.
import type Stripe from "stripe";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { type OpenSandbox, openSandbox } from "./support/sandbox.ts";

const HOUR = 3600;
const DAY = 24 * HOUR;

let sandbox: OpenSandbox;
let now = 1_800_000_000;

beforeAll(async () => {
  sandbox = await openSandbox({ clock: () => now, tickMs: 3_600_000 });
});
afterAll(() => sandbox.close());

/** Lets real time pass in the sandbox. */
function pass(seconds: number): void {
  now += seconds;
  sandbox.tick();
}

async function customer(card?: string, more: Stripe.CustomerCreateParams = {}): Promise<string> {
  const { id } = await sandbox.stripe.customers.create({ email: "ada@example.com", ...more });
  if (card === undefined) return id;
  const { id: method } = await sandbox.stripe.paymentMethods.attach(card, { customer: id });
  await sandbox.stripe.customers.update(id, { invoice_settings: { default_payment_method: method } });
  return id;
}

/** A draft over so much for the customer. */
async function draft(of: string, amount = 2000, more: Stripe.InvoiceCreateParams = {}): Promise<Stripe.Invoice> {
  await sandbox.stripe.invoiceItems.create({ customer: of, amount, currency: "usd" });
  return sandbox.stripe.invoices.create({ customer: of, pending_invoice_items_behavior: "include", ...more });
}

/** The types of the events that an action raises, in their order. */
async function raisedBy(act: () => Promise<unknown>): Promise<string[]> {
  const before = sandbox.events().length;
  await act();
  return sandbox
    .events()
    .slice(before)
    .map(({ type }) => type);
}

const failureOf = (call: Promise<unknown>) =>
  call.then(
    () => undefined,
    (error: unknown) => {
      const { statusCode: status, rawType: type, code, param } = error as Stripe.errors.StripeError;
      return { status, type, code, param };
    },
  );

describe("the life of an invoice", () => {
  test("takes pending items in, gets the next number of its customer, and asks for a payment", async () => {
    const of = await customer();
    const invoice = await draft(of);
    expect(invoice).toMatchObject({
      status: "draft",
      amount_due: 2000,
      number: null,
      auto_advance: false,
      billing_reason: "manual",
    });
    const types = await raisedBy(() => sandbox.stripe.invoices.finalizeInvoice(invoice.id));
    expect(types).toEqual(["payment_intent.created", "invoice.finalized", "invoice.updated"]);
    const open = await sandbox.stripe.invoices.retrieve(invoice.id, {
      expand: ["payments", "confirmation_secret", "payments.data.payment.payment_intent"],
    });
    expect(open.status).toBe("open");
    expect(open.number).toMatch(/^[A-Z0-9]+-0001$/);
    expect(open.hosted_invoice_url).toContain(`${sandbox.url}/i/`);
    const intent = open.payments?.data[0]?.payment.payment_intent;
    expect(intent).toMatchObject({ amount: 2000, status: "requires_payment_method" });
    expect(open.confirmation_secret?.type).toBe("payment_intent");
    const second = await draft(of);
    const next = await sandbox.stripe.invoices.finalizeInvoice(second.id);
    expect(next.number).toBe(open.number?.replace("0001", "0002"));
  });

  test("a paid one says so once everywhere, in Stripe's order", async () => {
    const of = await customer("pm_card_visa");
    const { id } = await draft(of);
    const types = await raisedBy(() => sandbox.stripe.invoices.pay(id));
    const own = types.filter((type) => type.startsWith("invoice"));
    expect(own).toEqual([
      "invoice.finalized",
      "invoice.updated",
      "invoice.updated",
      "invoice.paid",
      "invoice.payment_succeeded",
      "invoice_payment.paid",
    ]);
    expect(types.indexOf("payment_intent.succeeded")).toBeLessThan(types.indexOf("invoice.paid"));
    const paid = await sandbox.stripe.invoices.retrieve(id);
    expect(paid).toMatchObject({
      status: "paid",
      amount_paid: 2000,
      amount_remaining: 0,
      attempt_count: 1,
      attempted: true,
    });
    const payments = await sandbox.stripe.invoicePayments.list({ invoice: id, status: "paid" });
    expect(payments.data).toMatchObject([{ amount_paid: 2000, is_default: true, status: "paid" }]);
    expect(await failureOf(sandbox.stripe.invoices.pay(id))).toMatchObject({ status: 400 });
  });

  test("a declined card leaves it open and ends the call as a card error", async () => {
    const of = await customer("pm_card_chargeCustomerFail");
    const { id } = await draft(of);
    const failure = await failureOf(sandbox.stripe.invoices.pay(id));
    expect(failure).toMatchObject({ status: 402, type: "card_error", code: "card_declined" });
    expect(sandbox.events("invoice.payment_failed").at(-1)?.data.object).toMatchObject({
      id,
      attempt_count: 1,
      status: "open",
    });
    const method = await sandbox.stripe.paymentMethods.attach("pm_card_visa", { customer: of });
    const paid = await sandbox.stripe.invoices.pay(id, { payment_method: method.id });
    expect(paid).toMatchObject({ status: "paid", attempt_count: 1 });
  });

  test("a card that asks for 3-D Secure raises payment_action_required and waits", async () => {
    const of = await customer();
    const method = await sandbox.stripe.paymentMethods.attach("pm_card_threeDSecure2Required", { customer: of });
    const { id } = await draft(of);
    const failure = await failureOf(sandbox.stripe.invoices.pay(id, { payment_method: method.id }));
    expect(failure).toMatchObject({ type: "card_error", code: "invoice_payment_intent_requires_action" });
    expect(sandbox.events("invoice.payment_action_required").at(-1)?.data.object).toMatchObject({ id, status: "open" });
  });

  test("without anything to pay with the call is refused and no attempt is counted", async () => {
    const { id } = await draft(await customer());
    expect(await failureOf(sandbox.stripe.invoices.pay(id))).toMatchObject({ status: 400, code: "resource_missing" });
  });

  test("paid outside Stripe raises invoice.paid alone, and cancels the payment", async () => {
    const { id } = await draft(await customer());
    await sandbox.stripe.invoices.finalizeInvoice(id);
    const types = await raisedBy(() => sandbox.stripe.invoices.pay(id, { paid_out_of_band: true }));
    expect(types).toContain("invoice.paid");
    expect(types).toContain("payment_intent.canceled");
    expect(types).not.toContain("invoice.payment_succeeded");
    expect(await sandbox.stripe.invoices.retrieve(id)).toMatchObject({ status: "paid", amount_paid_off_stripe: 2000 });
  });

  test("is sent, voided, given up and deleted only where Stripe allows it", async () => {
    const of = await customer();
    const sent = await draft(of, 2000, { collection_method: "send_invoice", days_until_due: 7 });
    expect(sent.due_date).toBe(now + 7 * DAY);
    const types = await raisedBy(() => sandbox.stripe.invoices.sendInvoice(sent.id));
    expect(types.slice(-3)).toEqual(["invoice.finalized", "invoice.updated", "invoice.sent"]);
    expect(await raisedBy(() => sandbox.stripe.invoices.markUncollectible(sent.id))).toEqual([
      "invoice.marked_uncollectible",
      "invoice.updated",
    ]);
    const voided = await raisedBy(() => sandbox.stripe.invoices.voidInvoice(sent.id));
    expect(voided).toEqual(["payment_intent.canceled", "invoice.voided", "invoice.updated"]);
    expect(await failureOf(sandbox.stripe.invoices.voidInvoice(sent.id))).toMatchObject({ status: 400 });
    expect(await failureOf(sandbox.stripe.invoices.del(sent.id))).toMatchObject({
      status: 400,
      code: "invoice_not_editable",
    });
    const other = await draft(of);
    expect(await sandbox.stripe.invoices.del(other.id)).toEqual(
      expect.objectContaining({ id: other.id, deleted: true }),
    );
    expect(sandbox.events("invoice.deleted").at(-1)?.data.object).toMatchObject({ id: other.id });
    const items = await sandbox.stripe.invoiceItems.list({ customer: of, pending: true });
    expect(items.data).toHaveLength(1);
  });

  test("needs a date to be sent, a customer, and something to invoice", async () => {
    const of = await customer();
    const { invoices } = sandbox.stripe;
    expect(await failureOf(invoices.create({ customer: of, collection_method: "send_invoice" }))).toMatchObject({
      param: "days_until_due",
    });
    expect(await failureOf(invoices.create({}))).toMatchObject({ code: "parameter_missing", param: "customer" });
    expect(await failureOf(invoices.create({ customer: "cus_none" }))).toMatchObject({
      code: "resource_missing",
      param: "customer",
    });
    const none = invoices.create({ customer: of, pending_invoice_items_behavior: "include" });
    expect(await failureOf(none)).toMatchObject({ code: "invoice_no_customer_line_items" });
    expect(await failureOf(invoices.retrieve("in_none"))).toMatchObject({ status: 404, code: "resource_missing" });
  });
});

describe("what falls due by itself", () => {
  test("an advancing draft is finalized and paid an hour later", async () => {
    const { id } = await draft(await customer("pm_card_visa"), 2000, { auto_advance: true });
    pass(HOUR - 1);
    expect((await sandbox.stripe.invoices.retrieve(id)).status).toBe("draft");
    pass(1);
    expect((await sandbox.stripe.invoices.retrieve(id)).status).toBe("paid");
  });

  test("a failing card is tried again after 3, 5 and 7 days, then no more", async () => {
    const of = await customer("pm_card_chargeCustomerFail");
    const { id } = await draft(of, 2000, { auto_advance: true });
    pass(HOUR);
    const attempts: (number | null)[][] = [];
    for (const days of [3, 5, 7, 30]) {
      const invoice = await sandbox.stripe.invoices.retrieve(id);
      attempts.push([
        invoice.attempt_count,
        invoice.next_payment_attempt === null ? null : (invoice.next_payment_attempt - now) / DAY,
      ]);
      pass(days * DAY);
    }
    expect(attempts).toEqual([
      [1, 3],
      [2, 5],
      [3, 7],
      [4, null],
    ]);
    expect((await sandbox.stripe.invoices.retrieve(id)).attempt_count).toBe(4);
    expect(await sandbox.stripe.customers.retrieve(of)).toMatchObject({ delinquent: true });
  });

  test("on a test clock each attempt happens at its own moment of that clock", async () => {
    const clock = await sandbox.stripe.testHelpers.testClocks.create({ frozen_time: now });
    const { id: of } = await sandbox.stripe.customers.create({ test_clock: clock.id });
    const method = await sandbox.stripe.paymentMethods.attach("pm_card_chargeCustomerFail", { customer: of });
    await sandbox.stripe.customers.update(of, { invoice_settings: { default_payment_method: method.id } });
    const { id } = await draft(of, 2000, { auto_advance: true });
    await sandbox.stripe.testHelpers.testClocks.advance(clock.id, { frozen_time: now + 10 * DAY });
    const invoice = await sandbox.stripe.invoices.retrieve(id);
    expect(invoice).toMatchObject({ attempt_count: 3, next_payment_attempt: now + HOUR + 15 * DAY });
    expect(invoice.status_transitions.finalized_at).toBe(now + HOUR);
    const failed = sandbox.events("invoice.payment_failed").slice(-3);
    expect(failed.map(({ created }) => created - now)).toEqual([HOUR, HOUR + 3 * DAY, HOUR + 8 * DAY]);
  });

  test("a sent invoice that nobody pays says that it will be due, and that it is", async () => {
    const { id } = await draft(await customer(), 2000, { collection_method: "send_invoice", days_until_due: 7 });
    await sandbox.stripe.invoices.sendInvoice(id);
    expect(await raisedBy(async () => pass(4 * DAY))).toContain("invoice.will_be_due");
    expect(await raisedBy(async () => pass(3 * DAY))).toContain("invoice.overdue");
    expect(await raisedBy(async () => pass(DAY))).not.toContain("invoice.overdue");
  });
});

describe("amounts", () => {
  test("the customer's credit is used first, and given back when the invoice is voided", async () => {
    const of = await customer(undefined, { balance: -500 });
    const { id, starting_balance } = await draft(of);
    expect(starting_balance).toBe(-500);
    const open = await sandbox.stripe.invoices.finalizeInvoice(id);
    expect(open).toMatchObject({ total: 2000, amount_due: 1500, starting_balance: -500, ending_balance: 0 });
    expect(await sandbox.stripe.customers.retrieve(of)).toMatchObject({ balance: 0 });
    await sandbox.stripe.invoices.voidInvoice(id);
    expect(await sandbox.stripe.customers.retrieve(of)).toMatchObject({ balance: -500 });
  });

  test("what is too small to charge is owed until the next invoice, and a negative one becomes credit", async () => {
    const of = await customer();
    const small = await draft(of, 30);
    expect(await sandbox.stripe.invoices.finalizeInvoice(small.id)).toMatchObject({
      status: "paid",
      amount_due: 0,
      ending_balance: 30,
    });
    const credit = await draft(of, -1030);
    expect(await sandbox.stripe.invoices.finalizeInvoice(credit.id)).toMatchObject({
      status: "paid",
      total: -1030,
      ending_balance: -1000,
    });
    expect(await sandbox.stripe.customers.retrieve(of)).toMatchObject({ balance: -1000 });
  });

  test("prices, coupons and tax rates come together on the lines and in the sums", async () => {
    const of = await customer();
    const product = await sandbox.stripe.products.create({ name: "Seats" });
    const price = await sandbox.stripe.prices.create({ product: product.id, currency: "usd", unit_amount: 1999 });
    const vat = await sandbox.stripe.taxRates.create({ display_name: "VAT", inclusive: false, percentage: 19 });
    const coupon = await sandbox.stripe.coupons.create({ percent_off: 10, duration: "once" });
    await sandbox.stripe.invoiceItems.create({ customer: of, pricing: { price: price.id }, quantity: 3 });
    const invoice = await sandbox.stripe.invoices.create({
      customer: of,
      pending_invoice_items_behavior: "include",
      discounts: [{ coupon: coupon.id }],
      default_tax_rates: [vat.id],
    });
    expect(invoice).toMatchObject({ subtotal: 5997, total_excluding_tax: 5397, total: 5397 + 1025 });
    expect(invoice.lines.data).toMatchObject([
      {
        amount: 5997,
        description: "Seats",
        quantity: 3,
        pricing: { price_details: { price: price.id, product: product.id } },
      },
    ]);
    expect(invoice.total_taxes).toMatchObject([
      { amount: 1025, taxable_amount: 5397, tax_rate_details: { tax_rate: vat.id } },
    ]);
    const read = await sandbox.stripe.invoices.retrieve(invoice.id, { expand: ["discounts"] });
    expect(read.discounts).toMatchObject([{ object: "discount", source: { coupon: coupon.id } }]);
  });
});

describe("changes of a draft", () => {
  test("lines are added, changed and taken off, and the sums follow", async () => {
    const of = await customer();
    const { id } = await sandbox.stripe.invoices.create({ customer: of, currency: "usd" });
    const added = await sandbox.stripe.invoices.addLines(id, {
      lines: [
        { amount: 1000, description: "One" },
        { amount: 500, description: "Two" },
      ],
    });
    expect(added.total).toBe(1500);
    const [one, two] = added.lines.data;
    if (one === undefined || two === undefined) throw new Error("both lines are there");
    const changed = await sandbox.stripe.invoices.updateLines(id, { lines: [{ id: one.id, amount: 1200 }] });
    expect(changed).toMatchObject({ total: 1700 });
    const line = await sandbox.stripe.invoices.updateLineItem(id, two.id, { description: "Zwei" });
    expect(line).toMatchObject({ id: two.id, description: "Zwei", amount: 500 });
    const removed = await sandbox.stripe.invoices.removeLines(id, { lines: [{ id: one.id, behavior: "unassign" }] });
    expect(removed.total).toBe(500);
    expect((await sandbox.stripe.invoiceItems.list({ customer: of, pending: true })).data).toHaveLength(1);
    const lines = await sandbox.stripe.invoices.listLineItems(id, { limit: 1 });
    expect(lines).toMatchObject({ has_more: false, data: [{ id: two.id }] });
  });

  test("the event of a change carries what was there before, and a finalized invoice takes no more of them", async () => {
    const { id } = await draft(await customer());
    const updated = await sandbox.stripe.invoices.update(id, { description: "May", metadata: { foo: "bar" } });
    expect(updated).toMatchObject({ description: "May", metadata: { foo: "bar" } });
    expect(sandbox.events("invoice.updated").at(-1)?.data.previous_attributes).toEqual({
      description: null,
      metadata: { foo: null },
    });
    await sandbox.stripe.invoices.finalizeInvoice(id);
    const failure = await failureOf(
      sandbox.stripe.invoices.update(id, { collection_method: "send_invoice", days_until_due: 3 }),
    );
    expect(failure).toMatchObject({ status: 400, code: "invoice_not_editable" });
    expect(await sandbox.stripe.invoices.update(id, { metadata: { foo: "" } })).toMatchObject({ metadata: {} });
  });

  test("items are changed and deleted while their invoice is a draft", async () => {
    const of = await customer();
    const item = await sandbox.stripe.invoiceItems.create({ customer: of, amount: 700, currency: "usd" });
    const invoice = await sandbox.stripe.invoices.create({ customer: of, pending_invoice_items_behavior: "include" });
    await sandbox.stripe.invoiceItems.update(item.id, { amount: 900, description: "More" });
    expect(await sandbox.stripe.invoices.retrieve(invoice.id)).toMatchObject({ total: 900 });
    expect(await raisedBy(() => sandbox.stripe.invoiceItems.del(item.id))).toEqual([
      "invoiceitem.deleted",
      "invoice.updated",
    ]);
    expect(await sandbox.stripe.invoices.retrieve(invoice.id)).toMatchObject({ total: 0 });
    const both = sandbox.stripe.invoiceItems.create({ customer: of, amount: 1, quantity: 2, currency: "usd" });
    expect(await failureOf(both)).toMatchObject({ status: 400, param: "amount" });
  });

  test("a payment intent that has succeeded pays an invoice that it is attached to", async () => {
    const of = await customer("pm_card_visa");
    const { id } = await draft(of, 1500);
    await sandbox.stripe.invoices.finalizeInvoice(id);
    const intent = await sandbox.stripe.paymentIntents.create({
      amount: 1500,
      currency: "usd",
      customer: of,
      payment_method: "pm_card_visa",
      confirm: true,
      off_session: true,
    });
    const paid = await sandbox.stripe.invoices.attachPayment(id, { payment_intent: intent.id });
    expect(paid).toMatchObject({ status: "paid", amount_paid: 1500 });
    const linked = await sandbox.stripe.invoicePayments.list({
      payment: { type: "payment_intent", payment_intent: intent.id },
    });
    expect(linked.data).toMatchObject([{ invoice: id, status: "paid" }]);
  });
});
