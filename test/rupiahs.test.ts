// A currency whose amounts have more digits than the others': what is sold, invoiced, paid and refunded in Indonesian rupiahs.
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { Answer } from "./support/api-door.ts";
import { send } from "./support/people.ts";
import { type Buyer, customer, openSubscriptionScene, type SubscriptionScene } from "./support/subscription-scene.ts";

/** 1.5 million rupiahs, which is less than 100 dollars. */
const AMOUNT = 150_000_000;
const LARGEST = 999_999_999_999;

describe("amounts in rupiahs", () => {
  let scene: SubscriptionScene;
  let buyer: Buyer;
  beforeAll(async () => {
    scene = await openSubscriptionScene("embedded");
    buyer = await customer(scene);
  });
  afterAll(() => scene.close());

  const tenant = (path: string, body: object): Promise<Answer> =>
    send(scene.door, "POST", path, { token: scene.tenant.keys.test_secret, body });
  const pack = { name: "100 credits", credits: 100, currency: "idr" };

  it("a pack has a price of up to twelve digits, and is bought as often as that allows", async () => {
    const made = await tenant("/api/v1/credit-packs/", { ...pack, amount: AMOUNT });
    expect([made.status, made.json]).toMatchObject([201, { amount: AMOUNT, sync_error: null }]);
    expect((await tenant("/api/v1/credit-packs/", { ...pack, amount: LARGEST + 1 })).json.param).toBe("amount");
    expect((await tenant("/api/v1/credit-packs/", { ...pack, currency: "usd", amount: AMOUNT })).json).toMatchObject({
      ...{ code: "invalid_request", param: "amount" },
    });
    const body = { price_id: made.json.price_id, quantity: 10 };
    const bought = await send(scene.door, "POST", "/account/purchase-credits/", { token: buyer.token, body });
    expect(bought.status).toBe(201);
    const session = await buyer.stripe.checkout.sessions.retrieve(String(bought.json.session_id));
    expect(session).toMatchObject({ amount_total: 10 * AMOUNT, currency: "idr" });
  });

  it("an invoice is made of it", async () => {
    const invoice = { customer_email: buyer.email, currency: "idr", items: [{ description: "a", amount: AMOUNT }] };
    expect((await tenant("/accounts/invoices/", invoice)).status).toBe(201);
    expect((await tenant("/accounts/invoices/", { ...invoice, currency: "usd" })).json.param).toBe("items.0.amount");
  });

  it("it is paid and refunded, and a refund of more than the payment is Stripe's to refuse", async () => {
    const { id } = await buyer.stripe.paymentIntents.create({
      ...{ amount: LARGEST, currency: "idr", payment_method: "pm_card_visa", confirm: true },
      return_url: "https://shop.example/back",
    });
    await scene.settle();
    const refund = (amount: number): Promise<Answer> => tenant(`/api/v1/payments/${id}/refund/`, { amount });
    expect(await refund(LARGEST + 1)).toMatchObject({ status: 400, json: { code: "stripe_refused" } });
    expect(await refund(AMOUNT)).toMatchObject({ status: 201, json: { amount: AMOUNT, currency: "idr" } });
    const tooMuch = buyer.stripe.paymentIntents.create({ amount: LARGEST + 1, currency: "idr" });
    await expect(tooMuch).rejects.toMatchObject({ code: "amount_too_large", param: "amount" });
  });
});
