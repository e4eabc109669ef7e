// What is sold in the sandbox, driven by the official SDK: products, prices, plans, coupons, codes, rates, links.
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

const product = async () => (await sandbox.stripe.products.create({ name: "Credits" })).id;

/** The types of the events that `act` raised, in their order. */
async function raisedBy(act: () => Promise<unknown>): Promise<string[]> {
  const before = sandbox.events().length;
  await act();
  return sandbox
    .events()
    .slice(before)
    .map(({ type }) => type);
}

describe("products", () => {
  it("make their default price with them, which is told after them", async () => {
    const types = await raisedBy(async () => {
      const made = await sandbox.stripe.products.create({
        name: "Team",
        default_price_data: { currency: "usd", unit_amount: 1500, recurring: { interval: "month" } },
        expand: ["default_price"],
      });
      expect(made.default_price).toMatchObject({ object: "price", unit_amount: 1500, product: made.id });
    });
    expect(types).toEqual(["product.created", "plan.created", "price.created"]);
  });

  it("tell what an update changed, and nothing when it changed nothing", async () => {
    const id = await product();
    await sandbox.stripe.products.update(id, { description: "new", metadata: { a: "1" } });
    const [event] = sandbox.events("product.updated").slice(-1);
    expect(event?.data.previous_attributes).toMatchObject({ description: null, metadata: { a: null } });
    expect(await raisedBy(() => sandbox.stripe.products.update(id, { description: "new" }))).toEqual([]);
    expect((await sandbox.stripe.products.update(id, { description: "" })).description).toBeNull();
  });

  it("with a price cannot be deleted; one without goes, and its id is unknown then", async () => {
    const [priced, free] = [await product(), await product()];
    await sandbox.stripe.prices.create({ product: priced, currency: "usd", unit_amount: 1 });
    await expect(sandbox.stripe.products.del(priced)).rejects.toMatchObject({
      statusCode: 400,
      message: "This product cannot be deleted because it has one or more user-created prices.",
    });
    expect(await sandbox.stripe.products.del(free)).toMatchObject({ id: free, object: "product", deleted: true });
    await expect(sandbox.stripe.products.retrieve(free)).rejects.toMatchObject({
      statusCode: 404,
      code: "resource_missing",
      param: "id",
    });
  });

  it("take an id of one's own, once", async () => {
    await sandbox.stripe.products.create({ id: "gold", name: "Gold" });
    await expect(sandbox.stripe.products.create({ id: "gold", name: "Gold" })).rejects.toMatchObject({
      statusCode: 400,
      code: "resource_already_exists",
      message: "Product already exists.",
    });
  });

  it("are listed by their filters and found by a query", async () => {
    const made = await sandbox.stripe.products.create({
      name: "Findable",
      metadata: { tier: "gold" },
      shippable: true,
    });
    const listed = await sandbox.stripe.products.list({ ids: [made.id, "prod_none"], shippable: true });
    expect(listed.data.map(({ id }) => id)).toEqual([made.id]);
    const found = await sandbox.stripe.products.search({
      query: "metadata['tier']:'gold' AND active:'true' AND name~'indab'",
    });
    expect(found.data.map(({ id }) => id)).toEqual([made.id]);
    await expect(sandbox.stripe.products.search({ query: "colour:'red'" })).rejects.toMatchObject({
      statusCode: 400,
      param: "query",
    });
    await expect(sandbox.stripe.products.search({ query: "gold" })).rejects.toThrow(
      /unable to parse your search query/,
    );
  });
});

