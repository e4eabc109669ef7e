// The sandbox's pages as a browser without scripts sees them: buying, 3-D Secure, invoices, the customer portal.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

import type Stripe from "stripe";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { type OpenSandbox, openSandbox, type RawAnswer } from "./support/sandbox.ts";

let sandbox: OpenSandbox;
beforeAll(async () => {
  sandbox = await openSandbox();
});
afterAll(() => sandbox.close());

type CreateParams = Stripe.Checkout.SessionCreateParams;

const HOSTILE = `<script>alert("1")</script>`;
const SHOP = {
  success_url: "https://shop.example/done?session={CHECKOUT_SESSION_ID}",
  cancel_url: "https://shop.example/cart",
};
const pathOf = (url: string | null | undefined): string => new URL(url ?? "").pathname;

async function session(params: CreateParams): Promise<Stripe.Checkout.Session> {
  return sandbox.stripe.checkout.sessions.create({ ...SHOP, ...params });
}

const line = (unit_amount: number, recurring?: { interval: "month" }, currency = "usd") => ({
  quantity: 1,
  price_data: { currency, unit_amount, product_data: { name: `Credits ${HOSTILE}` }, ...(recurring && { recurring }) },
});

const open = (path: string): Promise<RawAnswer> => sandbox.call("GET", path);
const send = (path: string, fields: Record<string, string>): Promise<RawAnswer> =>
  sandbox.call("POST", path, new URLSearchParams(fields).toString());

const CARD = {
  email: "buyer@example.com",
  name: "Jenny Rosen",
  number: "4242 4242 4242 4242",
  expiry: "12 / 34",
  cvc: "123",
};

/** What every page must be: labelled, escaped, complete in itself. */
function checkPage({ text, headers }: RawAnswer): void {
  expect(headers["content-type"]).toContain("text/html");
  expect(text).toContain("Stripe sandbox: no real money");
  expect(text).toMatch(/<html lang="en">/);
  expect(text.match(/<h1>/g)).toHaveLength(1);
  expect(text).not.toContain("<script");
  expect(text).not.toMatch(/\ssrc=|@import|url\(|<link rel="stylesheet"/);
  expect(text).not.toMatch(/undefined|\[object Object\]|NaN/);
  const labels = new Set([...text.matchAll(/<label[^>]*\sfor="([^"]+)"/g)].map(([, id]) => id));
  for (const [tag] of text.matchAll(/<(?:input|select)\b[^>]*>/g)) {
    if (tag.includes('type="hidden"') || tag.includes('type="checkbox"')) continue;
    const id = /\sid="([^"]+)"/.exec(tag)?.[1];
    expect(tag.includes("aria-label=") || (id !== undefined && labels.has(id)), `${tag} has a label`).toBe(true);
  }
  const ids = [...text.matchAll(/\sid="([^"]+)"/g)].map(([, id]) => id);
  expect(new Set(ids).size, "ids are unique").toBe(ids.length);
}

test("the front page says what this is, and leads to what waits for a buyer", async () => {
  const { id, url } = await session({ mode: "payment", line_items: [line(1500)] });
  const page = await open("/");
  expect(page.status).toBe(200);
  checkPage(page);
  expect(page.text).toContain(id);
  expect(page.text).toContain(url ?? "");
});

