// The terms that a subscription is begun on, and how many of one plan group there may be, through the HTTP door.
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { PASSWORD, send } from "./support/people.ts";
import { BOTH } from "./support/pipe.ts";
import {
  accountRow,
  ask,
  type Buyer,
  confirm,
  customer,
  openSubscriptionScene,
  payPage,
  person,
  plan,
  subscribed,
  type SubscriptionScene,
} from "./support/subscription-scene.ts";

describe.each(BOTH)("the terms of a subscription, %s database", (kind) => {
  let scene: SubscriptionScene;
  beforeAll(async () => {
    scene = await openSubscriptionScene(kind);
  });
  afterAll(() => scene.close());

  const promotion = async ({ stripe }: Buyer, code: string): Promise<string> => {
    const coupon = await stripe.coupons.create({ percent_off: 50, duration: "forever" });
    return (await stripe.promotionCodes.create({ code, promotion: { type: "coupon", coupon: coupon.id } })).id;
  };

  it("Checkout's page computes taxes and takes the promotion code's discount off, where that was asked for", async () => {
    const buyer = await customer(scene);
    const { priceId } = await plan(scene, buyer, { amount: 2000 });
    const code = await promotion(buyer, `PAGE${kind.toUpperCase()}`);
    const terms = { price_id: priceId, automatic_tax: true, promotion_code: code };
    const { status, json } = await ask(scene, buyer, "subscription/", terms);
    expect(status).toBe(201);
    const session = await buyer.stripe.checkout.sessions.retrieve(String(json.session_id));
    expect(session.automatic_tax.enabled).toBe(true);
    expect(session.discounts).toMatchObject([{ promotion_code: code }]);
    expect([session.amount_subtotal, session.amount_total]).toEqual([2000, 1000]);

    const other = await customer(scene);
    const plain = await ask(scene, other, "subscription/", { price_id: priceId });
    const without = await other.stripe.checkout.sessions.retrieve(String(plain.json.session_id));
    expect([without.automatic_tax.enabled, without.amount_total]).toEqual([false, 2000]);
  });

  it("a subscription by the Payment Element computes taxes and keeps the promotion code's discount", async () => {
    const buyer = await customer(scene);
    const { priceId } = await plan(scene, buyer, { amount: 2000 });
    const code = await promotion(buyer, `ELEMENT${kind.toUpperCase()}`);
    const terms = { price_id: priceId, mode: "elements", automatic_tax: true, promotion_code: code };
    const { status, json } = await ask(scene, buyer, "subscription/", terms);
    expect(status).toBe(201);
    const subscription = await buyer.stripe.subscriptions.retrieve(String(json.subscription_id), {
      expand: ["discounts", "latest_invoice"],
    });
    expect(subscription.automatic_tax.enabled).toBe(true);
    expect(subscription.discounts).toMatchObject([{ promotion_code: code }]);
    expect(subscription.latest_invoice).toMatchObject({ subtotal: 2000, total: 1000 });
  });

  it("what the customer at Stripe is called changes the account's contact, and never the address a person signs in with", async () => {
    const buyer = await person(scene);
    await subscribed(scene, buyer, (await plan(scene, buyer)).priceId);
    const customerId = String((await accountRow(scene, buyer)).stripe_customer_id);
    const email = `other-${buyer.email}`;
    await buyer.stripe.customers.update(customerId, { email, name: "Another Name" });
    await scene.settle();
    expect(await accountRow(scene, buyer)).toMatchObject({ email, name: "Another Name" });
    const me = await send(scene.door, "GET", "/api/v1/auth/me/", { token: buyer.token });
    expect(JSON.stringify(me.json)).toContain(`"${buyer.email}"`);
    expect(JSON.stringify(me.json)).not.toContain(email);
    const signIn = (address: string) =>
      send(scene.door, "POST", "/api/v1/auth/login/", { body: { email: address, password: PASSWORD } });
    expect((await signIn(buyer.email)).status).toBe(200);
    expect((await signIn(email)).status).toBe(401);
  });
});

