// The sandbox's customers, driven by the official SDK: with sources, balances, tax ids, discounts and cash.
import type Stripe from "stripe";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { shapeProblems } from "../sandbox/core/conform.ts";
import { openSandbox, type OpenSandbox } from "./support/sandbox.ts";

let sandbox: OpenSandbox;
beforeAll(async () => (sandbox = await openSandbox()));
afterAll(async () => {
  expect(
    sandbox.events().flatMap(({ type, data }) => shapeProblems(data.object).map((problem) => `${type}: ${problem}`)),
  ).toEqual([]);
  await sandbox.close();
});

const create = (params: Stripe.CustomerCreateParams & { coupon?: string } = {}) =>
  sandbox.stripe.customers.create(params);

/** A customer that was not deleted. */
async function got(id: string, expand: string[] = []): Promise<Stripe.Customer> {
  const found = await sandbox.stripe.customers.retrieve(id, { expand });
  if (found.deleted) throw new Error(`${id} was deleted`);
  return found;
}

async function raisedBy(act: () => Promise<unknown>): Promise<string[]> {
  const before = sandbox.events().length;
  await act();
  return sandbox
    .events()
    .slice(before)
    .map(({ type }) => type);
}

describe("a customer", () => {
  it("has whole addresses, of which an update changes what it names", async () => {
    const made = await create({
      name: "Ann",
      shipping: { name: "Ann", address: { line1: "1 Main St", city: "Bern" } },
    });
    expect(made.shipping?.address).toEqual({
      city: "Bern",
      country: null,
      line1: "1 Main St",
      line2: null,
      postal_code: null,
      state: null,
    });
    const after = await sandbox.stripe.customers.update(made.id, { address: { country: "CH" }, metadata: { a: "1" } });
    expect(after.address).toMatchObject({ country: "CH", city: null });
    expect(sandbox.events("customer.updated").at(-1)?.data.previous_attributes).toEqual({
      address: null,
      metadata: { a: null },
    });
    expect((await sandbox.stripe.customers.update(made.id, { shipping: "" })).shipping).toBeNull();
  });

  it("is known as deleted, and as nothing else", async () => {
    const made = await create({ name: "Gone", source: "tok_visa", payment_method: "pm_card_visa" });
    const types = await raisedBy(() => sandbox.stripe.customers.del(made.id));
    expect(types).toEqual(["customer.source.deleted", "payment_method.detached", "customer.deleted"]);
    expect(sandbox.events("customer.deleted").at(-1)?.data.object).toMatchObject({ name: "Gone", object: "customer" });
    expect(await sandbox.stripe.customers.retrieve(made.id)).toMatchObject({ id: made.id, deleted: true });
    await expect(sandbox.stripe.customers.update(made.id, { name: "x" })).rejects.toMatchObject({
      statusCode: 404,
      code: "resource_missing",
    });
    await expect(sandbox.stripe.subscriptions.create({ customer: made.id, items: [] })).rejects.toMatchObject({
      statusCode: 400,
    });
  });

  it("that never was is missing", async () => {
    await expect(sandbox.stripe.customers.retrieve("cus_none")).rejects.toMatchObject({
      statusCode: 404,
      code: "resource_missing",
      param: "id",
      message: "No such customer: 'cus_none'",
    });
  });

  it("pays by default with a test card that is named twice and made once", async () => {
    const made = await create({
      payment_method: "pm_card_visa",
      invoice_settings: { default_payment_method: "pm_card_visa" },
    });
    const { data } = await sandbox.stripe.customers.listPaymentMethods(made.id);
    expect(data.map(({ id }) => id)).toEqual([made.invoice_settings.default_payment_method]);
  });

  it("takes as default only what is attached to it", async () => {
    const [made, other] = [await create(), await create({ payment_method: "pm_card_visa" })];
    const [method] = (await sandbox.stripe.customers.listPaymentMethods(other.id)).data;
    const refused = sandbox.stripe.customers.update(made.id, {
      invoice_settings: { default_payment_method: method?.id ?? "" },
    });
    await expect(refused).rejects.toMatchObject({
      statusCode: 400,
      code: "resource_missing",
      param: "invoice_settings[default_payment_method]",
    });
  });

  it("is not made when its card declines", async () => {
    const before = sandbox.objects("customer").length;
    const types = await raisedBy(async () => {
      await expect(create({ source: "tok_chargeDeclined" })).rejects.toMatchObject({
        statusCode: 402,
        code: "card_declined",
      });
    });
    expect(types).toEqual([]);
    expect(sandbox.objects("customer")).toHaveLength(before);
  });

  it("has an invoice prefix that nobody else has, also after it is deleted", async () => {
    const holder = await create({ invoice_prefix: "TAKEN1" });
    await expect(create({ invoice_prefix: "TAKEN1" })).rejects.toMatchObject({
      statusCode: 400,
      param: "invoice_prefix",
    });
    await sandbox.stripe.customers.del(holder.id);
    await expect(create({ invoice_prefix: "TAKEN1" })).rejects.toThrow(`taken by customer: ${holder.id}`);
    await expect(create({ invoice_prefix: "low" })).rejects.toThrow(
      "Invoice number prefix must be 1–12 uppercase letters or numbers.",
    );
  });

  it("is listed by e-mail and found by a query; one on a test clock only with its clock", async () => {
    const clock = await sandbox.stripe.testHelpers.testClocks.create({ frozen_time: 1_600_000_000 });
    const email = "find@example.com";
    const [plain, clocked] = [await create({ email }), await create({ email, test_clock: clock.id })];
    expect(clocked.created).toBe(1_600_000_000);
    const ids = async (params: Stripe.CustomerListParams) =>
      (await sandbox.stripe.customers.list(params)).data.map(({ id }) => id);
    expect(await ids({ email })).toEqual([plain.id]);
    expect(await ids({ email, test_clock: clock.id })).toEqual([clocked.id]);
    const found = await sandbox.stripe.customers.search({ query: `email:"FIND@example.com" AND created>1700000000` });
    expect(found).toMatchObject({ object: "search_result", has_more: false, data: [{ id: plain.id }] });
  });
});