describe("hosted checkout", () => {
  test("the page shows what is bought, and a test card pays it and leads back to the shop", async () => {
    const one = await session({ mode: "payment", line_items: [line(1500)] });
    const page = await open(pathOf(one.url));
    checkPage(page);
    expect(page.text).toContain("Credits &lt;script&gt;");
    expect(page.text).toContain("$15.00");
    expect(page.text).toContain('href="https://shop.example/cart"');
    const paid = await send(pathOf(one.url), CARD);
    expect(paid).toMatchObject({ status: 303, headers: { location: `https://shop.example/done?session=${one.id}` } });
    expect(await sandbox.stripe.checkout.sessions.retrieve(one.id)).toMatchObject({
      payment_status: "paid",
      customer_details: { email: "buyer@example.com", name: "Jenny Rosen" },
    });
    const after = await open(`/c/pay/${one.id}`);
    checkPage(after);
    expect(after.text).toContain("This checkout is complete.");
  });

  test("the buyer goes back when the shop has acknowledged the completed session", async () => {
    const seen: string[] = [];
    const shop = createServer((request, response) => {
      request.resume().once("end", () => {
        setTimeout(() => {
          seen.push("acknowledged");
          response.end();
        }, 200);
      });
    });
    await new Promise<void>((resolve) => void shop.listen(0, "127.0.0.1", resolve));
    const { port } = shop.address() as AddressInfo;
    const endpoint = await sandbox.stripe.webhookEndpoints.create({
      url: `http://127.0.0.1:${port}/`,
      enabled_events: ["checkout.session.completed"],
    });
    const one = await session({ mode: "payment", line_items: [line(1500)] });
    expect((await send(pathOf(one.url), CARD)).status).toBe(303);
    seen.push("back");
    expect(seen).toEqual(["acknowledged", "back"]);
    await sandbox.stripe.webhookEndpoints.del(endpoint.id);
    await new Promise<void>((resolve) => void shop.close(() => resolve()));
  });

  test("a decline says why, keeps what was typed, and another card pays", async () => {
    const one = await session({ mode: "payment", line_items: [line(1500)] });
    const refused = await send(pathOf(one.url), { ...CARD, test_card: "4000000000009995" });
    checkPage(refused);
    expect(refused.status).toBe(402);
    expect(refused.text).toContain("insufficient funds");
    expect(refused.text).toContain('value="buyer@example.com"');
    expect((await send(pathOf(one.url), CARD)).status).toBe(303);
  });

  test("nonsense in the form is answered with a sentence, not with an error page", async () => {
    const one = await session({ mode: "payment", line_items: [line(1500)] });
    for (const fields of [
      {},
      { ...CARD, email: "" },
      { ...CARD, expiry: "soon" },
      { ...CARD, number: HOSTILE },
      { ...CARD, saved: "pm_none" },
    ]) {
      const answer = await send(pathOf(one.url), fields);
      expect(answer.status).toBeGreaterThanOrEqual(400);
      expect(answer.status).toBeLessThan(500);
      checkPage(answer);
      expect(answer.text).toMatch(/class="error"/);
    }
    expect((await sandbox.stripe.checkout.sessions.retrieve(one.id)).status).toBe("open");
  });

  test("3-D Secure asks the bank: failing leads back to the form, completing to the shop", async () => {
    const one = await session({ mode: "payment", line_items: [line(1500)] });
    for (const [result, location] of [
      ["fail", `/c/pay/${one.id}`],
      ["complete", `https://shop.example/done?session=${one.id}`],
    ] as const) {
      const asked = await send(pathOf(one.url), { ...CARD, test_card: "4000002760003184" });
      expect(asked.status).toBe(303);
      const bank = String(asked.headers.location);
      checkPage(await open(bank));
      expect(await send(bank, { result })).toMatchObject({ status: 303, headers: { location } });
      const back = await open(`/c/pay/${one.id}`);
      checkPage(back);
      if (result === "fail") expect(back.text).toMatch(/class="error"/);
    }
    expect((await sandbox.stripe.checkout.sessions.retrieve(one.id)).payment_status).toBe("paid");
  });

  test("a SEPA debit completes unpaid", async () => {
    const one = await session({ mode: "payment", line_items: [line(1500, undefined, "eur")] });
    checkPage(await open(pathOf(one.url)));
    expect((await send(pathOf(one.url), { ...CARD, debit: "succeeds" })).status).toBe(303);
    expect(await sandbox.stripe.checkout.sessions.retrieve(one.id)).toMatchObject({
      status: "complete",
      payment_status: "unpaid",
    });
  });

  test("a promotion code lowers the total, and an unknown one is refused", async () => {
    const coupon = await sandbox.stripe.coupons.create({ percent_off: 20, duration: "once" });
    await sandbox.stripe.promotionCodes.create({ promotion: { type: "coupon", coupon: coupon.id }, code: "SAVE20" });
    const one = await session({ mode: "payment", line_items: [line(1500)], allow_promotion_codes: true });
    const path = pathOf(one.url);
    const wrong = await send(path, { action: "promotion", code: "NOTHING" });
    checkPage(wrong);
    expect(wrong.text).toContain("This code is invalid.");
    expect((await send(path, { action: "promotion", code: "save20" })).status).toBe(303);
    expect((await open(path)).text).toContain("$12.00");
    expect((await send(path, CARD)).status).toBe(303);
    expect(await sandbox.stripe.checkout.sessions.retrieve(one.id)).toMatchObject({
      amount_total: 1200,
      payment_status: "paid",
    });
  });

  test("everything that a session may ask for has its field, and is kept", async () => {
    const one = await session({
      mode: "payment",
      line_items: [{ ...line(1500), adjustable_quantity: { enabled: true, maximum: 5 } }],
      billing_address_collection: "required",
      phone_number_collection: { enabled: true },
      tax_id_collection: { enabled: true },
      shipping_address_collection: { allowed_countries: ["DE", "US"] },
      shipping_options: [
        { shipping_rate_data: { display_name: "Slow", fixed_amount: { amount: 100, currency: "usd" } } },
        { shipping_rate_data: { display_name: "Fast", fixed_amount: { amount: 900, currency: "usd" } } },
      ],
      consent_collection: { promotions: "auto" },
      custom_fields: [
        {
          key: "size",
          label: { custom: `Size ${HOSTILE}`, type: "custom" },
          type: "dropdown",
          dropdown: { options: [{ label: "L", value: "l" }] },
        },
        { key: "note", label: { custom: "Note", type: "custom" }, type: "text", optional: true },
      ],
    });
    const path = pathOf(one.url);
    checkPage(await open(path));
    const { data } = await sandbox.stripe.checkout.sessions.listLineItems(one.id);
    expect((await send(path, { action: "quantities", [`quantity_${data[0]?.id ?? ""}`]: "3" })).status).toBe(303);
    const fast = one.shipping_options[1]?.shipping_rate as string;
    const fields = {
      ...CARD,
      phone: "+491234",
      line1: "1 Main St",
      city: "Berlin",
      country: "DE",
      postal_code: "10115",
      shipping_name: "Jenny",
      shipping_line1: "2 Side St",
      shipping_city: "Berlin",
      shipping_country: "DE",
      shipping_rate: fast,
      custom_size: "l",
      promotions: "yes",
    };
    expect((await send(path, fields)).status).toBe(303);
    expect(await sandbox.stripe.checkout.sessions.retrieve(one.id)).toMatchObject({
      amount_total: 5400,
      consent: { promotions: "opt_in" },
      customer_details: { phone: "+491234", address: { line1: "1 Main St", country: "DE" } },
      collected_information: { shipping_details: { name: "Jenny", address: { line1: "2 Side St" } } },
      custom_fields: [
        { key: "size", dropdown: { value: "l" } },
        { key: "note", text: { value: null } },
      ],
    });
  });

  test("subscribing with a trial says so, and setup mode saves a card", async () => {
    const trial = await session({
      mode: "subscription",
      line_items: [line(2000, { interval: "month" })],
      subscription_data: { trial_period_days: 7 },
    });
    const page = await open(pathOf(trial.url));
    checkPage(page);
    expect(page.text).toContain("Free trial");
    expect((await send(pathOf(trial.url), CARD)).status).toBe(303);
    const setup = await session({ mode: "setup", currency: "usd" });
    checkPage(await open(pathOf(setup.url)));
    const asked = await send(pathOf(setup.url), { ...CARD, test_card: "4000002760003184" });
    expect(asked.status).toBe(303);
    expect((await send(String(asked.headers.location), { result: "complete" })).headers.location).toContain(setup.id);
    expect((await sandbox.stripe.checkout.sessions.retrieve(setup.id)).status).toBe("complete");
  });

  test("an expired session and an address that names nothing say so", async () => {
    const one = await session({ mode: "payment", line_items: [line(1500)] });
    await sandbox.stripe.checkout.sessions.expire(one.id);
    const page = await open(`/c/pay/${one.id}`);
    checkPage(page);
    expect(page.text).toContain("This checkout has expired.");
    expect((await send(`/c/pay/${one.id}`, CARD)).text).toContain("This checkout has expired.");
    for (const path of ["/c/pay/cs_none", "/p/session/bps_none", "/i/acct_1/in_none", "/3ds/pi_none", "/r/cs_none"]) {
      const missing = await open(path);
      expect(missing.status).toBe(404);
      checkPage(missing);
    }
  });
});