describe("prices", () => {
  it("that recur are plans too, changed together", async () => {
    const made = await sandbox.stripe.prices.create({
      product: await product(),
      currency: "EUR",
      unit_amount: 900,
      recurring: { interval: "month", trial_period_days: 7 },
    });
    const types = await raisedBy(() => sandbox.stripe.prices.update(made.id, { nickname: "Monthly" }));
    expect(types).toEqual(["plan.updated", "price.updated"]);
    expect(await sandbox.stripe.plans.retrieve(made.id)).toMatchObject({
      amount: 900,
      currency: "eur",
      interval: "month",
      nickname: "Monthly",
      trial_period_days: 7,
    });
  });

  it("show tiers and other currencies only when asked to", async () => {
    const made = await sandbox.stripe.prices.create({
      product: await product(),
      currency: "usd",
      billing_scheme: "tiered",
      tiers_mode: "graduated",
      recurring: { interval: "month" },
      tiers: [
        { up_to: 5, unit_amount: 500 },
        { up_to: "inf", unit_amount: 400, flat_amount: 10 },
      ],
      currency_options: { eur: { tiers: [{ up_to: "inf", unit_amount: 300 }] } },
    });
    expect(made).not.toHaveProperty("tiers");
    expect(made).not.toHaveProperty("currency_options");
    const whole = await sandbox.stripe.prices.retrieve(made.id, { expand: ["tiers", "currency_options"] });
    expect(whole.tiers).toMatchObject([
      { up_to: 5, unit_amount: 500 },
      { up_to: null, unit_amount: 400, flat_amount: 10 },
    ]);
    expect(Object.keys(whole.currency_options ?? {}).sort()).toEqual(["eur", "usd"]);
  });

  it("keep fractions of a minor unit", async () => {
    const answer = await sandbox.call(
      "POST",
      "/v1/prices",
      `product=${await product()}&currency=usd&unit_amount_decimal=123.450`,
    );
    expect(answer.json).toMatchObject({ unit_amount: null, unit_amount_decimal: "123.45" });
  });

  it("hold a lookup key alone, until it is transferred", async () => {
    const id = await product();
    const one = await sandbox.stripe.prices.create({
      product: id,
      currency: "usd",
      unit_amount: 1,
      lookup_key: "basic",
    });
    const again = { product: id, currency: "usd", unit_amount: 2, lookup_key: "basic" };
    await expect(sandbox.stripe.prices.create(again)).rejects.toMatchObject({
      statusCode: 400,
      param: "lookup_key",
      message: `A price (\`${one.id}\`) already uses that lookup key.`,
    });
    const types = await raisedBy(() => sandbox.stripe.prices.create({ ...again, transfer_lookup_key: true }));
    expect(types).toEqual(["price.updated", "price.created"]);
    expect(await sandbox.stripe.prices.retrieve(one.id)).toMatchObject({ lookup_key: null, active: true });
    const { data } = await sandbox.stripe.prices.list({ lookup_keys: ["basic"] });
    expect(data).toMatchObject([{ unit_amount: 2 }]);
  });

  it.each([
    [
      "no product",
      { currency: "usd", unit_amount: 1 },
      { message: "You must specify either `product` or `product_data` when creating a price." },
    ],
    [
      "an unknown product",
      { currency: "usd", unit_amount: 1, product: "prod_none" },
      { code: "resource_missing", param: "product" },
    ],
    ["an unknown currency", { currency: "xxx", unit_amount: 1, product_data: { name: "x" } }, { param: "currency" }],
    [
      "no amount",
      { currency: "usd", product_data: { name: "x" } },
      { message: "Prices require an `unit_amount` or `unit_amount_decimal` parameter to be set." },
    ],
    [
      "an amount below zero",
      { currency: "usd", unit_amount: -1, product_data: { name: "x" } },
      { param: "unit_amount" },
    ],
  ])("are refused with %s, and leave no product", async (_, params, error) => {
    const before = sandbox.objects("product").length;
    const refused = sandbox.stripe.prices.create(params);
    await expect(refused).rejects.toMatchObject({ statusCode: 400, type: "StripeInvalidRequestError", ...error });
    expect(sandbox.objects("product")).toHaveLength(before);
  });

  it("stay for sale while they are their product's default", async () => {
    const made = await sandbox.stripe.products.create({
      name: "x",
      default_price_data: { currency: "usd", unit_amount: 1 },
    });
    const { default_price: price } = made;
    if (typeof price !== "string") throw new Error("the product has no default price");
    await expect(sandbox.stripe.prices.update(price, { active: false })).rejects.toThrow(
      "This price cannot be archived because it is the default price of its product.",
    );
  });

  it("that are inactive are nobody's default", async () => {
    const id = await product();
    const price = await sandbox.stripe.prices.create({ product: id, currency: "usd", unit_amount: 1, active: false });
    await expect(sandbox.stripe.products.update(id, { default_price: price.id })).rejects.toThrow(
      /only accepts active prices/,
    );
  });
});

