// Subscriptions that lost their place, changes after a disconnect, and requests that run again: one plan group has one that lives.
import { setTimeout as sleep } from "node:timers/promises";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { withdrawLost } from "../src/billing/subscription-release.ts";
import { silentLog } from "../src/base/log.ts";
import { StripeCallError } from "../src/stripe/call-failure.ts";
import { type Answer, SIGNING_SECRET } from "./support/api-door.ts";
import { auditOf, send } from "./support/people.ts";
import { BOTH } from "./support/pipe.ts";
import {
  accountRow,
  ask,
  type Buyer,
  customer,
  openSubscriptionScene,
  payPage,
  person,
  plan,
  subscribed,
  type SubscriptionScene,
} from "./support/subscription-scene.ts";

describe.each(BOTH)("subscriptions that cross, %s database", (kind) => {
  let scene: SubscriptionScene;
  beforeAll(async () => {
    scene = await openSubscriptionScene(kind);
  });
  afterAll(() => scene.close());

  const begin = (buyer: Buyer, body: object, headers?: Record<string, string>) =>
    ask(scene, buyer, "subscription/", body, headers);
  const all = async (buyer: Buyer) => {
    const id = String((await accountRow(scene, buyer)).stripe_customer_id);
    return (await buyer.stripe.subscriptions.list({ customer: id, status: "all" })).data;
  };
  const statuses = async (buyer: Buyer): Promise<string[]> => (await all(buyer)).map(({ status }) => status).sort();
  /** When Stripe has answered the first call of this kind, before we have its answer. */
  const afterAnswer = (part: string, then: () => Promise<void>): void => {
    const { current } = scene.access;
    let done = false;
    scene.access.current = {
      ...current,
      call: async (target, call) => {
        const answer = await current.call(target, call);
        if (target.idempotencyKey?.includes(part) === true && !done) {
          done = true;
          await then();
        }
        return answer;
      },
    };
  };
  const lost = { log: silentLog, wake: () => undefined };
  /** As if the ten seconds were over that whoever asked has for it. */
  const sweep = async (): Promise<void> => {
    await scene.settle();
    const { database, platformTenant } = scene.door.pipe;
    await database.query("update subscription_requests set withdraw_at = now() where withdraw_at < 'infinity'");
    while ((await withdrawLost({ ...lost, database, platformTenant, stripe: scene.door.deps.stripe })) !== "none");
    await scene.settle();
  };
  const waiting = async ({ accountId }: Buyer): Promise<unknown[]> => {
    const text = "select withdraw_at from subscription_requests where account_id = $1 and withdraw_at is not null";
    return (await scene.door.pipe.database.query({ text, values: [accountId] })).rows;
  };
  const died = (): Promise<void> => Promise.reject(new Error("the process died"));

  it.each([
    ["a trial", { trialDays: 14 }, false],
    ["what a coupon makes free", {}, true],
  ])(
    "of two wishes that cross only one lives, also with %s, which begins without a payment",
    async (_, terms, free) => {
      const buyer = await customer(scene);
      const [small, large] = [await plan(scene, buyer, terms), await plan(scene, buyer, { amount: 5000, ...terms })];
      const code = await freeCode(buyer, free);
      let second: Answer | undefined;
      const { current } = scene.access;
      afterAnswer(":subscription:", async () => {
        scene.access.current = current;
        second = await begin(buyer, { price_id: large.priceId, mode: "elements", ...code });
      });
      const first = await begin(buyer, { price_id: small.priceId, mode: "elements", ...code });
      scene.access.current = current;
      expect([first.status, first.json.code, second?.status]).toEqual([409, "subscription_exists", 201]);
      expect(await statuses(buyer)).toEqual([free ? "active" : "trialing", "canceled"].sort());
      await sweep();
      const live = (await all(buyer)).find(({ status }) => status !== "canceled");
      expect([live?.id, await waiting(buyer)]).toEqual([second?.json.subscription_id, []]);
    },
  );

  it("one whose process died, and whose place was taken meanwhile, is withdrawn when the reducer finds it", async () => {
    const buyer = await customer(scene);
    const [small, large] = [
      await plan(scene, buyer, { trialDays: 7 }),
      await plan(scene, buyer, { amount: 5000, trialDays: 7 }),
    ];
    const { current } = scene.access;
    scene.sandbox.register([]);
    afterAnswer(":subscription:", died);
    expect((await begin(buyer, { price_id: small.priceId, mode: "elements" })).status).toBe(500);
    scene.access.current = current;
    const second = await begin(buyer, { price_id: large.priceId, mode: "elements" });
    expect([second.status, await statuses(buyer)]).toEqual([201, ["trialing", "trialing"]]);
    hear();
    for (const { id } of scene.sandbox.events("customer.subscription.created")) scene.sandbox.resend(id);
    await sweep();
    expect(await statuses(buyer)).toEqual(["canceled", "trialing"]);
    expect((await all(buyer)).find(({ status }) => status === "trialing")?.id).toBe(second.json.subscription_id);
    expect(await waiting(buyer)).toEqual([]);
  });

  it("never withdraws one that was paid, and looks at it no more", async () => {
    const buyer = await customer(scene);
    const { priceId } = await plan(scene, buyer);
    const id = await subscribed(scene, buyer, priceId);
    const { database } = scene.door.pipe;
    const text = "update subscription_requests set holds = false where subscription_id = $1";
    await database.query({ text, values: [id] });
    await buyer.stripe.subscriptions.update(id, { metadata: { seen: "again" } });
    await sweep();
    expect([await statuses(buyer), await waiting(buyer)]).toEqual([["active"], [{ withdraw_at: Infinity }]]);
    await buyer.stripe.subscriptions.update(id, { metadata: { seen: "twice" } });
    await sweep();
    expect(await statuses(buyer)).toEqual(["active"]);
  });

  it("a page that was handed out stays its customer's though the same wish is refused later: the trial begun on it is kept", async () => {
    const buyer = await person(scene);
    const { priceId } = await plan(scene, buyer, { trialDays: 7 });
    const first = await begin(buyer, { price_id: priceId, mode: "checkout" });
    const { current } = scene.access;
    scene.access.current = {
      ...current,
      call: async (target, call) => {
        if (target.idempotencyKey?.includes(":session:") !== true) return current.call(target, call);
        throw new StripeCallError("stripe_conflict", { transient: false, outage: false });
      },
    };
    const again = await begin(buyer, { price_id: priceId, mode: "checkout" });
    scene.access.current = current;
    expect([first.status, again.status, again.json.code]).toEqual([201, 409, "stripe_conflict"]);
    await payPage(scene, first.json.session_id);
    await sweep();
    expect([await statuses(buyer), await waiting(buyer)]).toEqual([["trialing"], []]);
  });

  it("never withdraws a trial whose secret was handed out, whatever took its place", async () => {
    const buyer = await customer(scene);
    const { priceId } = await plan(scene, buyer, { trialDays: 7 });
    const id = await subscribed(scene, buyer, priceId);
    const { database } = scene.door.pipe;
    await database.query({
      text: "update subscription_requests set holds = false where subscription_id = $1",
      values: [id],
    });
    await buyer.stripe.subscriptions.update(id, { metadata: { seen: "again" } });
    await sweep();
    expect([await statuses(buyer), await waiting(buyer)]).toEqual([["trialing"], [{ withdraw_at: Infinity }]]);
  });

  it("a trial that holds its place does not give way to another wish", async () => {
    const buyer = await customer(scene);
    const [small, large] = [await plan(scene, buyer, { trialDays: 7 }), await plan(scene, buyer, { amount: 5000 })];
    expect((await begin(buyer, { price_id: small.priceId, mode: "elements" })).status).toBe(201);
    expect((await begin(buyer, { price_id: large.priceId, mode: "elements" })).json.code).toBe("subscription_exists");
    await sweep();
    expect(await statuses(buyer)).toEqual(["trialing"]);
  });

  it("changes nothing on an account that is not the tenant's any more, and goes on when it is again", async () => {
    const buyer = await customer(scene);
    const [small, large] = [await plan(scene, buyer), await plan(scene, buyer, { amount: 5000 })];
    const id = await subscribed(scene, buyer, small.priceId);
    const before = await buyer.stripe.subscriptions.retrieve(id);
    const connection = async (standing: string): Promise<void> => {
      const text = `update connections set ${standing} where stripe_account = $1`;
      await scene.door.pipe.database.query({ text, values: [scene.account] });
    };
    await connection("status = 'disconnected', disconnected_at = now(), disconnected_reason = 'unlinked'");
    const refused = [
      await ask(scene, buyer, "subscription/cancel/", { at_period_end: false }),
      await ask(scene, buyer, "subscription/cancel/"),
      await ask(scene, buyer, "subscription/resume/"),
      await ask(scene, buyer, "subscription/change-plan/", { price_id: large.priceId }),
      await ask(scene, buyer, "billing-portal/"),
      await ask(scene, buyer, "payment-method/"),
      await begin(buyer, { price_id: large.priceId }),
    ].map(({ status, json }) => [status, json.code]);
    const after = await buyer.stripe.subscriptions.retrieve(id);
    await connection("status = 'active', disconnected_at = null, disconnected_reason = null");
    expect(refused).toEqual(refused.map(() => [409, "stripe_not_connected"]));
    expect(after).toEqual(before);
    expect((await ask(scene, buyer, "subscription/change-plan/", { price_id: large.priceId })).status).toBe(200);
  });

  it("a change that runs again after the process died answers how the subscription stands, and touches no other one", async () => {
    const buyer = await customer(scene);
    const { priceId } = await plan(scene, buyer);
    const id = await subscribed(scene, buyer, priceId);
    await ask(scene, buyer, "subscription/cancel/");
    await scene.settle();
    // There and back within one second would be ambiguous, until it is fetched.
    await sleep(1_100);
    const twice = async (path: string, part: string, body: object | undefined, name: string) => {
      const headers = { "idempotency-key": `${name}-${kind}` };
      const { current } = scene.access;
      afterAnswer(part, died);
      expect((await ask(scene, buyer, path, body, headers)).status).toBe(500);
      scene.access.current = current;
      await scene.settle();
      return async () => (await ask(scene, buyer, path, body, headers)).json;
    };
    const resumed = await twice("subscription/resume/", ":resume:", undefined, "resume");
    expect(await resumed()).toMatchObject({ id, status: "active", cancel_scheduled: false });
    expect((await ask(scene, buyer, "subscription/resume/")).json.code).toBe("subscription_unchangeable");
    const canceled = await twice("subscription/cancel/", ":cancel:", { at_period_end: false }, "cancel");
    expect(await statuses(buyer)).toEqual(["canceled"]);
    const later = await subscribed(scene, buyer, priceId);
    // Begun long after the request.
    const text = "update subscriptions set stripe_created = now() + interval '1 hour' where id = $1";
    await scene.door.pipe.database.query({ text, values: [later] });
    expect(await canceled()).toMatchObject({ id, status: "canceled" });
    expect(await statuses(buyer)).toEqual(["active", "canceled"]);
  });

  it("a cancellation that runs again ends no subscription that was begun a moment after its first run", async () => {
    const buyer = await customer(scene);
    const { priceId } = await plan(scene, buyer);
    const id = await subscribed(scene, buyer, priceId);
    const cancel = () =>
      ask(scene, buyer, "subscription/cancel/", { at_period_end: false }, { "idempotency-key": `again-${kind}` });
    const { current } = scene.access;
    afterAnswer(":cancel:", died);
    expect((await cancel()).status).toBe(500);
    scene.access.current = current;
    await scene.settle();
    const later = await subscribed(scene, buyer, priceId);
    expect((await cancel()).json).toMatchObject({ id, status: "canceled" });
    expect((await buyer.stripe.subscriptions.retrieve(later)).status).toBe("active");
  });

  it("a subscription to a price that is no plan's keeps the group that it was begun in, and has none where it was begun elsewhere", async () => {
    const buyer = await person(scene);
    const [own, other] = [await plan(scene, buyer), await plan(scene, buyer, { group: "other" })];
    const id = await subscribed(scene, buyer, own.priceId);
    const unknown = await buyer.stripe.prices.create({
      ...{ currency: "usd", unit_amount: 700, recurring: { interval: "month" }, product_data: { name: "Unknown" } },
    });
    const { items } = await buyer.stripe.subscriptions.retrieve(id);
    await buyer.stripe.subscriptions.update(id, { items: [{ id: items.data[0]?.id ?? "", price: unknown.id }] });
    await scene.settle();
    const move = (priceId: string) => ask(scene, buyer, "subscription/change-plan/", { price_id: priceId });
    expect([(await move(other.priceId)).json.param, (await move(own.priceId)).status]).toEqual(["price_id", 200]);
    const stranger = await person(scene);
    await subscribed(scene, stranger, own.priceId);
    await ask(scene, stranger, "subscription/cancel/", { at_period_end: false });
    await scene.settle();
    const customerId = String((await accountRow(scene, stranger)).stripe_customer_id);
    const [method] = (await stranger.stripe.customers.listPaymentMethods(customerId)).data;
    await stranger.stripe.subscriptions.create({
      ...{ customer: customerId, items: [{ price: unknown.id }], default_payment_method: method?.id ?? "" },
    });
    await scene.settle();
    const refused = await ask(scene, stranger, "subscription/change-plan/", { price_id: own.priceId });
    expect([refused.status, refused.json.code]).toEqual([409, "subscription_unchangeable"]);
  });

  it("who lets a customer in is in the audit log", async () => {
    const { accountId } = await customer(scene);
    const made = (await auditOf(scene.door, scene.tenant)).filter(({ action }) => action === "account_session.created");
    expect(made.map(({ target }) => target)).toContain(accountId);
    const key = scene.tenant.keys.test_secret;
    const before = made.length;
    expect((await send(scene.door, "POST", "/api/v1/accounts/acc_none/session/", { token: key })).status).toBe(404);
    const after = (await auditOf(scene.door, scene.tenant)).filter(
      ({ action }) => action === "account_session.created",
    );
    expect(after).toHaveLength(before);
  });

  const hear = (): void => {
    scene.sandbox.register([
      { url: `${scene.door.url}/stripe/webhook/`, secret: SIGNING_SECRET, connect: true },
      { url: `${scene.door.url}/account/stripe-webhook/`, secret: SIGNING_SECRET, connect: false },
    ]);
  };
  const freeCode = async ({ stripe }: Buyer, free: boolean): Promise<{ promotion_code?: string }> => {
    if (!free) return {};
    const coupon = await stripe.coupons.create({ percent_off: 100, duration: "forever" });
    const promotion = { type: "coupon", coupon: coupon.id } as const;
    return { promotion_code: (await stripe.promotionCodes.create({ promotion })).id };
  };
});