describe("sources", () => {
  it("make the first the default, and the newest when the default goes", async () => {
    const { id } = await create();
    const first = await sandbox.stripe.customers.createSource(id, { source: "tok_visa" });
    const second = await sandbox.stripe.customers.createSource(id, { source: "tok_mastercard", metadata: { a: "b" } });
    expect((await got(id, ["sources"])).sources?.data.map((source) => source.id).sort()).toEqual(
      [first.id, second.id].sort(),
    );
    expect((await got(id)).default_source).toBe(first.id);
    const types = await raisedBy(() => sandbox.stripe.customers.deleteSource(id, first.id));
    expect(types).toEqual(["customer.source.deleted", "customer.updated"]);
    expect((await got(id)).default_source).toBe(second.id);
  });

  it("change, and tell what changed", async () => {
    const { id } = await create();
    const card = await sandbox.stripe.customers.createSource(id, { source: "tok_visa" });
    await sandbox.stripe.customers.updateSource(id, card.id, { exp_year: "2039", name: "Ann" });
    expect(sandbox.events("customer.source.updated").at(-1)?.data.previous_attributes).toMatchObject({ name: null });
    expect(await sandbox.stripe.customers.retrieveSource(id, card.id)).toMatchObject({
      exp_year: 2039,
      name: "Ann",
      customer: id,
    });
    await expect(sandbox.stripe.customers.updateSource(id, card.id, { exp_month: "13" })).rejects.toMatchObject({
      code: "invalid_expiry_month",
    });
  });

  it("are replaced by the source of an update", async () => {
    const { id } = await create({ source: "tok_visa" });
    const after = await sandbox.stripe.customers.update(id, { source: "tok_amex" });
    const { data } = await sandbox.stripe.customers.listSources(id);
    expect(data).toMatchObject([{ id: after.default_source, brand: "American Express" }]);
  });

  it("may be bank accounts, which two deposits verify before they can be debited", async () => {
    const { id } = await sandbox.stripe.customers.create({});
    const bank = await sandbox.stripe.customers.createSource(id, { source: "btok_us" });
    expect(bank).toMatchObject({ object: "bank_account", status: "new", customer: id });
    const verify = (amounts: number[]) => sandbox.stripe.customers.verifySource(id, bank.id, { amounts });
    await expect(verify([1, 2])).rejects.toMatchObject({ statusCode: 400, code: "bank_account_verification_failed" });
    expect(await verify([32, 45])).toMatchObject({ status: "verified" });
    const payment = { amount: 500, currency: "usd", customer: id, payment_method: bank.id, confirm: true };
    expect(await sandbox.stripe.paymentIntents.create(payment)).toMatchObject({ status: "processing" });
    expect(await sandbox.stripe.customers.deleteSource(id, bank.id)).toMatchObject({ deleted: true });
    expect(sandbox.events("customer.source.deleted").at(-1)?.data.object).toMatchObject({ id: bank.id });
  });

  it("that decline are not kept", async () => {
    const customer = await sandbox.stripe.customers.create({});
    const declined = sandbox.stripe.customers.createSource(customer.id, { source: "tok_chargeDeclined" });
    await expect(declined).rejects.toMatchObject({ statusCode: 402, code: "card_declined" });
    expect((await sandbox.stripe.customers.listSources(customer.id)).data).toEqual([]);
  });

  it("that are unknown are missing", async () => {
    const { id } = await create();
    await expect(sandbox.stripe.customers.createSource(id, { source: "tok_none" })).rejects.toMatchObject({
      statusCode: 400,
      code: "resource_missing",
    });
    await expect(sandbox.stripe.customers.retrieveSource(id, "card_none")).rejects.toMatchObject({ statusCode: 404 });
  });
});