describe("plans", () => {
  it("make their product, and go together with their price", async () => {
    const made = await sandbox.stripe.plans.create({
      currency: "usd",
      interval: "month",
      amount: 2000,
      product: { name: "p" },
    });
    expect(await sandbox.stripe.prices.retrieve(made.id)).toMatchObject({ unit_amount: 2000, product: made.product });
    expect(await raisedBy(() => sandbox.stripe.plans.del(made.id))).toEqual(["plan.deleted", "price.deleted"]);
    await expect(sandbox.stripe.prices.retrieve(made.id)).rejects.toMatchObject({ statusCode: 404, param: "price" });
  });
});

describe("coupons and promotion codes", () => {
  it.each([
    ["nothing off", {}, { code: "parameter_missing" }],
    ["a percentage and an amount", { percent_off: 5, amount_off: 5, currency: "usd" }, {}],
    ["an amount without a currency", { amount_off: 5 }, { param: "currency" }],
    ["months that are missing", { percent_off: 5, duration: "repeating" }, { param: "duration" }],
    ["more than everything off", { percent_off: 101 }, { param: "percent_off" }],
    ["an end in the past", { percent_off: 5, redeem_by: 1000 }, { param: "redeem_by" }],
  ])("are refused with %s", async (_, params, error) => {
    await expect(sandbox.stripe.coupons.create(params as never)).rejects.toMatchObject({ statusCode: 400, ...error });
  });

  it("count their redemptions, and end with the last one", async () => {
    const coupon = await sandbox.stripe.coupons.create({ percent_off: 12.5, duration: "forever", max_redemptions: 1 });
    const code = await sandbox.stripe.promotionCodes.create({
      promotion: { type: "coupon", coupon: coupon.id },
      code: "SPRING",
    });
    await sandbox.stripe.customers.create({ promotion_code: code.id } as never);
    expect(await sandbox.stripe.coupons.retrieve(coupon.id)).toMatchObject({ times_redeemed: 1, valid: false });
    expect(await sandbox.stripe.promotionCodes.retrieve(code.id)).toMatchObject({ times_redeemed: 1, active: false });
    await expect(sandbox.stripe.customers.create({ coupon: coupon.id } as never)).rejects.toMatchObject({
      statusCode: 400,
      code: "coupon_expired",
      param: "coupon",
    });
  });

  it("have one active code of a spelling, whatever its case", async () => {
    const coupon = await sandbox.stripe.coupons.create({ percent_off: 10 });
    const params = { promotion: { type: "coupon", coupon: coupon.id } } as const;
    const first = await sandbox.stripe.promotionCodes.create({ ...params, code: "Once" });
    await expect(sandbox.stripe.promotionCodes.create({ ...params, code: "ONCE" })).rejects.toThrow(
      "An active promotion code with `code: ONCE` already exists.",
    );
    await sandbox.stripe.promotionCodes.update(first.id, { active: false });
    await sandbox.stripe.promotionCodes.create({ ...params, code: "ONCE" });
    expect((await sandbox.stripe.promotionCodes.list({ code: "once", active: true })).data).toHaveLength(1);
  });

  it("refuse a code that is for another customer, or for a first purchase after one", async () => {
    const coupon = await sandbox.stripe.coupons.create({ percent_off: 10 });
    const [owner, other] = [await sandbox.stripe.customers.create(), await sandbox.stripe.customers.create()];
    const params = { promotion: { type: "coupon", coupon: coupon.id } } as const;
    const own = await sandbox.stripe.promotionCodes.create({ ...params, customer: owner.id });
    const refused = sandbox.stripe.customers.update(other.id, { promotion_code: own.id } as never);
    await expect(refused).rejects.toMatchObject({ statusCode: 400, param: "promotion_code" });
    await sandbox.stripe.customers.update(owner.id, { promotion_code: own.id } as never);
  });

  it("keep the discounts that a coupon gave before it was deleted", async () => {
    const coupon = await sandbox.stripe.coupons.create({ percent_off: 10, duration: "forever" });
    const customer = await sandbox.stripe.customers.create({ coupon: coupon.id } as never);
    expect(await sandbox.stripe.coupons.del(coupon.id)).toEqual(
      expect.objectContaining({ id: coupon.id, deleted: true }),
    );
    const { discount } = (await sandbox.stripe.customers.retrieve(customer.id)) as { discount?: unknown };
    expect(discount).toMatchObject({ source: { coupon: coupon.id } });
    expect(sandbox.events("coupon.deleted").at(-1)?.data.object).toMatchObject({ valid: false });
  });
});

