// Accounts with a saved card that let credits be bought by themselves, for tests: their packs, their payments, and Stripe failing.
import type Stripe from "stripe";

import { systemClock } from "../../src/base/clock.ts";
import type { ErrorCode } from "../../src/base/errors.ts";
import { newId } from "../../src/base/ids.ts";
import { type Log, silentLog } from "../../src/base/log.ts";
import { type TopUpContext, topUpDue } from "../../src/billing/top-ups.ts";
import type { StripeAccess } from "../../src/stripe/access.ts";
import { StripeCallError } from "../../src/stripe/call-failure.ts";
import { type Answer, SIGNING_SECRET } from "./api-door.ts";
import { send } from "./people.ts";
import { accountRow, ask, type Buyer, confirm, type SubscriptionScene } from "./subscription-scene.ts";

export interface TopUpScene {
  context(log?: Log): TopUpContext;
  /** As time passes: what is put off, or under way, is due now. */
  makeDue(): Promise<void>;
  /** Does all that is due, and lets the events of it come. */
  run(): Promise<void>;
  /** Of 100 credits, as if it had been synced; its price. */
  pack(buyer: Buyer, amount?: number): Promise<string>;
  /** The pack is sold at another price from now on. */
  reprice(buyer: Buyer, priceId: string, amount: number): Promise<string>;
  save(buyer: Buyer, card?: string): Promise<void>;
  change(buyer: Buyer, body: object): Promise<Answer>;
  /** As the account is shown it. */
  state(buyer: Buyer): Promise<Record<string, unknown>>;
  balance(buyer: Buyer): Promise<unknown>;
  /** Those that top-ups asked for. */
  payments(buyer: Buyer): Promise<Stripe.PaymentIntent[]>;
  /** What tenants were told of failures, and what was mailed. */
  told(buyer: Buyer): Promise<{ facts: number; mails: number }>;
  /** No webhook comes from now on. */
  deaf(): void;
  /** Later webhooks come again. */
  listen(): void;
  /** And those that did not come. */
  hear(): Promise<void>;
}

export function topUpScene(scene: SubscriptionScene): TopUpScene {
  const { database, platformTenant } = scene.door.pipe;
  const context = (log = silentLog): TopUpContext => ({
    ...{ database, stripe: scene.door.deps.stripe, clock: systemClock, log, platformTenant },
    ...{ platformFeePercent: 15, wake: () => undefined },
    mails: { frontendUrl: "https://app.example", paymentFailed: false },
  });
  const listen = (): void => {
    scene.sandbox.register([
      { url: `${scene.door.url}/stripe/webhook/`, secret: SIGNING_SECRET, connect: true },
      { url: `${scene.door.url}/account/stripe-webhook/`, secret: SIGNING_SECRET, connect: false },
    ]);
  };
  const makeDue = async (): Promise<void> => {
    await database.query("update auto_top_ups set next_attempt_at = now()");
  };
  const rows = (text: string, ...values: unknown[]) => database.query({ text, values });
  return {
    ...offers(scene),
    context,
    makeDue,
    run: async () => {
      for (let round = 0; round < 3; round += 1) {
        await makeDue();
        await topUpDue(context());
        await scene.settle();
      }
    },
    save: async (buyer, card = "pm_card_visa") => {
      const { json } = await ask(scene, buyer, "payment-method/");
      await confirm(buyer, json.client_secret, card);
      await scene.settle();
    },
    change: (buyer, body) => send(scene.door, "PATCH", "/account/auto-top-up/", { token: buyer.token, body }),
    state: async ({ token }) => (await send(scene.door, "GET", "/account/auto-top-up/", { token })).json,
    balance: async ({ accountId }) =>
      (await rows("select balance from credit_balances where account_id = $1", accountId)).rows[0]?.balance,
    payments: async (buyer) => {
      const customer = String((await accountRow(scene, buyer)).stripe_customer_id);
      const { data } = await buyer.stripe.paymentIntents.list({ customer });
      return data.filter(({ metadata }) => metadata.billhook_purchase !== undefined);
    },
    told: async ({ accountId, email }) => {
      const facts = await rows("select from facts where object_id = $1 and type = 'credit.top_up_failed'", accountId);
      const mails = await rows("select from mails where recipient = $1 and template = 'payment_failed'", email);
      return { facts: facts.rowCount, mails: mails.rowCount };
    },
    deaf: () => {
      scene.sandbox.register([]);
    },
    listen,
    hear: async () => {
      listen();
      for (const { id } of scene.sandbox.events()) scene.sandbox.resend(id);
      await scene.settle();
    },
  };
}

function offers(scene: SubscriptionScene): Pick<TopUpScene, "pack" | "reprice"> {
  const { database } = scene.door.pipe;
  const priced = async (
    { tenantId, stripeAccount, stripe }: Buyer,
    id: string,
    product: string,
    amount: number,
  ): Promise<string> => {
    const { id: price } = await stripe.prices.create({ product, currency: "usd", unit_amount: amount });
    await database.query({
      text: `insert into offer_prices (tenant_id, livemode, stripe_account, stripe_price_id, stripe_product_id, offer_id, credits,
               amount, currency)
             values ($1, false, $2, $3, $4, $5, 100, $6, 'usd')`,
      values: [tenantId, stripeAccount, price, product, id, amount],
    });
    return price;
  };
  const pack = async (buyer: Buyer, amount = 1000): Promise<string> => {
    const { id: product } = await buyer.stripe.products.create({ name: "100 credits" });
    const id = newId("pack");
    const price = await priced(buyer, id, product, amount);
    await database.query({
      text: `insert into credit_packs (tenant_id, livemode, id, name, credits, amount, currency, stripe_product_id, stripe_price_id)
             values ($1, false, $2, '100 credits', 100, $3, 'usd', $4, $5)`,
      values: [buyer.tenantId, id, amount, product, price],
    });
    await database.query({
      text: `insert into offer_syncs (tenant_id, livemode, offer_id, stripe_account, synced_revision, next_sync_at)
             values ($1, false, $2, $3, 1, null)`,
      values: [buyer.tenantId, id, buyer.stripeAccount],
    });
    return price;
  };
  const reprice = async (buyer: Buyer, priceId: string, amount: number): Promise<string> => {
    const [found] = (
      await database.query<{ id: string; product: string }>({
        text: "select id, stripe_product_id as product from credit_packs where stripe_price_id = $1",
        values: [priceId],
      })
    ).rows;
    if (found === undefined) throw new Error("no pack is sold at this price");
    const price = await priced(buyer, found.id, found.product, amount);
    await database.query({
      text: "update credit_packs set stripe_price_id = $2, amount = $3 where id = $1",
      values: [found.id, price, amount],
    });
    return price;
  };
  return { pack, reprice };
}

/** Stripe fails so, at the calls of our own that begin with these words, until `mended`. */
export function failing(
  scene: SubscriptionScene,
  code: ErrorCode,
  { transient = false, answers = false, only }: { transient?: boolean; answers?: boolean; only?: "posts" } = {},
): { mended(): void; calls(): number } {
  const { current } = scene.access;
  let calls = 0;
  const call: StripeAccess["call"] = async (target, asked) => {
    if (only === "posts" && target.idempotencyKey === undefined) return current.call(target, asked);
    calls += 1;
    // It has done what was asked, and nobody hears of it.
    if (answers) await current.call(target, asked);
    throw new StripeCallError(code, { transient, outage: transient });
  };
  scene.access.current = { ...current, call };
  return {
    calls: () => calls,
    mended: () => {
      scene.access.current = current;
    },
  };
}