describe("hosted invoice", () => {
  test("an open invoice is shown and paid; its sheet can be kept", async () => {
    const customer = await sandbox.stripe.customers.create({ email: "due@example.com", name: HOSTILE });
    const draft = await sandbox.stripe.invoices.create({
      customer: customer.id,
      collection_method: "send_invoice",
      days_until_due: 7,
    });
    await sandbox.stripe.invoiceItems.create({
      customer: customer.id,
      invoice: draft.id,
      amount: 4200,
      currency: "usd",
      description: HOSTILE,
    });
    const invoice = await sandbox.stripe.invoices.finalizeInvoice(draft.id);
    const path = pathOf(invoice.hosted_invoice_url);
    const page = await open(path);
    checkPage(page);
    expect(page.text).toContain("$42.00");
    checkPage(await open(pathOf(invoice.invoice_pdf)));
    const refused = await send(path, { ...CARD, test_card: "4000000000000341" });
    expect(refused.status).toBe(402);
    checkPage(refused);
    const asked = await send(path, { ...CARD, test_card: "4000002760003184" });
    expect(await send(String(asked.headers.location), { result: "complete" })).toMatchObject({ status: 303 });
    expect((await sandbox.stripe.invoices.retrieve(invoice.id)).status).toBe("paid");
    expect((await open(path)).text).toContain("This invoice is paid.");
  });
});

