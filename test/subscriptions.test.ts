// Subscriptions through the HTTP door: begun once, on the right account, changed as asked, and told by Stripe's objects alone.
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { useNewMethods } from "../src/billing/payment-method.ts";
import { silentLog } from "../src/base/log.ts";
import type { Answer } from "./support/api-door.ts";
import { send } from "./support/people.ts";
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

describe.each(BOTH)("subscriptions, %s database", (kind) => {
  let scene: SubscriptionScene;
  beforeAll(async () => {
    scene = await openSubscriptionScene(kind);
  });
  afterAll(() => scene.close());

  const subscriptionOf = ({ stripe }: Buyer, id: unknown) => stripe.subscriptions.retrieve(String(id));
  const begin = (buyer: Buyer, body: object, headers?: Record<string, string>) =>
    ask(scene, buyer, "subscription/", body, headers);

  it("begins on Stripe's page, and the account is active when it is paid", async () => {
    const buyer = await person(scene);
    const { priceId } = await plan(scene, buyer);
    const answer = await begin(buyer, { price_id: priceId, quantity: 2 });
    expect(answer.status).toBe(201);
    expect(answer.json).toEqual({
      checkout_url: expect.stringContaining("http") as string,
      session_id: expect.stringMatching(/^cs_/) as string,
      status_url: expect.stringContaining("/api/v1/status/cs_") as string,
    });
    await payPage(scene, answer.json.session_id);
    await scene.settle();
    const row = await accountRow(scene, buyer);
    expect(row).toMatchObject({ status: "active", default_payment_method_last4: "4242" });
    const subscription = await subscriptionOf(buyer, row.subscription_id);
    expect(subscription.items.data[0]).toMatchObject({ quantity: 2, price: { id: priceId } });
    expect(subscription.application_fee_percent).toBeNull();
    const { pathname, search } = new URL(String(answer.json.status_url));
    expect((await send(scene.door, "GET", pathname + search)).json).toMatchObject({
      status: "succeeded",
      result: { subscription_status: "active" },
    });
  });

  it("begins with a client secret on the tenant's connected account, with the platform's fee", async () => {
    const buyer = await customer(scene);
    const { priceId } = await plan(scene, buyer);
    const { status, json } = await begin(buyer, { price_id: priceId, mode: "elements" });
    expect(status).toBe(201);
    expect(json).toMatchObject({ publishable_key: "pk_test_page", stripe_account: scene.account });
    await scene.settle();
    expect(await accountRow(scene, buyer)).toMatchObject({ status: "trial", subscription_id: null });
    await confirm(buyer, json.client_secret);
    await scene.settle();
    expect(await accountRow(scene, buyer)).toMatchObject({ status: "active", subscription_id: json.subscription_id });
    expect((await subscriptionOf(buyer, json.subscription_id)).application_fee_percent).toBe(15);
  });

  it("of many requests at once begins one: the same terms get the same session, others the place that is left", async () => {
    const buyer = await person(scene);
    const { priceId } = await plan(scene, buyer);
    const answers = await Promise.all([1, 2, 3, 4, 5].map(() => begin(buyer, { price_id: priceId })));
    const sessions = answers.filter(({ status }) => status === 201).map(({ json }) => json.session_id);
    expect(sessions.length).toBeGreaterThan(0);
    for (const { status, json } of answers)
      if (status !== 201) expect(json.code).toMatch(/subscription_exists|conflict/);
    expect(new Set(sessions).size).toBe(1);
    await payPage(scene, sessions[0]);
    await scene.settle();
    const again = await begin(buyer, { price_id: priceId });
    expect([again.status, again.json.code]).toEqual([409, "subscription_exists"]);
  });

  it("lets a person who has not paid choose another plan, and nobody can pay the first one any more", async () => {
    const buyer = await person(scene);
    const [small, large] = [await plan(scene, buyer), await plan(scene, buyer, { amount: 5000 })];
    const first = await begin(buyer, { price_id: small.priceId });
    const second = await begin(buyer, { price_id: large.priceId, mode: "elements" });
    expect(second.status).toBe(201);
    await expect(payPage(scene, first.json.session_id)).rejects.toThrow();
    const third = await begin(buyer, { price_id: small.priceId });
    expect(third.status).toBe(201);
    expect((await subscriptionOf(buyer, second.json.subscription_id)).status).toBe("incomplete_expired");
    await payPage(scene, third.json.session_id);
    await scene.settle();
    expect((await accountRow(scene, buyer)).status).toBe("active");
  });

  it("never lets a paid one give way, though its events have not come", async () => {
    const buyer = await person(scene);
    const [small, large] = [await plan(scene, buyer), await plan(scene, buyer, { amount: 5000 })];
    const first = await begin(buyer, { price_id: small.priceId });
    await payPage(scene, first.json.session_id);
    const second = await begin(buyer, { price_id: large.priceId });
    expect([second.status, second.json.code]).toEqual([409, "subscription_exists"]);
    const other = await person(scene);
    const elements = await begin(other, { price_id: small.priceId, mode: "elements" });
    await confirm(other, elements.json.client_secret);
    expect((await begin(other, { price_id: large.priceId })).status).toBe(409);
    expect((await subscriptionOf(other, elements.json.subscription_id)).status).toBe("active");
    await scene.settle();
  });

  it("of two wishes that cross only one can be paid, whichever is answered first", async () => {
    const buyer = await person(scene);
    const [small, large] = [await plan(scene, buyer), await plan(scene, buyer, { amount: 5000 })];
    const { current } = scene.access;
    let second: Answer | undefined;
    scene.access.current = {
      ...current,
      call: async (target, call) => {
        const answer = await current.call(target, call);
        if (target.idempotencyKey?.includes(":session:") === true && second === undefined) {
          scene.access.current = current;
          second = await begin(buyer, { price_id: large.priceId });
        }
        return answer;
      },
    };
    const first = await begin(buyer, { price_id: small.priceId });
    expect([first.status, first.json.code, second?.status]).toEqual([409, "subscription_exists", 201]);
    const customerId = String((await accountRow(scene, buyer)).stripe_customer_id);
    const sessions = await buyer.stripe.checkout.sessions.list({ customer: customerId });
    expect(sessions.data.map(({ status }) => status).sort()).toEqual(["expired", "open"]);
    expect(sessions.data.find(({ status }) => status === "open")?.id).toBe(second?.json.session_id);
  });

  it("allows one in each plan group, and another one when it has ended", async () => {
    const buyer = await person(scene);
    const [one, seats] = [await plan(scene, buyer), await plan(scene, buyer, { group: "seats" })];
    const id = await subscribed(scene, buyer, one.priceId);
    await subscribed(scene, buyer, seats.priceId);
    expect((await begin(buyer, { price_id: one.priceId })).status).toBe(409);
    const unnamed = await ask(scene, buyer, "subscription/cancel/", { at_period_end: false });
    expect([unnamed.status, unnamed.json.param]).toEqual([400, "subscription_id"]);
    const ended = await ask(scene, buyer, "subscription/cancel/", { at_period_end: false, subscription_id: id });
    expect(ended.json).toMatchObject({ id, status: "canceled" });
    await scene.settle();
    expect((await begin(buyer, { price_id: one.priceId })).status).toBe(201);
    expect((await accountRow(scene, buyer)).status).toBe("active");
  });

  it("counts what was begun in Stripe's dashboard", async () => {
    const buyer = await person(scene);
    const { priceId } = await plan(scene, buyer);
    await subscribed(scene, buyer, (await plan(scene, buyer, { group: "other" })).priceId);
    const customerId = String((await accountRow(scene, buyer)).stripe_customer_id);
    await buyer.stripe.subscriptions.create({
      customer: customerId,
      items: [{ price: priceId }],
      default_payment_method: (await buyer.stripe.customers.listPaymentMethods(customerId)).data[0]?.id ?? "",
    });
    await scene.settle();
    expect((await begin(buyer, { price_id: priceId })).json.code).toBe("subscription_exists");
  });

  it("repeats nothing under one Idempotency-Key, also when the process died after Stripe's answer", async () => {
    const buyer = await person(scene);
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
    const body = { price_id: priceId, mode: "elements" };
    const key = { "idempotency-key": `key-${kind}` };
    expect((await begin(buyer, body, key)).status).toBe(500);
    const [again, replayed] = [await begin(buyer, body, key), await begin(buyer, body, key)];
    expect(again.status).toBe(201);
    expect(replayed.json).toEqual(again.json);
    expect(replayed.headers.get("idempotent-replayed")).toBe("true");
    const customerId = String((await accountRow(scene, buyer)).stripe_customer_id);
    expect((await buyer.stripe.subscriptions.list({ customer: customerId, status: "all" })).data).toHaveLength(1);
  });

  it("gives a plan's trial once, with nothing to pay at first", async () => {
    const buyer = await customer(scene);
    const { priceId } = await plan(scene, buyer, { trialDays: 14 });
    expect((await begin(buyer, { price_id: priceId, trial_days: 15 })).json).toMatchObject({ param: "trial_days" });
    const { json } = await begin(buyer, { price_id: priceId, mode: "elements" });
    expect(String(json.client_secret)).toMatch(/^seti_/);
    await scene.settle();
    const row = await accountRow(scene, buyer);
    expect(row.status).toBe("trial");
    expect((row.trial_end as Date).getTime() - Date.now()).toBeGreaterThan(13 * 86_400_000);
    await ask(scene, buyer, "subscription/cancel/", { at_period_end: false });
    await scene.settle();
    expect((await accountRow(scene, buyer)).status).toBe("canceled");
    expect((await begin(buyer, { price_id: priceId, trial_days: 14 })).status).toBe(400);
    const second = await begin(buyer, { price_id: priceId, mode: "elements" });
    expect(String(second.json.client_secret)).toMatch(/^pi_/);
  });

  it("takes a promotion code that works, and refuses one that does not", async () => {
    const buyer = await customer(scene);
    const { priceId } = await plan(scene, buyer, { amount: 2000 });
    const coupon = await buyer.stripe.coupons.create({ percent_off: 50, duration: "forever" });
    const code = `HALF${kind.toUpperCase()}`;
    await buyer.stripe.promotionCodes.create({ code, promotion: { type: "coupon", coupon: coupon.id } });
    const refused = await begin(buyer, { price_id: priceId, promotion_code: "NOSUCH" });
    expect([refused.status, refused.json.param]).toEqual([400, "promotion_code"]);
    const { json } = await begin(buyer, { price_id: priceId, mode: "elements", promotion_code: code });
    const id = String(json.client_secret).split("_secret_")[0] ?? "";
    expect((await buyer.stripe.paymentIntents.retrieve(id)).amount).toBe(1000);
  });

  it("sells only active plans of the caller's own tenant", async () => {
    const [here, there] = [await person(scene), await customer(scene)];
    const foreign = await plan(scene, there);
    const inactive = await plan(scene, here, { active: false });
    for (const { priceId } of [foreign, inactive, { priceId: "price_none" }]) {
      expect((await begin(here, { price_id: priceId })).status).toBe(404);
    }
  });

  it("cancels at the period's end, resumes, and changes the plan within its group", async () => {
    const buyer = await customer(scene);
    const [small, large] = [await plan(scene, buyer), await plan(scene, buyer, { amount: 9000 })];
    const other = await plan(scene, buyer, { group: "elsewhere" });
    expect((await ask(scene, buyer, "subscription/cancel/")).status).toBe(404);
    const id = await subscribed(scene, buyer, small.priceId);
    expect((await ask(scene, buyer, "subscription/resume/")).json.code).toBe("subscription_unchangeable");
    const canceled = await ask(scene, buyer, "subscription/cancel/");
    expect(canceled.json).toMatchObject({ id, status: "active", cancel_scheduled: true });
    await scene.settle();
    const resumed = await ask(scene, buyer, "subscription/resume/");
    expect(resumed.json).toMatchObject({ id, cancel_scheduled: false, cancel_at: null });
    await scene.settle();
    const wrong = await ask(scene, buyer, "subscription/change-plan/", { price_id: other.priceId });
    expect([wrong.status, wrong.json.param]).toEqual([400, "price_id"]);
    const moved = await ask(scene, buyer, "subscription/change-plan/", { price_id: large.priceId, quantity: 3 });
    expect(moved.json).toMatchObject({ id, price_id: large.priceId, quantity: 3, plan: { id: large.id } });
    await scene.settle();
    expect((await subscriptionOf(buyer, id)).items.data).toHaveLength(1);
    const portal = await ask(scene, buyer, "billing-portal/");
    expect(portal.json.url).toMatch(/^http/);
    const astray = await ask(scene, buyer, "billing-portal/", { return_url: "https://evil.example/" });
    expect([astray.status, astray.json.param]).toEqual([400, "return_url"]);
  });

  it("never touches another account's subscription", async () => {
    const [one, two] = [await customer(scene), await customer(scene)];
    const { priceId } = await plan(scene, one);
    const id = await subscribed(scene, one, priceId);
    for (const path of ["cancel", "resume", "change-plan"]) {
      const body = { subscription_id: id, ...(path === "change-plan" ? { price_id: priceId } : {}) };
      expect((await ask(scene, two, `subscription/${path}/`, body)).status).toBe(404);
      expect((await ask(scene, await person(scene), `subscription/${path}/`, body)).status).toBe(404);
    }
    expect((await subscriptionOf(one, id)).status).toBe("active");
  });

  it("charges a new payment method from then on, in the customer and in its subscriptions", async () => {
    const buyer = await customer(scene);
    const id = await subscribed(scene, buyer, (await plan(scene, buyer)).priceId);
    const { status, json } = await ask(scene, buyer, "payment-method/");
    expect(status).toBe(201);
    expect(json).toMatchObject({ publishable_key: "pk_test_page", stripe_account: scene.account });
    await confirm(buyer, json.client_secret, "pm_card_mastercard");
    await scene.settle();
    const use = { ...scene.door.deps, database: scene.door.pipe.database, log: silentLog };
    expect(await useNewMethods(use)).toBe("some");
    expect(await useNewMethods(use)).toBe("none");
    await scene.settle();
    const row = await accountRow(scene, buyer);
    expect(row).toMatchObject({ default_payment_method_brand: "mastercard", default_payment_method_last4: "4444" });
    const subscription = await subscriptionOf(buyer, id);
    expect(subscription.default_payment_method).toBe(row.default_payment_method_id);
    await buyer.stripe.paymentMethods.detach(String(row.default_payment_method_id));
    await scene.settle();
    expect((await accountRow(scene, buyer)).default_payment_method_id).not.toBe(row.default_payment_method_id);
  });

  it("tells in one read what an account may use, and nothing of another tenant's", async () => {
    const buyer = await customer(scene);
    const { priceId, id } = await plan(scene, buyer, { features: ["exports", "api"] });
    const read = (token: string) =>
      send(scene.door, "GET", `/api/v1/accounts/${buyer.accountId}/entitlements/`, { token });
    const key = scene.tenant.keys.test_secret;
    expect((await read(key)).json).toMatchObject({ status: "trial", plan: null, plans: [], features: [] });
    const subscriptionId = await subscribed(scene, buyer, priceId);
    expect((await read(key)).json).toMatchObject({
      status: "active",
      plan: { id, price_id: priceId, subscription_id: subscriptionId, subscription_status: "active" },
      features: ["exports", "api"],
      credit_balance: 0,
    });
    await ask(scene, buyer, "subscription/cancel/", { at_period_end: false });
    await scene.settle();
    expect((await read(key)).json).toMatchObject({ status: "canceled", plan: null, features: [] });
    const stranger = await send(scene.door, "POST", "/api/v1/accounts/", { token: key, body: {} });
    expect(stranger.status).toBe(201);
    for (const { token } of [await person(scene), { token: scene.tenant.access }, buyer])
      expect((await read(token)).status).toBe(403);
  });
});