describe("the credit balance", () => {
  it("is what its transactions add up to", async () => {
    const { id } = await create({ balance: -500 });
    const booked = await sandbox.stripe.customers.createBalanceTransaction(id, {
      amount: 200,
      currency: "usd",
      description: "gift",
    });
    expect(booked).toMatchObject({ ending_balance: -300, type: "adjustment" });
    expect(await got(id)).toMatchObject({ balance: -300, currency: "usd" });
    await sandbox.stripe.customers.update(id, { balance: 0 });
    const { data } = await sandbox.stripe.customers.listBalanceTransactions(id);
    expect(data.map(({ amount }) => amount)).toEqual([300, 200, -500]);
    const changed = await sandbox.stripe.customers.updateBalanceTransaction(id, booked.id, { metadata: { a: "b" } });
    expect(changed.metadata).toEqual({ a: "b" });
  });

  it("without one leaves the customer without a currency", async () => {
    expect(await create({ balance: 0 })).toMatchObject({ balance: 0, currency: null });
  });

  it("in another currency is kept apart", async () => {
    const { id } = await create({ balance: -500 });
    await sandbox.stripe.customers.createBalanceTransaction(id, { amount: -70, currency: "eur" });
    const customer = await got(id, ["invoice_credit_balance"]);
    expect(customer).toMatchObject({ balance: -500, invoice_credit_balance: { usd: -500, eur: -70 } });
  });
});

describe("a discount", () => {
  it("comes with a coupon, changes with another one and goes with none", async () => {
    const one = await sandbox.stripe.coupons.create({ percent_off: 20, duration: "repeating", duration_in_months: 2 });
    const two = await sandbox.stripe.coupons.create({ amount_off: 500, currency: "usd" });
    const customer = await create({ coupon: one.id });
    expect(customer.discount).toMatchObject({ customer: customer.id, source: { type: "coupon", coupon: one.id } });
    expect(customer.discount?.end).toBeGreaterThan(customer.created + 58 * 86_400);
    const discountsOf = (types: string[]) => types.filter((type) => type.startsWith("customer."));
    const change = (coupon: string) =>
      raisedBy(() => sandbox.stripe.customers.update(customer.id, { coupon } as never));
    expect(discountsOf(await change(two.id))).toEqual(["customer.discount.updated", "customer.updated"]);
    expect(sandbox.events("customer.discount.updated").at(-1)?.data.previous_attributes).toMatchObject({
      source: { coupon: one.id },
    });
    expect(discountsOf(await change(""))).toEqual(["customer.discount.deleted", "customer.updated"]);
    expect((await got(customer.id)).discount).toBeNull();
  });

  it("ends with its months on the customer's clock", async () => {
    const start = Date.UTC(2024, 0, 31) / 1000;
    const coupon = await sandbox.stripe.coupons.create({
      percent_off: 20,
      duration: "repeating",
      duration_in_months: 1,
    });
    const clock = await sandbox.stripe.testHelpers.testClocks.create({ frozen_time: start });
    const { id, discount } = await create({ coupon: coupon.id, test_clock: clock.id });
    expect(discount?.end).toBe(Date.UTC(2024, 1, 29) / 1000);
    await sandbox.stripe.testHelpers.testClocks.advance(clock.id, { frozen_time: start + 40 * 86_400 });
    expect((await got(id)).discount).toBeNull();
    expect(sandbox.events("customer.discount.deleted").at(-1)).toMatchObject({
      created: discount?.end,
      data: { object: { customer: id } },
    });
  });

  it("is deleted by its own route, once", async () => {
    const coupon = await sandbox.stripe.coupons.create({ percent_off: 20 });
    const { id } = await create({ coupon: coupon.id });
    expect(await sandbox.stripe.customers.deleteDiscount(id)).toMatchObject({
      object: "discount",
      deleted: true,
      customer: id,
    });
    await expect(sandbox.stripe.customers.deleteDiscount(id)).rejects.toMatchObject({ statusCode: 404 });
  });

  it("expands to its coupon", async () => {
    const coupon = await sandbox.stripe.coupons.create({ percent_off: 20 });
    const { id } = await create({ coupon: coupon.id });
    expect((await got(id, ["discount.source.coupon"])).discount?.source.coupon).toMatchObject({
      id: coupon.id,
      percent_off: 20,
    });
  });
});

