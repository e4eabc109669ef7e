// Credit packs and plans over the HTTP door, on a tenant's connected account in the sandbox.
import type Stripe from "stripe";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { activePackOfPrice, packOfPrice } from "../src/credits/pack-table.ts";
import { activePlanOfPrice, planOfPrice } from "../src/credits/plan-table.ts";
import { syncDueOffers } from "../src/billing/pack-sync.ts";
import type { Answer, Wire } from "./support/api-door.ts";
import { type InvoiceScene, openInvoiceScene } from "./support/connected-invoice-scene.ts";
import { addMember, registerTenant, send } from "./support/people.ts";
import { BOTH } from "./support/pipe.ts";
import { accessTo } from "./support/stripe-switch.ts";

const PACK = { name: "100 credits", credits: 100, amount: 1_000, currency: "USD" };
const PLAN = { name: "Team", amount: 2_900, currency: "usd", billing_interval: "month" };

describe.each(BOTH)("packs and plans over the API, %s", (kind) => {
  let scene: InvoiceScene;
  beforeAll(async () => {
    scene = await openInvoiceScene(kind);
  });
  afterAll(async () => scene.close());

  const ask = (
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
    token: string | undefined = scene.tenant.keys.test_secret,
  ): Promise<Answer> => send(scene.door, method, `/api/v1/${path}`, { token, body, headers });
  const made = async (
    path: string,
    body: unknown,
    headers?: Record<string, string>,
  ): Promise<Wire & { id: string }> => {
    const answer = await ask("POST", path, body, headers);
    expect([answer.status, answer.text]).toEqual([201, answer.text]);
    return answer.json as Wire & { id: string };
  };
  const priceOf = (row: Wire): Promise<Stripe.Price> => scene.stripe.prices.retrieve(String(row.price_id));
  const mode = (): { tenantId: string; livemode: boolean } => ({ tenantId: scene.tenant.id, livemode: false });

  it("a pack is made on the tenant's connected account, with what it brings in the price's metadata", async () => {
    const pack = await made("credit-packs/", { ...PACK, key: "small" });
    expect(pack).toMatchObject({ ...PACK, currency: "usd", active: true, sync_pending: false, sync_error: null });
    const price = await priceOf(pack);
    expect(price).toMatchObject({ unit_amount: 1_000, currency: "usd", active: true, recurring: null });
    expect(price.metadata).toEqual({ billhook_credit_pack: pack.id, credits: "100" });
    expect((await scene.stripe.products.retrieve(String(pack.product_id))).name).toBe("100 credits");
    expect((await ask("GET", `credit-packs/${pack.id}/`)).json).toEqual(pack);
    expect(await activePackOfPrice(scene.door.pipe.database, { ...mode(), priceId: price.id })).toMatchObject({
      ...{ id: pack.id, credits: 100, amount: 1_000, stripeAccount: scene.account },
    });
  });

  it("another amount is another price: the old one is archived, and still resolves to the pack on its old terms", async () => {
    const pack = await made("credit-packs/", PACK);
    const answer = await ask("PATCH", `credit-packs/${pack.id}/`, { amount: 1_200, name: "A hundred" });
    expect(answer.json).toMatchObject({ amount: 1_200, name: "A hundred", sync_pending: false });
    expect(answer.json.price_id).not.toBe(pack.price_id);
    expect(await priceOf(answer.json)).toMatchObject({ unit_amount: 1_200, active: true });
    expect(await priceOf(pack)).toMatchObject({ unit_amount: 1_000, active: false });
    const old = { ...mode(), stripeAccount: scene.account, priceId: String(pack.price_id) };
    const { database } = scene.door.pipe;
    expect(await packOfPrice(database, old)).toMatchObject({ id: pack.id, amount: 1_000, credits: 100 });
    expect(await activePackOfPrice(database, { ...mode(), priceId: old.priceId })).toBeUndefined();
    // Back to the old amount: the price that was archived is used again.
    const back = await ask("PATCH", `credit-packs/${pack.id}/`, { amount: 1_000 });
    expect(back.json.price_id).toBe(pack.price_id);
    expect(await priceOf(pack)).toMatchObject({ active: true });
  });

  it("a pack is deactivated, never deleted, and can be sold again", async () => {
    const pack = await made("credit-packs/", PACK);
    expect((await ask("PATCH", `credit-packs/${pack.id}/`, { active: false })).json.active).toBe(false);
    expect((await scene.stripe.products.retrieve(String(pack.product_id))).active).toBe(false);
    expect(
      await activePackOfPrice(scene.door.pipe.database, { ...mode(), priceId: String(pack.price_id) }),
    ).toBeUndefined();
    expect((await ask("DELETE", `credit-packs/${pack.id}/`)).status).toBe(405);
    await ask("PATCH", `credit-packs/${pack.id}/`, { active: true });
    expect((await scene.stripe.products.retrieve(String(pack.product_id))).active).toBe(true);
  });

  it("a plan carries its interval, group, trial and features to Stripe and back", async () => {
    const given = { ...PLAN, interval_count: 3, trial_days: 14, plan_group: "seats", features: ["Ten people", "SSO"] };
    const plan = await made("plans/", given);
    expect(plan).toMatchObject({ ...given, price: 2_900, is_active: true });
    expect((await priceOf(plan)).recurring).toMatchObject({ interval: "month", interval_count: 3 });
    const product = await scene.stripe.products.retrieve(String(plan.product_id));
    expect(product.marketing_features.map(({ name }) => name)).toEqual(["Ten people", "SSO"]);
    const changed = await ask("PATCH", `plans/${plan.id}/`, { features: [], trial_days: null });
    expect(changed.json).toMatchObject({ features: [], trial_days: null, price_id: plan.price_id });
    const { database } = scene.door.pipe;
    const sold = { id: plan.id, interval: "month", intervalCount: 3, planGroup: "seats", trialDays: null };
    expect(await activePlanOfPrice(database, { ...mode(), priceId: String(plan.price_id) })).toMatchObject(sold);
    const anywhere = { ...mode(), stripeAccount: scene.account, priceId: String(plan.price_id) };
    expect(await planOfPrice(database, anywhere)).toMatchObject(sold);
  });

  it("plans are listed: the tenant's active ones for its public key, all for its people and secret key, the platform's for anyone", async () => {
    const [sold, gone] = [
      await made("plans/", { ...PLAN, name: "Sold" }),
      await made("plans/", { ...PLAN, name: "Gone" }),
    ];
    await ask("PATCH", `plans/${gone.id}/`, { is_active: false });
    const list = async (token?: string): Promise<string[]> => {
      const answer = await send(scene.door, "GET", "/api/v1/plans/?limit=100", { token });
      expect(answer.status).toBe(200);
      return (answer.json.data as { id: string }[]).map(({ id }) => id);
    };
    const { test_public: publicKey, test_secret: secretKey, live_secret: liveKey } = scene.tenant.keys;
    expect(await list(publicKey)).toContain(sold.id);
    expect(await list(publicKey)).not.toContain(gone.id);
    expect(await list(secretKey)).toEqual(expect.arrayContaining([sold.id, gone.id]));
    const member = await addMember(scene.door, scene.tenant, "member");
    for (const { access } of [scene.tenant, member])
      expect(await list(access)).toEqual(expect.arrayContaining([sold.id, gone.id]));
    expect(await list(liveKey)).toEqual([]);
    expect(await list()).toEqual([]);
    expect((await send(scene.door, "GET", "/api/v1/plans/", { token: "sk_test_none" })).status).toBe(401);
  });

  it("the same Idempotency-Key makes one pack, and another pack's key is refused", async () => {
    const headers = { "idempotency-key": "the-same" };
    const [one, two] = [await made("credit-packs/", PACK, headers), await made("credit-packs/", PACK, headers)];
    expect(two.id).toBe(one.id);
    await made("credit-packs/", { ...PACK, key: "taken" });
    const other = await made("credit-packs/", PACK);
    expect((await ask("POST", "credit-packs/", { ...PACK, key: "taken" })).json.code).toBe("key_taken");
    expect((await ask("PATCH", `credit-packs/${other.id}/`, { key: "taken" })).json.code).toBe("key_taken");
  });

  it("what Stripe does not answer to is kept, and brought there by itself", async () => {
    scene.access.current = accessTo("http://127.0.0.1:9");
    const answer = await ask("POST", "credit-packs/", PACK);
    scene.access.current = accessTo(scene.sandbox.url);
    expect(answer.status).toBe(201);
    expect(answer.json).toMatchObject({ sync_pending: true, price_id: null });
    const { database } = scene.door.pipe;
    await database.query("update offer_syncs set next_sync_at = now() where next_sync_at is not null");
    await syncDueOffers(scene.making);
    const after = await ask("GET", `credit-packs/${String(answer.json.id)}/`);
    expect(after.json).toMatchObject({ sync_pending: false, sync_error: null });
    expect(await priceOf(after.json)).toMatchObject({ active: true });
  });

  it("a change that Stripe did not hear of yet is not what the pack is sold at", async () => {
    const pack = await made("credit-packs/", PACK);
    scene.access.current = accessTo("http://127.0.0.1:9");
    const answer = await ask("PATCH", `credit-packs/${pack.id}/`, { amount: 9_900, credits: 9 });
    scene.access.current = accessTo(scene.sandbox.url);
    expect(answer.json).toMatchObject({ amount: 9_900, sync_pending: true, price_id: pack.price_id });
    const priceId = String(pack.price_id);
    const { database } = scene.door.pipe;
    expect(await activePackOfPrice(database, { ...mode(), priceId })).toMatchObject({ amount: 1_000, credits: 100 });
  });

  it("what Stripe refuses leaves nothing behind", async () => {
    const refused = await ask("POST", "credit-packs/", { ...PACK, currency: "xxx" });
    expect([refused.status, refused.json.code]).toEqual([400, "stripe_refused"]);
    const pack = await made("credit-packs/", PACK);
    expect((await ask("PATCH", `credit-packs/${pack.id}/`, { currency: "xxx" })).json.code).toBe("stripe_refused");
    expect((await ask("GET", `credit-packs/${pack.id}/`)).json).toMatchObject({
      currency: "usd",
      price_id: pack.price_id,
    });
    const { rows } = await scene.door.pipe.database.query("select 1 from credit_packs where currency = 'xxx'");
    expect(rows).toEqual([]);
  });

  it.each([
    ["a pack of no credits", "credit-packs/", { ...PACK, credits: 0 }, "credits"],
    ["a free pack", "credit-packs/", { ...PACK, amount: 0 }, "amount"],
    ["an amount below Stripe's least", "credit-packs/", { ...PACK, amount: 10 }, "amount"],
    ["a name of control characters", "plans/", { ...PLAN, name: "a\u0007b" }, "name"],
    [
      "an interval beyond three years",
      "plans/",
      { ...PLAN, billing_interval: "year", interval_count: 4 },
      "interval_count",
    ],
    ["an unknown field", "plans/", { ...PLAN, colour: "red" }, "colour"],
  ])("%s is refused with what to do", async (_what, path, body, param) => {
    const answer = await ask("POST", path, body);
    expect([answer.status, answer.json.param]).toEqual([400, param]);
  });

  it("a tenant that is not connected gets 409, and another tenant's pack is 404", async () => {
    const other = await registerTenant(scene.door);
    const theirs = other.keys.test_secret;
    const answer = await ask("POST", "credit-packs/", PACK, {}, theirs);
    expect([answer.status, answer.json.code]).toEqual([409, "stripe_not_connected"]);
    const pack = await made("credit-packs/", PACK);
    expect((await ask("GET", `credit-packs/${pack.id}/`, undefined, {}, theirs)).status).toBe(404);
    expect((await ask("PATCH", `credit-packs/${pack.id}/`, { name: "Mine" }, {}, theirs)).status).toBe(404);
  });

  it("Stripe's events change no row of ours: what is different there is put right by the next sync", async () => {
    const pack = await made("credit-packs/", { ...PACK, name: "Ours" });
    await scene.stripe.products.update(String(pack.product_id), { name: "Theirs" });
    await scene.settle();
    expect((await ask("GET", `credit-packs/${pack.id}/`)).json.name).toBe("Ours");
    await ask("PATCH", `credit-packs/${pack.id}/`, { key: "any" });
    expect((await scene.stripe.products.retrieve(String(pack.product_id))).name).toBe("Ours");
  });
});
