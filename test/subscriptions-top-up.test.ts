// Automatic top-up: bought once for each time that credits run low, paid with the saved method, and backing off when that fails.
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { type TopUpContext, topUpDue, topUpRound } from "../src/billing/top-ups.ts";
import { newId } from "../src/base/ids.ts";
import { cancelUnseenPurchases } from "../src/credits/purchase-table.ts";
import { beginTopUp, claimDueTopUps } from "../src/credits/top-up-table.ts";
import { systemClock } from "../src/base/clock.ts";
import { silentLog } from "../src/base/log.ts";
import { whileDisconnected } from "./support/connected-accounts.ts";
import { SIGNING_SECRET } from "./support/api-door.ts";
import { send } from "./support/people.ts";
import { BOTH } from "./support/pipe.ts";
import {
  accountRow,
  ask,
  type Buyer,
  confirm,
  customer,
  openSubscriptionScene,
  person,
  plan,
  subscribed,
  type SubscriptionScene,
} from "./support/subscription-scene.ts";

describe.each(BOTH)("automatic top-ups, %s database", (kind) => {
  let scene: SubscriptionScene;
  beforeAll(async () => {
    scene = await openSubscriptionScene(kind);
  });
  afterAll(() => scene.close());

  const context = (): TopUpContext => ({
    ...{ database: scene.door.pipe.database, stripe: scene.door.deps.stripe, clock: systemClock, log: silentLog },
    ...{ platformTenant: scene.door.pipe.platformTenant, platformFeePercent: 15, wake: () => undefined },
    mails: { frontendUrl: "https://app.example", paymentFailed: false },
  });
  /** Does all that is due, and lets the events of it come. */
  const run = async (): Promise<void> => {
    for (let round = 0; round < 4; round += 1) {
      await topUpDue(context());
      await scene.settle();
      // What is under way is looked at again a minute later.
      await scene.door.pipe.database.query(
        "update auto_top_ups set next_attempt_at = now() where purchase_id is not null",
      );
    }
  };

  /** A pack of 100 credits for 10 dollars, as if it had been synced. */
  const pack = async ({ tenantId, stripeAccount, stripe }: Buyer): Promise<string> => {
    const { id: product } = await stripe.products.create({ name: "100 credits" });
    const { id: price } = await stripe.prices.create({ product, currency: "usd", unit_amount: 1000 });
    const { database } = scene.door.pipe;
    const id = newId("pack");
    await database.query({
      text: `insert into credit_packs (tenant_id, livemode, id, name, credits, amount, currency, stripe_product_id, stripe_price_id)
             values ($1, false, $2, '100 credits', 100, 1000, 'usd', $3, $4)`,
      values: [tenantId, id, product, price],
    });
    await database.query({
      text: `insert into offer_prices (tenant_id, livemode, stripe_account, stripe_price_id, stripe_product_id, offer_id, credits,
               amount, currency)
             values ($1, false, $2, $3, $4, $5, 100, 1000, 'usd')`,
      values: [tenantId, stripeAccount, price, product, id],
    });
    await database.query({
      text: `insert into offer_syncs (tenant_id, livemode, offer_id, stripe_account, synced_revision, next_sync_at)
             values ($1, false, $2, $3, 1, null)`,
      values: [tenantId, id, stripeAccount],
    });
    return price;
  };
  const saved = async (buyer: Buyer, card = "pm_card_visa"): Promise<void> => {
    const { json } = await ask(scene, buyer, "payment-method/");
    await confirm(buyer, json.client_secret, card);
    await scene.settle();
  };
  const change = (buyer: Buyer, body: object) =>
    send(scene.door, "PATCH", "/account/auto-top-up/", { token: buyer.token, body });
  const balanceOf = async ({ accountId }: Buyer): Promise<unknown> =>
    (
      await scene.door.pipe.database.query({
        text: "select balance from credit_balances where account_id = $1",
        values: [accountId],
      })
    ).rows[0]?.balance;
  const payments = async (buyer: Buyer) => {
    const id = String((await accountRow(scene, buyer)).stripe_customer_id);
    return (await buyer.stripe.paymentIntents.list({ customer: id })).data;
  };
  const spend = (buyer: Buyer, amount: number, key: string) =>
    send(scene.door, "POST", `/api/v1/accounts/${buyer.accountId}/credits/spend/`, {
      token: scene.tenant.keys.test_secret,
      body: { amount, reason: "use" },
      headers: { "idempotency-key": key },
    });

  it("buys once when credits run low, on the tenant's account with the fee, and again only after they were used", async () => {
    const buyer = await customer(scene);
    const priceId = await pack(buyer);
    await saved(buyer);
    expect((await change(buyer, { enabled: true })).json).toMatchObject({ param: "threshold" });
    expect((await change(buyer, { enabled: true, threshold: 20, price_id: "price_none" })).status).toBe(404);
    const on = await change(buyer, { enabled: true, threshold: 20, price_id: priceId });
    expect(on.json).toMatchObject({ enabled: true, threshold: 20, quantity: 1, pending: false });
    await Promise.all([topUpDue(context()), topUpDue(context())]);
    await run();
    expect(await balanceOf(buyer)).toBe(100);
    const [payment, ...others] = await payments(buyer);
    expect(others).toEqual([]);
    expect(payment).toMatchObject({ status: "succeeded", amount: 1000, application_fee_amount: 150 });
    await run();
    expect(await payments(buyer)).toHaveLength(1);
    await spend(buyer, 90, `top-up-${kind}-1`);
    await run();
    expect(await balanceOf(buyer)).toBe(110);
    expect(await payments(buyer)).toHaveLength(2);
  }, 30_000);

  it("buys again when what it bought is used up at once, before anything else is looked at", async () => {
    const buyer = await customer(scene);
    await saved(buyer);
    await change(buyer, { enabled: true, threshold: 20, price_id: await pack(buyer) });
    await topUpDue(context());
    await scene.settle();
    expect((await spend(buyer, 100, `top-up-${kind}-at-once`)).status).toBeLessThan(300);
    await run();
    expect([await balanceOf(buyer), (await payments(buyer)).length]).toEqual([100, 2]);
  }, 30_000);

  it("looks at so many accounts at a time, in turn, and leaves none out", async () => {
    const buyers = [await customer(scene), await customer(scene), await customer(scene)];
    for (const buyer of buyers) {
      await saved(buyer);
      await change(buyer, { enabled: true, threshold: 20, price_id: await pack(buyer) });
    }
    const round = topUpRound(kind, 1);
    const { rows } = await scene.door.pipe.database.query("select account_id from auto_top_ups");
    const found: unknown[] = [];
    // One turn for each account, one more for each that buys, and one that finds the end.
    for (let turn = 0; turn <= rows.length + buyers.length; turn += 1) {
      found.push(await topUpDue(context(), round));
      await scene.settle();
    }
    expect(found.filter((one) => one === "full")).toHaveLength(buyers.length);
    for (const buyer of buyers) expect([await balanceOf(buyer), (await payments(buyer)).length]).toEqual([100, 1]);
    expect(round.after.accountId).toBe("");
    expect(await topUpDue(context(), topUpRound(kind, 1))).toBe("none");
  }, 30_000);

  it("payments that are under way, and due each time, keep no other account from buying", async () => {
    const [waiting, buyer] = [await customer(scene), await customer(scene)];
    const { database } = scene.door.pipe;
    for (const one of [waiting, buyer]) {
      await saved(one);
      await change(one, { enabled: true, threshold: 20, price_id: await pack(one) });
    }
    const round = topUpRound(kind, 1);
    const { rows } = await database.query("select account_id from auto_top_ups");
    for (let turn = 0; turn <= rows.length + 1; turn += 1) {
      await database.query({
        // Due before everything else: taken by their time alone, nobody would ever come behind it.
        text: "update auto_top_ups set purchase_id = $2, payment_method_id = 'pm_slow', next_attempt_at = now() - interval '1 day' where account_id = $1",
        values: [waiting.accountId, "pur_under_way"],
      });
      await topUpDue(context(), round);
      await scene.settle();
    }
    expect([await balanceOf(buyer), (await payments(buyer)).length]).toEqual([100, 1]);
    await database.query({ text: "delete from auto_top_ups where account_id = $1", values: [waiting.accountId] });
  }, 30_000);

  it("whoever acts on a claim that somebody else has finished meanwhile buys nothing", async () => {
    const buyer = await customer(scene);
    await saved(buyer);
    await change(buyer, { enabled: true, threshold: 20, price_id: await pack(buyer) });
    const { database } = scene.door.pipe;
    const claim = () => claimDueTopUps(database, { modes: [false], limit: 1, seconds: 60 });
    const [stale] = await claim();
    if (stale === undefined) throw new Error("nothing was due");
    await database.query("update auto_top_ups set next_attempt_at = now()");
    await run();
    const mine = { purchaseId: newId("pur"), paymentMethodId: "pm_stale", seconds: 60 };
    const began = await beginTopUp(database, stale, mine);
    expect([stale.accountId, began, (await payments(buyer)).length]).toEqual([buyer.accountId, false, 1]);
  }, 30_000);

  it("charges nobody on an account that was disconnected", async () => {
    const buyer = await customer(scene);
    await saved(buyer);
    await change(buyer, { enabled: true, threshold: 20, price_id: await pack(buyer) });
    await whileDisconnected(scene.door.pipe.database, buyer.stripeAccount, run);
    expect(await payments(buyer)).toEqual([]);
    expect((await send(scene.door, "GET", "/account/auto-top-up/", { token: buyer.token })).json).toMatchObject({
      enabled: true,
      last_error: expect.stringContaining("No Stripe account is connected"),
    });
    await change(buyer, { enabled: false });
  }, 30_000);

  it("does not buy back what was refunded", async () => {
    const buyer = await customer(scene);
    await saved(buyer);
    await change(buyer, { enabled: true, threshold: 20, price_id: await pack(buyer) });
    await run();
    const [payment] = await payments(buyer);
    await buyer.stripe.refunds.create({ payment_intent: payment?.id ?? "" });
    await scene.settle();
    expect(await balanceOf(buyer)).toBe(0);
    await run();
    expect(await payments(buyer)).toHaveLength(1);
  }, 30_000);

  it("charges once, though the process died after Stripe's answer", async () => {
    const buyer = await customer(scene);
    await saved(buyer);
    await change(buyer, { enabled: true, threshold: 20, price_id: await pack(buyer) });
    const { current } = scene.access;
    scene.access.current = {
      ...current,
      call: async (target, call) => {
        await current.call(target, call);
        scene.access.current = current;
        throw new Error("the process died");
      },
    };
    await expect(topUpDue(context())).rejects.toThrow("died");
    await scene.door.pipe.database.query("update auto_top_ups set next_attempt_at = now()");
    await run();
    expect(await balanceOf(buyer)).toBe(100);
    expect(await payments(buyer)).toHaveLength(1);
  }, 30_000);

  it("cancels what the bank refused, tells and mails it once, and backs off until it gives up", async () => {
    const buyer = await person(scene);
    const group = `top-up-${kind}`;
    await subscribed(scene, buyer, (await plan(scene, buyer, { group })).priceId);
    await saved(buyer, "pm_card_chargeCustomerFail");
    const { database } = scene.door.pipe;
    await database.query({
      text: `update accounts set default_payment_method_id = (
               select payment_method_id from setup_intents where customer_id = accounts.stripe_customer_id
                 and status = 'succeeded' order by stripe_created desc, id desc limit 1)
             where id = $1`,
      values: [buyer.accountId],
    });
    await change(buyer, { enabled: true, threshold: 5, price_id: await pack(buyer) });
    await topUpDue(context());
    await scene.settle();
    const state = async () => (await send(scene.door, "GET", "/account/auto-top-up/", { token: buyer.token })).json;
    expect(await state()).toMatchObject({ enabled: true, pending: false, failures: 1 });
    expect(await topUpDue(context())).toBe("none");
    const canceled = (await payments(buyer)).filter(({ metadata }) => metadata.billhook_purchase !== undefined);
    expect(canceled.map(({ status }) => status)).toEqual(["canceled"]);
    const told = await database.query({
      text: "select type from facts where object_id = $1 and type = 'credit.top_up_failed'",
      values: [buyer.accountId],
    });
    const mailed = await database.query({
      text: "select template from mails where recipient = $1 and cause like 'top_up_failed:%'",
      values: [buyer.email],
    });
    expect([told.rowCount, mailed.rows]).toEqual([1, [{ template: "payment_failed" }]]);
    for (let round = 0; round < 3; round += 1) {
      await database.query("update auto_top_ups set next_attempt_at = now()");
      await topUpDue(context());
      await scene.settle();
    }
    expect(await state()).toMatchObject({ enabled: false, failures: 4 });
    expect(await balanceOf(buyer)).toBe(0);
  }, 30_000);

  /** The process dies after Stripe has charged; no webhook comes. */
  const chargedAndForgotten = async (): Promise<Buyer> => {
    const buyer = await customer(scene);
    await saved(buyer);
    await change(buyer, { enabled: true, threshold: 20, price_id: await pack(buyer) });
    const { current } = scene.access;
    deaf();
    scene.access.current = {
      ...current,
      call: async (target, call) => {
        await current.call(target, call);
        scene.access.current = current;
        throw new Error("the process died");
      },
    };
    await expect(topUpDue(context())).rejects.toThrow("died");
    await scene.door.pipe.database.query("update auto_top_ups set next_attempt_at = now()");
    return buyer;
  };
  const aDayLater = (): TopUpContext => ({ ...context(), clock: { now: () => Date.now() + 24 * 3_600_000 } });
  const deaf = (): void => {
    scene.sandbox.register([]);
  };
  const hearAgain = async (): Promise<void> => {
    scene.sandbox.register([{ url: `${scene.door.url}/stripe/webhook/`, secret: SIGNING_SECRET, connect: true }]);
    for (const round of [1, 2]) {
      for (const { id, type } of scene.sandbox.events()) {
        if (round === 1 || /^(payment_intent|charge)/.test(type)) scene.sandbox.resend(id);
      }
      await scene.settle();
    }
  };

  it("finds at Stripe what was charged, when it hears of it for a day neither by an answer nor by a webhook", async () => {
    const buyer = await chargedAndForgotten();
    await topUpDue(aDayLater());
    await scene.door.pipe.drain();
    await run();
    const granted = [await balanceOf(buyer), (await payments(buyer)).length];
    const state = (await send(scene.door, "GET", "/account/auto-top-up/", { token: buyer.token })).json;
    await hearAgain();
    expect([granted, state]).toMatchObject([
      [100, 1],
      { enabled: true, pending: false, failures: 0, last_error: null },
    ]);
    expect(await balanceOf(buyer)).toBe(100);
  }, 30_000);

  it("grants what was charged once, though the purchase was given up and canceled before its webhooks come", async () => {
    const buyer = await chargedAndForgotten();
    const { current } = scene.access;
    const refused: typeof current.call = (target) =>
      current.call(
        target,
        (client, options) => client.paymentIntents.retrieve("pi_none", {}, options) as Promise<never>,
      );
    scene.access.current = { ...current, call: refused };
    await topUpDue(aDayLater());
    scene.access.current = current;
    const { database } = scene.door.pipe;
    await cancelUnseenPurchases(database, 0);
    const state = (await send(scene.door, "GET", "/account/auto-top-up/", { token: buyer.token })).json;
    expect([state.pending, state.failures, await balanceOf(buyer)]).toEqual([false, 1, 0]);
    await hearAgain();
    expect([await balanceOf(buyer), (await payments(buyer)).length]).toEqual([100, 1]);
    const entries = { text: "select kind from credit_entries where account_id = $1", values: [buyer.accountId] };
    expect((await database.query(entries)).rows).toEqual([{ kind: "purchase" }]);
  }, 30_000);

  it("grants once when the webhooks come before Stripe's answer is recorded, and is over with the credits", async () => {
    const buyer = await customer(scene);
    await saved(buyer);
    await change(buyer, { enabled: true, threshold: 20, price_id: await pack(buyer) });
    const { current } = scene.access;
    const isPending = async (): Promise<unknown> =>
      (await send(scene.door, "GET", "/account/auto-top-up/", { token: buyer.token })).json.pending;
    const seen: unknown[] = [];
    scene.access.current = {
      ...current,
      call: async (target, call) => {
        const answer = await current.call(target, call);
        scene.access.current = current;
        seen.push(await isPending());
        await scene.settle();
        seen.push(await balanceOf(buyer), await isPending());
        return answer;
      },
    };
    await topUpDue(context());
    seen.push(await isPending());
    await run();
    expect(seen).toEqual([true, 100, false, false]);
    expect([await balanceOf(buyer), (await payments(buyer)).length]).toEqual([100, 1]);
  }, 30_000);
});