describe("rates and links", () => {
  it("tax rates are made, changed and listed", async () => {
    const rate = await sandbox.stripe.taxRates.create({
      display_name: "VAT",
      inclusive: true,
      percentage: 7.7,
      country: "CH",
    });
    await sandbox.stripe.taxRates.update(rate.id, { active: false, metadata: { a: "b" } });
    expect(sandbox.events("tax_rate.updated").at(-1)?.data.previous_attributes).toEqual({
      active: true,
      metadata: { a: null },
    });
    expect((await sandbox.stripe.taxRates.list({ active: false })).data.map(({ id }) => id)).toContain(rate.id);
  });

  it("shipping rates are made, changed and listed", async () => {
    const rate = await sandbox.stripe.shippingRates.create({
      display_name: "Post",
      type: "fixed_amount",
      fixed_amount: { amount: 500, currency: "usd" },
      delivery_estimate: { minimum: { unit: "day", value: 2 } },
    });
    const after = await sandbox.stripe.shippingRates.update(rate.id, {
      active: false,
      fixed_amount: { currency_options: { eur: { amount: 450 } } },
    });
    expect(after.fixed_amount?.currency_options).toEqual({ eur: { amount: 450, tax_behavior: "unspecified" } });
    expect((await sandbox.stripe.shippingRates.list({ active: false })).data).toHaveLength(1);
  });

  it("payment links show their lines when asked to", async () => {
    const price = await sandbox.stripe.prices.create({ product: await product(), currency: "usd", unit_amount: 700 });
    const link = await sandbox.stripe.paymentLinks.create({
      line_items: [{ price: price.id, quantity: 3 }],
      custom_fields: [{ key: "size", label: { type: "custom", custom: "Size" }, type: "text" }],
      invoice_creation: { enabled: true, invoice_data: { footer: "Thanks" } },
      expand: ["line_items"],
    });
    expect(link.line_items?.data).toMatchObject([{ amount_total: 2100, quantity: 3, price: { id: price.id } }]);
    const after = await sandbox.stripe.paymentLinks.update(link.id, { active: false, allow_promotion_codes: true });
    expect(after).toMatchObject({ active: false, allow_promotion_codes: true, invoice_creation: { enabled: true } });
    expect((await sandbox.stripe.paymentLinks.listLineItems(link.id)).data).toHaveLength(1);
    expect(sandbox.events("payment_link.updated").at(-1)?.data.previous_attributes).toEqual({
      active: true,
      allow_promotion_codes: false,
    });
  });
});