describe("customer portal", () => {
  test("cards, plan, cancelling and going on: each button does what it says", async () => {
    const [plan, bigger] = await Promise.all(
      [1000, 2500].map((unit_amount) =>
        sandbox.stripe.prices.create({
          unit_amount,
          currency: "usd",
          recurring: { interval: "month" },
          product_data: { name: `Plan ${unit_amount}` },
        }),
      ),
    );
    const customer = await sandbox.stripe.customers.create({
      email: "portal@example.com",
      payment_method: "pm_card_visa",
    });
    const [card] = (await sandbox.stripe.customers.listPaymentMethods(customer.id)).data;
    const subscription = await sandbox.stripe.subscriptions.create({
      customer: customer.id,
      items: [{ price: plan?.id ?? "" }],
      default_payment_method: card?.id ?? "",
    });
    const portal = await sandbox.stripe.billingPortal.sessions.create({
      customer: customer.id,
      return_url: "https://shop.example/account",
    });
    const path = pathOf(portal.url);
    const page = await open(path);
    checkPage(page);
    expect(page.text).toContain('href="https://shop.example/account"');
    const press = async (fields: Record<string, string>) => {
      const answer = await send(path, fields);
      checkPage(answer);
      return answer;
    };
    await press({ action: "change", subscription: subscription.id, price: bigger?.id ?? "" });
    await press({ action: "cancel", subscription: subscription.id });
    const ending = await sandbox.stripe.subscriptions.retrieve(subscription.id);
    expect(ending).toMatchObject({
      status: "active",
      cancel_at: ending.items.data[0]?.current_period_end,
      cancel_at_period_end: false,
    });
    expect(ending.items.data[0]?.price.id).toBe(bigger?.id);
    await press({ action: "resume", subscription: subscription.id });
    expect((await sandbox.stripe.subscriptions.retrieve(subscription.id)).cancel_at).toBeNull();
    expect((await press({ action: "add", ...CARD, test_card: "4000000000000002" })).status).toBe(402);
    await press({ action: "add", ...CARD, number: "5555 5555 5555 4444" });
    const added = await sandbox.stripe.customers.retrieve(customer.id);
    expect(added).toMatchObject({
      invoice_settings: { default_payment_method: expect.stringMatching(/^pm_/) as string },
    });
    await press({ action: "prefer", method: card?.id ?? "" });
    await press({ action: "customer", name: "New Name", email: "new@example.com" });
    expect(await sandbox.stripe.customers.retrieve(customer.id)).toMatchObject({
      name: "New Name",
      email: "new@example.com",
      invoice_settings: { default_payment_method: card?.id },
    });
    await press({ action: "remove", method: card?.id ?? "" });
    expect((await sandbox.stripe.customers.listPaymentMethods(customer.id)).data).toHaveLength(1);
  });

  test("another customer's subscription and card are out of reach", async () => {
    const [mine, theirs] = await Promise.all([
      sandbox.stripe.customers.create({}),
      sandbox.stripe.customers.create({ payment_method: "pm_card_visa" }),
    ]);
    const [card] = (await sandbox.stripe.customers.listPaymentMethods(theirs.id)).data;
    const portal = await sandbox.stripe.billingPortal.sessions.create({ customer: mine.id });
    const answer = await send(pathOf(portal.url), { action: "remove", method: card?.id ?? "" });
    expect(answer.status).toBe(400);
    expect((await sandbox.stripe.customers.listPaymentMethods(theirs.id)).data).toHaveLength(1);
  });

  test("what the configuration does not allow is refused", async () => {
    const configuration = await sandbox.stripe.billingPortal.configurations.create({
      features: { invoice_history: { enabled: true } },
    });
    const customer = await sandbox.stripe.customers.create({});
    const portal = await sandbox.stripe.billingPortal.sessions.create({
      customer: customer.id,
      configuration: configuration.id,
    });
    checkPage(await open(pathOf(portal.url)));
    expect((await send(pathOf(portal.url), { action: "add", ...CARD })).status).toBe(403);
  });
});
