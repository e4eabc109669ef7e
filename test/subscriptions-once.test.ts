// What an account has once, or last: its trial, its payment method, and the subscription that it is shown.
import { setTimeout as sleep } from "node:timers/promises";

import type Stripe from "stripe";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { silentLog } from "../src/base/log.ts";
import { useNewMethods } from "../src/billing/payment-method.ts";
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

const SECONDS = 30_000;
const BLOCKED = `
  select distinct pid from pg_locks join pg_stat_activity using (pid)
  where not granted and datname = current_database()`;

describe.each(BOTH)("what an account has once, %s database", (kind) => {
  let scene: SubscriptionScene;
  let many: SubscriptionScene;
  beforeAll(async () => {
    scene = await openSubscriptionScene(kind);
    many = await openSubscriptionScene(kind, { subscriptionsPerGroup: "many" });
  });
  afterAll(async () => {
    await scene.close();
    await many.close();
  });

  const trials = async ({ stripe, ...buyer }: Buyer, where = scene): Promise<number> => {
    const customerId = String((await accountRow(where, { stripe, ...buyer })).stripe_customer_id);
    const { data } = await stripe.subscriptions.list({ customer: customerId, status: "all" });
    return data.filter(({ trial_start }) => trial_start !== null).length;
  };
  it(
    "what is asked for again before its payment was told here is as it was paid, not as Stripe had answered first",
    async () => {
      const buyer = await person(scene);
      const { priceId } = await plan(scene, buyer);
      const body = { price_id: priceId, mode: "elements" };
      const { json } = await ask(scene, buyer, "subscription/", body);
      await scene.settle();
      await confirm(buyer, json.client_secret);
      // The answer is dated two seconds back: without that it might be taken for older than the payment.
      await sleep(3500);
      expect((await ask(scene, buyer, "subscription/", body)).json.subscription_id).toBe(json.subscription_id);
      const { rows } = await scene.door.pipe.database.query({
        text: "select reason from stripe_fetches where object_id = $1",
        values: [json.subscription_id],
      });
      await scene.settle();
      expect(rows).toEqual([{ reason: "replayed" }]);
      expect(await accountRow(scene, buyer)).toMatchObject({ status: "active", subscription_id: json.subscription_id });
    },
    SECONDS,
  );

  const groups = async (buyer: Buyer, count: number, where = scene): Promise<string[]> => {
    const prices: string[] = [];
    for (let number = 0; number < count; number += 1) {
      const made = await plan(where, buyer, { trialDays: 7, group: `group-${String(number)}` });
      prices.push(made.priceId);
    }
    return prices;
  };

  /** Holds requests back until so many have come as far as they can: each has looked by then, unless it waits for another. */
  const whileHeld = async <T>(count: number, work: () => Promise<T>): Promise<T> => {
    const { database } = scene.door.pipe;
    if (kind === "embedded") return work();
    const { promise: held, resolve: letGo } = Promise.withResolvers<undefined>();
    const { promise: hold, resolve: holds } = Promise.withResolvers<undefined>();
    const holder = database.transaction(
      async (tx) => {
        await tx.query("lock table subscription_requests in share row exclusive mode");
        holds(undefined);
        await held;
      },
      { unhurried: true },
    );
    await Promise.race([hold, holder]);
    const done = work();
    try {
      await expect.poll(async () => (await database.query(BLOCKED)).rowCount, { timeout: 10_000 }).toBe(count);
    } finally {
      letGo(undefined);
      await holder;
    }
    return done;
  };

  it(
    "pages opened in several plan groups before any is finished give one trial",
    async () => {
      const buyer = await person(scene);
      const [one = "", two = ""] = await groups(buyer, 2);
      const first = await ask(scene, buyer, "subscription/", { price_id: one });
      const asked = await ask(scene, buyer, "subscription/", { price_id: two, trial_days: 7 });
      expect([asked.status, asked.json.param]).toEqual([400, "trial_days"]);
      const second = await ask(scene, buyer, "subscription/", { price_id: two });
      for (const { json } of [first, second]) await payPage(scene, json.session_id);
      await scene.settle();
      expect(await trials(buyer)).toBe(1);
    },
    SECONDS,
  );

  it(
    "requests in several plan groups at once give one trial",
    async () => {
      const buyer = await customer(scene);
      const prices = await groups(buyer, 4);
      const answers = await whileHeld(prices.length, () =>
        Promise.all(prices.map((price) => ask(scene, buyer, "subscription/", { price_id: price, mode: "elements" }))),
      );
      await scene.settle();
      expect(answers.map(({ status }) => status)).toEqual(prices.map(() => 201));
      expect(await trials(buyer)).toBe(1);
    },
    SECONDS,
  );

  it(
    "the same page asked for again keeps its trial, and so does another plan of its group in its place",
    async () => {
      const buyer = await person(scene);
      const [one, two] = [await plan(scene, buyer, { trialDays: 7 }), await plan(scene, buyer, { trialDays: 7 })];
      const first = await ask(scene, buyer, "subscription/", { price_id: one.priceId });
      const again = await ask(scene, buyer, "subscription/", { price_id: one.priceId });
      expect(again.json.session_id).toBe(first.json.session_id);
      const other = await ask(scene, buyer, "subscription/", { price_id: two.priceId, trial_days: 7 });
      expect(other.status).toBe(201);
      await payPage(scene, other.json.session_id);
      await scene.settle();
      expect(await trials(buyer)).toBe(1);
    },
    SECONDS,
  );

  it(
    "a page that was left is forgotten after a day",
    async () => {
      const buyer = await customer(scene);
      const [one, two] = await groups(buyer, 2);
      await ask(scene, buyer, "subscription/", { price_id: one });
      await scene.door.pipe.database.query({
        text: "update subscription_requests set created_at = created_at - interval '25 hours' where account_id = $1",
        values: [buyer.accountId],
      });
      expect((await ask(scene, buyer, "subscription/", { price_id: two, trial_days: 7 })).status).toBe(201);
    },
    SECONDS,
  );

  it(
    "where an account may have many subscriptions of a group, pages opened at once give one trial",
    async () => {
      const buyer = await person(many);
      const [price] = await groups(buyer, 1, many);
      const pages = [];
      for (let page = 0; page < 3; page += 1) pages.push(await ask(many, buyer, "subscription/", { price_id: price }));
      expect(new Set(pages.map(({ json }) => json.session_id)).size).toBe(3);
      for (const { json } of pages) await payPage(many, json.session_id);
      await many.settle();
      expect(await trials(buyer, many)).toBe(1);
    },
    SECONDS,
  );

  it(
    "a trial of the customer that the account had before counts",
    async () => {
      const buyer = await customer(scene);
      const [one = "", two] = await groups(buyer, 2);
      await subscribed(scene, buyer, one);
      const before = String((await accountRow(scene, buyer)).stripe_customer_id);
      await buyer.stripe.customers.del(before);
      await scene.settle();
      const plain = await plan(scene, buyer, { group: "plain" });
      expect((await ask(scene, buyer, "subscription/", { price_id: plain.priceId })).status).toBe(201);
      expect((await accountRow(scene, buyer)).stripe_customer_id).not.toBe(before);
      expect((await ask(scene, buyer, "subscription/", { price_id: two, trial_days: 7 })).json.param).toBe(
        "trial_days",
      );
    },
    SECONDS,
  );

  it(
    "a promotion code is found by its id, however many newer ones there are, and refused when it is over",
    async () => {
      const buyer = await customer(scene);
      const { priceId } = await plan(scene, buyer);
      const { id: coupon } = await buyer.stripe.coupons.create({ percent_off: 50, duration: "forever" });
      const promotion = { type: "coupon", coupon } as const;
      const oldest = await buyer.stripe.promotionCodes.create({ promotion });
      for (let newer = 0; newer < 101; newer += 1) await buyer.stripe.promotionCodes.create({ promotion });
      const begin = (code: string) => ask(scene, buyer, "subscription/", { price_id: priceId, promotion_code: code });
      const begun = await begin(oldest.id);
      const session = await buyer.stripe.checkout.sessions.retrieve(String(begun.json.session_id));
      expect(session.discounts).toMatchObject([{ promotion_code: oldest.id }]);
      await buyer.stripe.promotionCodes.update(oldest.id, { active: false });
      for (const code of [oldest.id, "promo_NONE"]) {
        expect((await begin(code)).json).toMatchObject({ code: "invalid_request", param: "promotion_code" });
      }
    },
    SECONDS,
  );

  it.each(["before the other is used", "after the other was used"])(
    "of two payment methods the one that was completed last is charged, %s, whichever was asked for last",
    async (when) => {
      const buyer = await customer(scene);
      const { database, platformTenant } = scene.door.pipe;
      const use = async (): Promise<void> => {
        const stripe = scene.door.deps.stripe;
        await useNewMethods({ database, stripe, log: silentLog, platformTenant, wake: () => undefined });
        await scene.settle();
      };
      const first = await ask(scene, buyer, "payment-method/");
      const second = await ask(scene, buyer, "payment-method/");
      const complete = async ({ json }: typeof first, card: string): Promise<string> => {
        await confirm(buyer, json.client_secret, card);
        await scene.settle();
        const { rows } = await database.query<{ method: string }>({
          text: "select payment_method_id as method from setup_intents where id = $1",
          values: [String(json.client_secret).split("_secret_")[0]],
        });
        return rows[0]?.method ?? "none";
      };
      const earlier = await complete(second, "pm_card_mastercard");
      await database.query({
        text: "update setup_intents set head_created = head_created - 60 where payment_method_id = $1",
        values: [earlier],
      });
      if (when.startsWith("after")) await use();
      const last = await complete(first, "pm_card_visa");
      await use();
      await use();
      const customerId = String((await accountRow(scene, buyer)).stripe_customer_id);
      const { invoice_settings: settings } = (await buyer.stripe.customers.retrieve(customerId)) as Stripe.Customer;
      expect(settings.default_payment_method).toBe(last);
      expect(await accountRow(scene, buyer)).toMatchObject({ default_payment_method_id: last });
    },
    SECONDS,
  );

  it(
    "an account is shown the subscription that its status is of, not one beside it that was never paid",
    async () => {
      const buyer = await person(scene);
      const [paid, open] = [await plan(scene, buyer, { group: "paid" }), await plan(scene, buyer, { group: "open" })];
      const active = await subscribed(scene, buyer, paid.priceId);
      // The newer one.
      await scene.door.pipe.database.query({
        text: "update subscriptions set stripe_created = stripe_created - interval '1 minute' where id = $1",
        values: [active],
      });
      const begun = await ask(scene, buyer, "subscription/", { price_id: open.priceId, mode: "elements" });
      expect(begun.status).toBe(201);
      await scene.settle();
      const shown = async (path: string, token: string) => (await send(scene.door, "GET", path, { token })).json;
      expect(await shown("/account/", buyer.token)).toMatchObject({
        ...{ status: "active", subscription: { id: active, status: "active" } },
      });
      const other = await customer(scene);
      const first = await subscribed(scene, other, (await plan(scene, other, { group: "paid" })).priceId);
      await scene.door.pipe.database.query({
        text: "update subscriptions set stripe_created = stripe_created - interval '1 minute' where id = $1",
        values: [first],
      });
      const price = (await plan(scene, other, { group: "open" })).priceId;
      await ask(scene, other, "subscription/", { price_id: price, mode: "elements" });
      await scene.settle();
      const path = `/api/v1/accounts/${other.accountId}/`;
      expect(await shown(path, scene.tenant.keys.test_secret)).toMatchObject({
        ...{ status: "active", subscription: { id: first, status: "active" } },
      });
    },
    SECONDS,
  );
});