describe("tax ids", () => {
  it("are looked up, and verified or not as Stripe's test values say", async () => {
    const { id } = await create({ tax_id_data: [{ type: "eu_vat", value: "DE123456789" }] });
    const bad = await sandbox.stripe.customers.createTaxId(id, { type: "eu_vat", value: "DE111111111" });
    expect(bad).toMatchObject({ country: "DE", customer: id, verification: { status: "unverified" } });
    const { data } = await sandbox.stripe.customers.listTaxIds(id);
    expect(data.map(({ verification }) => verification?.status)).toEqual(["unverified", "verified"]);
    await expect(sandbox.stripe.customers.createTaxId(id, { type: "eu_vat", value: "12" })).rejects.toMatchObject({
      code: "tax_id_invalid",
      param: "value",
    });
    expect(await sandbox.stripe.customers.deleteTaxId(id, bad.id)).toMatchObject({ deleted: true });
    expect(sandbox.events("customer.tax_id.deleted")).toHaveLength(1);
  });

  it("of the account itself are a list of their own", async () => {
    const own = await sandbox.stripe.taxIds.create({ type: "us_ein", value: "12-3456789" });
    expect(own).toMatchObject({ customer: null, owner: { type: "self" } });
    expect((await sandbox.stripe.taxIds.list()).data.map(({ id }) => id)).toEqual([own.id]);
    expect(await sandbox.stripe.taxIds.retrieve(own.id)).toMatchObject({ value: "12-3456789" });
    expect(await sandbox.stripe.taxIds.del(own.id)).toMatchObject({ deleted: true });
  });
});

describe("the cash balance", () => {
  it("keeps a bank transfer that nothing waits for", async () => {
    const { id } = await create();
    const types = await raisedBy(async () => {
      const funded = await sandbox.stripe.testHelpers.customers.fundCashBalance(id, {
        amount: 1000,
        currency: "usd",
        reference: "R",
      });
      expect(funded).toMatchObject({ net_amount: 1000, ending_balance: 1000, type: "funded" });
    });
    expect(types).toEqual(["customer_cash_balance_transaction.created", "cash_balance.funds_available"]);
    expect(await sandbox.stripe.customers.retrieveCashBalance(id)).toMatchObject({ available: { usd: 1000 } });
    expect((await sandbox.stripe.customers.listCashBalanceTransactions(id)).data).toHaveLength(1);
    const manual = await sandbox.stripe.customers.updateCashBalance(id, {
      settings: { reconciliation_mode: "manual" },
    });
    expect(manual.settings).toEqual({ reconciliation_mode: "manual", using_merchant_default: false });
  });

  it("pays a payment that waits for it, partly and then whole", async () => {
    const { id } = await create();
    const intent = await sandbox.stripe.paymentIntents.create({
      amount: 20_000,
      currency: "jpy",
      customer: id,
      payment_method_types: ["customer_balance"],
      payment_method_data: { type: "customer_balance" },
      payment_method_options: {
        customer_balance: { funding_type: "bank_transfer", bank_transfer: { type: "jp_bank_transfer" } },
      },
      confirm: true,
    } as Stripe.PaymentIntentCreateParams);
    expect(intent.status).toBe("requires_action");
    const fund = (amount: number) =>
      sandbox.stripe.testHelpers.customers.fundCashBalance(id, { amount, currency: "jpy" });
    const partly = await raisedBy(() => fund(12_000));
    expect(partly).toContain("payment_intent.partially_funded");
    expect(partly).not.toContain("cash_balance.funds_available");
    const waiting = await sandbox.stripe.paymentIntents.retrieve(intent.id);
    expect(waiting.next_action?.display_bank_transfer_instructions?.amount_remaining).toBe(8000);
    expect(await raisedBy(() => fund(9000))).toEqual(
      expect.arrayContaining(["payment_intent.succeeded", "cash_balance.funds_available"]),
    );
    expect((await sandbox.stripe.customers.retrieveCashBalance(id)).available).toEqual({ jpy: 1000 });
    expect((await sandbox.stripe.paymentIntents.retrieve(intent.id)).status).toBe("succeeded");
  });

  it("says where transfers go to", async () => {
    const { id } = await create();
    const told = await sandbox.stripe.customers.createFundingInstructions(id, {
      currency: "eur",
      funding_type: "bank_transfer",
      bank_transfer: { type: "eu_bank_transfer", eu_bank_transfer: { country: "FR" } },
    });
    expect(told.bank_transfer).toMatchObject({ country: "FR", financial_addresses: [{ type: "iban" }] });
  });
});