describe.each(BOTH)("many subscriptions of one plan group, where that is configured, %s database", (kind) => {
  let scene: SubscriptionScene;
  beforeAll(async () => {
    scene = await openSubscriptionScene(kind, { subscriptionsPerGroup: "many" });
  });
  afterAll(() => scene.close());

  let keys = 0;
  const newKey = (): string => `many-${kind}-${String((keys += 1))}`;
  const begin = (buyer: Buyer, priceId: string, key?: string, mode = "elements") =>
    ask(
      scene,
      buyer,
      "subscription/",
      { price_id: priceId, mode },
      key === undefined ? {} : { "idempotency-key": key },
    );
  const atStripe = async (buyer: Buyer) => {
    const customerId = String((await accountRow(scene, buyer)).stripe_customer_id);
    return (await buyer.stripe.subscriptions.list({ customer: customerId, status: "all" })).data;
  };

  it("two keys begin two that both live, and one key always the same one", async () => {
    const buyer = await customer(scene);
    const { priceId } = await plan(scene, buyer);
    const key = newKey();
    const first = await begin(buyer, priceId, key);
    const second = await begin(buyer, priceId, newKey());
    expect([first.status, second.status]).toEqual([201, 201]);
    expect(second.json.subscription_id).not.toBe(first.json.subscription_id);
    for (const { json } of [first, second]) await confirm(buyer, json.client_secret);
    await scene.settle();
    expect((await begin(buyer, priceId, key)).json).toEqual(first.json);
    expect((await atStripe(buyer)).map(({ status }) => status)).toEqual(["active", "active"]);
    const third = await begin(buyer, priceId);
    await confirm(buyer, third.json.client_secret);
    await scene.settle();
    expect((await atStripe(buyer)).map(({ status }) => status)).toEqual(["active", "active", "active"]);
  });

  it("one key begins one, also at the same time and when the process died after Stripe's answer", async () => {
    const buyer = await customer(scene);
    const { priceId } = await plan(scene, buyer);
    const { current } = scene.access;
    scene.access.current = {
      ...current,
      call: async (target, call) => {
        const answer = await current.call(target, call);
        if (target.idempotencyKey?.includes(":subscription:") !== true) return answer;
        scene.access.current = current;
        throw new Error("the process died");
      },
    };
    const key = newKey();
    expect((await begin(buyer, priceId, key)).status).toBe(500);
    const answers = await Promise.all([1, 2, 3, 4].map(() => begin(buyer, priceId, key)));
    for (const { status, json } of answers)
      if (status !== 201) expect([status, json.code]).toEqual([409, "idempotency_key_in_use"]);
    const again = await begin(buyer, priceId, key);
    expect(again.status).toBe(201);
    const made = await atStripe(buyer);
    expect(made.map(({ id }) => id)).toEqual([again.json.subscription_id]);
    await confirm(buyer, again.json.client_secret);
    await scene.settle();
    expect(await accountRow(scene, buyer)).toMatchObject({ status: "active", subscription_id: made[0]?.id });
  });

  it("two open pages stay open side by side, and both can be paid", async () => {
    const buyer = await person(scene);
    const { priceId } = await plan(scene, buyer);
    const pages = [
      await begin(buyer, priceId, newKey(), "checkout"),
      await begin(buyer, priceId, newKey(), "checkout"),
    ];
    expect(new Set(pages.map(({ json }) => json.session_id)).size).toBe(2);
    for (const { json } of pages) await payPage(scene, json.session_id);
    await scene.settle();
    expect((await atStripe(buyer)).map(({ status }) => status)).toEqual(["active", "active"]);
  });

  it("each is changed and canceled by its name, within its own group, and the other goes on", async () => {
    const buyer = await customer(scene);
    const [small, large] = [await plan(scene, buyer), await plan(scene, buyer, { amount: 9000 })];
    const other = await plan(scene, buyer, { group: "elsewhere" });
    const [one, two] = [await subscribed(scene, buyer, small.priceId), await subscribed(scene, buyer, small.priceId)];
    const unnamed = await ask(scene, buyer, "subscription/cancel/", { at_period_end: false });
    expect([unnamed.status, unnamed.json.param]).toEqual([400, "subscription_id"]);
    const change = (id: string, priceId: string) =>
      ask(scene, buyer, "subscription/change-plan/", { subscription_id: id, price_id: priceId });
    expect((await change(one, other.priceId)).json.param).toBe("price_id");
    expect((await change(one, large.priceId)).json).toMatchObject({ id: one, plan: { id: large.id } });
    await scene.settle();

    // At a price of no plan its group is that of its request.
    const [item] = (await buyer.stripe.subscriptions.retrieve(two)).items.data;
    const { id: product } = await buyer.stripe.products.create({ name: "Of no plan" });
    const price = { product, currency: "usd", unit_amount: 700, recurring: { interval: "month" } } as const;
    const { id: unknown } = await buyer.stripe.prices.create(price);
    await buyer.stripe.subscriptions.update(two, { items: [{ id: item?.id ?? "", price: unknown }] });
    await scene.settle();
    expect((await change(two, other.priceId)).json.param).toBe("price_id");
    expect((await change(two, large.priceId)).json).toMatchObject({ id: two, plan: { id: large.id } });

    const ended = await ask(scene, buyer, "subscription/cancel/", { at_period_end: false, subscription_id: one });
    expect(ended.json).toMatchObject({ id: one, status: "canceled" });
    await scene.settle();
    expect(await accountRow(scene, buyer)).toMatchObject({ status: "active", subscription_id: two });
  });
});
