// Customers of the platform and of a connected tenant who subscribe, for tests: the door, Stripe's sandbox behind it, and plans.
import type Stripe from "stripe";

import type { ApiDependencies } from "../../src/api/route.ts";
import { newId } from "../../src/base/ids.ts";
import type { StripeAccess } from "../../src/stripe/access.ts";
import { type Answer, type Door, openDoor, SIGNING_SECRET } from "./api-door.ts";
import { COMPLETE_ACCOUNT, connectActive } from "./connected-accounts.ts";
import { newEmail, registerPerson, registerTenant, send, type TestTenant } from "./people.ts";
import type { Kind } from "./pipe.ts";
import { openSandbox, type OpenSandbox } from "./sandbox.ts";
import { stripeSwitch } from "./stripe-switch.ts";

export interface SubscriptionScene {
  sandbox: OpenSandbox;
  door: Door;
  /** With a connected account. */
  tenant: TestTenant;
  account: string;
  /** Our calls to the sandbox; a test may put another one in its place. */
  access: { current: StripeAccess };
  /** Delivers and processes everything that happened so far. */
  settle(): Promise<void>;
  close(): Promise<void>;
}

export async function openSubscriptionScene(
  kind: Kind,
  also: Pick<ApiDependencies, "subscriptionsPerGroup"> = {},
): Promise<SubscriptionScene> {
  const sandbox = await openSandbox();
  const { access, stripe: through } = stripeSwitch(sandbox.url);
  const door = await openDoor(kind, { deps: { stripe: through, publishableKeys: { test: "pk_test_page" }, ...also } });
  sandbox.register([
    { url: `${door.url}/stripe/webhook/`, secret: SIGNING_SECRET, connect: true },
    { url: `${door.url}/account/stripe-webhook/`, secret: SIGNING_SECRET, connect: false },
  ]);
  const tenant = await registerTenant(door);
  const { id: account } = await sandbox.stripe.accounts.create(COMPLETE_ACCOUNT);
  await connectActive(door.pipe.database, tenant.id, account);
  const settle = async (): Promise<void> => {
    await sandbox.idle();
    await door.pipe.drain();
  };
  const close = async (): Promise<void> => {
    await sandbox.close();
    await door.close();
  };
  return { sandbox, door, tenant, account, access, settle, close };
}

/** Who asks for a subscription, and where it is sold. */
export interface Buyer {
  token: string;
  accountId: string;
  tenantId: string;
  /** "" for the platform's own. */
  stripeAccount: string;
  email: string;
  stripe: Stripe;
}

/** A person with an account at the platform. */
export async function person({ door, sandbox }: SubscriptionScene): Promise<Buyer> {
  const email = newEmail();
  const { access: token } = await registerPerson(door, email);
  const { json } = await send(door, "GET", "/account/", { token });
  const tenantId = door.pipe.platformTenant;
  return { token, accountId: String(json.id), tenantId, stripeAccount: "", email, stripe: sandbox.stripe };
}

/** A customer of the connected tenant, with an account session. */
export async function customer(scene: SubscriptionScene): Promise<Buyer> {
  const { door, tenant, sandbox, account } = scene;
  const email = newEmail();
  const key = tenant.keys.test_secret;
  const made = await send(door, "POST", "/api/v1/accounts/", { token: key, body: { email } });
  const accountId = String(made.json.id);
  const session = await send(door, "POST", `/api/v1/accounts/${accountId}/session/`, { token: key });
  const stripe = sandbox.client({ account });
  return { token: String(session.json.token), accountId, tenantId: tenant.id, stripeAccount: account, email, stripe };
}

export interface TestPlan {
  id: string;
  priceId: string;
}

/** A plan where the buyer buys, as if it had been synced. */
export async function plan(
  { door }: SubscriptionScene,
  { tenantId, stripeAccount, stripe }: Buyer,
  given: { amount?: number; group?: string; trialDays?: number; features?: string[]; active?: boolean } = {},
): Promise<TestPlan> {
  const { amount = 1500, group = "default", trialDays = null, features = [], active = true } = given;
  const { id: productId } = await stripe.products.create({ name: `Plan of ${String(amount)}` });
  const recurring = { interval: "month" } as const;
  const { id: priceId } = await stripe.prices.create({
    product: productId,
    currency: "usd",
    unit_amount: amount,
    recurring,
  });
  const { database } = door.pipe;
  const id = newId("pln");
  await database.query({
    text: `insert into plans (tenant_id, livemode, id, name, amount, currency, billing_interval, features, plan_group,
             trial_days, stripe_product_id, stripe_price_id, active)
           values ($1, false, $2, $3, $4, 'usd', 'month', $5::jsonb, $6, $7, $8, $9, $10)`,
    values: [
      ...[tenantId, id, `Plan of ${String(amount)}`, amount, JSON.stringify(features)],
      ...[group, trialDays, productId, priceId, active],
    ],
  });
  await database.query({
    text: `insert into offer_prices (tenant_id, livemode, stripe_account, stripe_price_id, stripe_product_id, offer_id, amount,
             currency, billing_interval, interval_count)
           values ($1, false, $2, $3, $4, $5, $6, 'usd', 'month', 1)`,
    values: [tenantId, stripeAccount, priceId, productId, id, amount],
  });
  await database.query({
    text: `insert into offer_syncs (tenant_id, livemode, offer_id, stripe_account, synced_revision, next_sync_at)
           values ($1, false, $2, $3, 1, null)`,
    values: [tenantId, id, stripeAccount],
  });
  return { id, priceId };
}

export function ask(
  { door }: SubscriptionScene,
  { token }: Pick<Buyer, "token">,
  path: string,
  body?: unknown,
  headers: Record<string, string> = {},
): Promise<Answer> {
  return send(door, "POST", `/account/${path}`, { token, body, headers });
}

/** Pays a session as Stripe's own page does. */
export async function payPage(
  { sandbox }: SubscriptionScene,
  sessionId: unknown,
  method = "pm_card_visa",
): Promise<void> {
  const form = new URLSearchParams({ payment_method: method }).toString();
  const answer = await sandbox.call("POST", `/v1/payment_pages/${String(sessionId)}/confirm`, form);
  if (answer.status >= 400) throw new Error(answer.text);
}

/** Confirms what a client_secret is of, as the Payment Element does. */
export async function confirm({ stripe }: Buyer, clientSecret: unknown, method = "pm_card_visa"): Promise<void> {
  const id = String(clientSecret).split("_secret_")[0] ?? "";
  const how = { payment_method: method, return_url: "https://shop.example/back" };
  await (id.startsWith("pi_") ? stripe.paymentIntents.confirm(id, how) : stripe.setupIntents.confirm(id, how));
}

/** Subscribed and paid; the subscription's id. */
export async function subscribed(scene: SubscriptionScene, buyer: Buyer, priceId: string): Promise<string> {
  const answer = await ask(scene, buyer, "subscription/", { price_id: priceId, mode: "elements" });
  if (answer.status !== 201) throw new Error(answer.text);
  if (answer.json.client_secret !== null) await confirm(buyer, answer.json.client_secret);
  await scene.settle();
  return String(answer.json.subscription_id);
}

/** The account as its tenant's server sees it. */
export async function accountRow({ door }: SubscriptionScene, { accountId }: Buyer): Promise<Record<string, unknown>> {
  const { rows } = await door.pipe.database.query({
    text: "select * from accounts where id = $1",
    values: [accountId],
  });
  return rows[0] ?? {};
}
