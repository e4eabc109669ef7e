// Buying credits through the door, with Stripe's sandbox behind it: from the pack to the balance.
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { cancelUnseenPurchases } from "../src/credits/purchase-table.ts";
import type { Wire } from "./support/api-door.ts";
import { newEmail, registerPerson, registerTenant, send } from "./support/people.ts";
import { BOTH } from "./support/pipe.ts";
import {
  balanceOf,
  buy,
  customer,
  idOf,
  makePack,
  openPurchaseScene,
  own,
  PACK,
  pay,
  type PurchaseScene,
} from "./support/purchase-scene.ts";

describe.each(BOTH)("on the %s database", (kind) => {
  let scene: PurchaseScene;
  beforeAll(async () => {
    scene = await openPurchaseScene(kind);
  });
  afterAll(async () => scene.close());

  const purchasesOf = async (token: string): Promise<Wire[]> =>
    (await own(scene, token, "purchases/")).json.data as Wire[];

  it("a person buys a pack of the platform's: credits once, no trial any more, every step shown", async () => {
    const email = newEmail();
    const { access } = await registerPerson(scene.door, email);
    const before = await own(scene, access);
    expect(before.json).toMatchObject({ email, credit_balance: 0, is_trial_user: true, status: "trial" });
    expect(before.json).toMatchObject({ subscription: null, default_payment_method: null, livemode: false });
    expect(before.json.tenant).toMatchObject({ id: scene.door.pipe.platformTenant });
    const me = await send(scene.door, "GET", "/api/v1/auth/me/", { token: access });
    expect(me.json.account).toMatchObject({ id: before.json.id, credit_balance: 0, is_trial_user: true });
    const packs = await own(scene, access, "credit-packs/");
    const pack = { id: scene.packs.platform.id, price_id: scene.packs.platform.price_id };
    expect(packs.json.data).toContainEqual({ ...PACK, ...pack });

    const bought = await buy(scene, access, { price_id: pack.price_id });
    expect(Object.keys(bought).sort()).toEqual(["checkout_url", "session_id", "status_url"]);
    const session = await scene.sandbox.stripe.checkout.sessions.retrieve(bought.session_id);
    expect(session.success_url).toMatch(/\/dashboard\/credits\/return\?session_id=\{CHECKOUT_SESSION_ID\}$/);
    expect(session.cancel_url).toMatch(/\/dashboard\/credits$/);
    expect((await purchasesOf(access))[0]).toMatchObject({
      ...{ status: "pending", credits: 100, amount: 1000, quantity: 1, session_id: bought.session_id },
      ...{ id: session.client_reference_id, price_id: pack.price_id, credit_pack: { id: pack.id, name: PACK.name } },
    });
    await pay(scene, bought.session_id);
    await scene.settle();
    expect((await own(scene, access)).json).toMatchObject({ credit_balance: 100, is_trial_user: false });
    expect((await purchasesOf(access))[0]).toMatchObject({ status: "paid", credits_taken_back: 0 });
    const ledger = (await own(scene, access, "credits/ledger/")).json.data as Wire[];
    expect(ledger.map(({ kind: what, amount }) => [what, amount])).toEqual([["purchase", 100]]);
    expect(ledger[0]?.purchase_id).toBe(session.client_reference_id);
    const status = await fetch(
      scene.door.url + new URL(bought.status_url).pathname + new URL(bought.status_url).search,
    );
    expect(await status.json()).toMatchObject({ status: "succeeded", result: { credits_added: 100 } });
    const byToken = await send(scene.door, "GET", `/api/v1/status/${bought.session_id}/`, { token: access });
    expect(byToken.json).toMatchObject({ status: "succeeded" });
  });

  it("the same customer buys again: one customer at Stripe, quantities multiply, and an address need not be verified", async () => {
    const { access } = await registerPerson(scene.door);
    const price_id = scene.packs.platform.price_id;
    const sessions = [await buy(scene, access, { price_id }), await buy(scene, access, { price_id, quantity: 3 })];
    const found = await Promise.all(
      sessions.map(({ session_id }) => scene.sandbox.stripe.checkout.sessions.retrieve(session_id)),
    );
    expect(new Set(found.map((one) => one.customer)).size).toBe(1);
    expect(found[0]?.customer).toMatch(/^cus_/);
    expect(found.map((one) => one.amount_total)).toEqual([1000, 3000]);
    for (const { session_id } of sessions) await pay(scene, session_id);
    await scene.settle();
    expect(await balanceOf(scene, access)).toBe(400);
  });

  it("two first requests of a person at once make one account and one customer", async () => {
    const { access } = await registerPerson(scene.door);
    const price_id = scene.packs.platform.price_id;
    const both = await Promise.all([1, 2].map(() => buy(scene, access, { price_id })));
    const found = await Promise.all(
      both.map(({ session_id }) => scene.sandbox.stripe.checkout.sessions.retrieve(session_id)),
    );
    expect(new Set(found.map((one) => one.customer)).size).toBe(1);
    expect(await purchasesOf(access)).toHaveLength(2);
  });

  it("a repeated request is the same purchase and the same session", async () => {
    const { access } = await registerPerson(scene.door);
    const headers = { "idempotency-key": "once" };
    const body = { price_id: scene.packs.platform.price_id };
    const first = await buy(scene, access, body, headers);
    const again = await buy(scene, access, body, headers);
    expect(again).toEqual(first);
    expect(await purchasesOf(access)).toHaveLength(1);
  });

  it("a request whose answer from Stripe was lost goes on with its purchase and its session", async () => {
    const { access } = await registerPerson(scene.door);
    const headers = { "idempotency-key": "lost" };
    const request = { token: access, body: { price_id: scene.packs.platform.price_id }, headers };
    const { current } = scene.access;
    let calls = 0;
    scene.access.current = {
      ...current,
      call: async (target, ask) => {
        const answer = await current.call(target, ask);
        calls += 1;
        // The customer's comes through; the session's does not.
        if (calls === 2) throw new Error("the process died");
        return answer;
      },
    };
    const failed = await send(scene.door, "POST", "/account/purchase-credits/", request);
    scene.access.current = current;
    expect(failed.status).toBe(500);
    const [lost] = await purchasesOf(access);
    expect(lost).toMatchObject({ status: "pending", session_id: null });
    // Its event may come, and be paid, before anybody asks again.
    const made = scene.sandbox.objects("checkout.session").find((one) => one.client_reference_id === lost?.id);
    await pay(scene, made?.id ?? "");
    await scene.settle();
    expect(await balanceOf(scene, access)).toBe(100);
    const answer = await send(scene.door, "POST", "/account/purchase-credits/", request);
    expect([answer.status, answer.json.session_id]).toEqual([201, made?.id]);
    await scene.settle();
    expect([await balanceOf(scene, access), (await purchasesOf(access)).length]).toEqual([100, 1]);
  });

  it("a customer who was deleted at Stripe is replaced", async () => {
    const { access } = await registerPerson(scene.door);
    const body = { price_id: scene.packs.platform.price_id };
    const first = await buy(scene, access, body);
    const { customer: old } = await scene.sandbox.stripe.checkout.sessions.retrieve(first.session_id);
    await scene.sandbox.stripe.customers.del(idOf(old));
    const second = await buy(scene, access, body);
    const { customer: fresh } = await scene.sandbox.stripe.checkout.sessions.retrieve(second.session_id);
    expect(fresh).not.toBe(old);
  });

  it("what cannot be sold is refused with what to do: another tenant's price, an inactive pack's, too many", async () => {
    const { access } = await registerPerson(scene.door);
    const ask = async (body: object): Promise<unknown[]> => {
      const { status, json } = await send(scene.door, "POST", "/account/purchase-credits/", { token: access, body });
      return [status, json.code, json.param];
    };
    expect(await ask({ price_id: "price_none_such" })).toEqual([404, "not_found", "price_id"]);
    expect(await ask({ price_id: scene.packs.tenant.price_id })).toEqual([404, "not_found", "price_id"]);
    const pack = await makePack(scene, scene.operator.access, { name: "gone" });
    const path = `/api/v1/credit-packs/${pack.id}/`;
    await send(scene.door, "PATCH", path, { token: scene.operator.access, body: { active: false } });
    expect(await ask({ price_id: pack.price_id })).toEqual([404, "not_found", "price_id"]);
    const price_id = scene.packs.platform.price_id;
    for (const quantity of [0, -1, 1.5, 1e9, "2"])
      expect((await ask({ price_id, quantity })).slice(0, 1)).toEqual([400]);
    const dear = await makePack(scene, scene.operator.access, { amount: 99_999_999 });
    expect(await ask({ price_id: dear.price_id, quantity: 2 })).toEqual([400, "invalid_request", "quantity"]);
    expect(await purchasesOf(access)).toEqual([]);
  });

  it("a connected tenant's customer pays on its connected account, with the platform's fee", async () => {
    const ada = await customer(scene, { email: "ada@customers.example", external_id: "ada" });
    const packs = await own(scene, ada.token, "credit-packs/");
    expect((packs.json.data as Wire[]).map((one) => one.id)).toEqual([scene.packs.tenant.id]);
    const bought = await buy(scene, ada.token, { price_id: scene.packs.tenant.price_id, quantity: 2 });
    await pay(scene, bought.session_id, scene.account);
    await scene.settle();
    expect((await own(scene, ada.token)).json).toMatchObject({
      ...{ id: ada.id, credit_balance: 200, is_trial_user: false, tenant: { id: scene.tenant.id } },
    });
    const { payment_intent: intent } = await scene.stripe.checkout.sessions.retrieve(bought.session_id);
    const paid = await scene.stripe.paymentIntents.retrieve(idOf(intent));
    expect([paid.amount, paid.application_fee_amount]).toEqual([2000, 300]);
    expect(scene.sandbox.objects("customer").filter((one) => one.email === "ada@customers.example")).toHaveLength(1);
    const wire = await send(scene.door, "GET", `/api/v1/status/${bought.session_id}/`, { token: ada.token });
    expect(wire.json).toMatchObject({ status: "succeeded", result: { credits_added: 200, credit_balance: 200 } });
  });

  it("a tenant that is not connected sells nothing: 409, and never on the platform's account", async () => {
    const tenant = await registerTenant(scene.door);
    const token = tenant.keys.test_secret;
    const account = await send(scene.door, "POST", "/api/v1/accounts/", { token, body: {} });
    const session = await send(scene.door, "POST", `/api/v1/accounts/${String(account.json.id)}/session/`, { token });
    const before = scene.sandbox.objects("checkout.session").length;
    const answer = await send(scene.door, "POST", "/account/purchase-credits/", {
      token: String(session.json.token),
      body: { price_id: scene.packs.platform.price_id },
    });
    expect([answer.status, answer.json.code]).toEqual([409, "stripe_not_connected"]);
    expect(scene.sandbox.objects("checkout.session")).toHaveLength(before);
  });

  it("with every webhook lost, who asks how the payment stands brings the credits", async () => {
    const { access } = await registerPerson(scene.door);
    const { session_id, status_url } = await buy(scene, access, { price_id: scene.packs.platform.price_id });
    scene.sandbox.register([]);
    await pay(scene, session_id);
    const { pathname, search } = new URL(status_url);
    const draining = setInterval(() => void scene.door.pipe.drain(), 100);
    try {
      await expect
        .poll(async () => (await send(scene.door, "GET", pathname + search)).json, { timeout: 15_000, interval: 200 })
        .toMatchObject({ status: "succeeded", source: "stripe", result: { credits_added: 100, credit_balance: 100 } });
    } finally {
      clearInterval(draining);
      scene.listen();
    }
    await scene.settle();
    expect(await balanceOf(scene, access)).toBe(100);
  });

  it("a purchase that Stripe refuses is canceled at once, and one that Stripe never had after a day", async () => {
    const { access } = await registerPerson(scene.door);
    const pack = await makePack(scene, scene.operator.access);
    const { product } = await scene.sandbox.stripe.prices.retrieve(pack.price_id);
    const other = { product: idOf(product), currency: "usd", unit_amount: 900 };
    const { id: cheaper } = await scene.sandbox.stripe.prices.create(other);
    await scene.sandbox.stripe.products.update(idOf(product), { default_price: cheaper });
    await scene.sandbox.stripe.prices.update(pack.price_id, { active: false });
    const request = { token: access, body: { price_id: pack.price_id } };
    const refused = await send(scene.door, "POST", "/account/purchase-credits/", request);
    expect(refused.json).toMatchObject({ code: "stripe_refused" });
    const { current } = scene.access;
    scene.access.current = { ...current, call: async () => Promise.reject(new Error("the process died")) };
    const body = { price_id: scene.packs.platform.price_id };
    expect((await send(scene.door, "POST", "/account/purchase-credits/", { token: access, body })).status).toBe(500);
    scene.access.current = current;
    const states = async (): Promise<unknown[]> => (await purchasesOf(access)).map((one) => one.status);
    const { database } = scene.door.pipe;
    await cancelUnseenPurchases(database, 26);
    expect(await states()).toEqual(["pending", "canceled"]);
    await database.query(
      "update credit_purchases set created_at = now() - interval '27 hours' where state = 'pending'",
    );
    await cancelUnseenPurchases(database, 26);
    expect(await states()).toEqual(["canceled", "canceled"]);
  });

  it("a session that expires unpaid is canceled", async () => {
    const { access } = await registerPerson(scene.door);
    const { session_id } = await buy(scene, access, { price_id: scene.packs.platform.price_id });
    await scene.sandbox.stripe.checkout.sessions.expire(session_id);
    await scene.settle();
    expect((await purchasesOf(access))[0]).toMatchObject({ status: "canceled" });
    expect(await balanceOf(scene, access)).toBe(0);
  });

  it("a refund takes the credits back, and the purchase says so", async () => {
    const { access } = await registerPerson(scene.door);
    const { session_id } = await buy(scene, access, { price_id: scene.packs.platform.price_id });
    await pay(scene, session_id);
    await scene.settle();
    const { payment_intent: intent } = await scene.sandbox.stripe.checkout.sessions.retrieve(session_id);
    await scene.sandbox.stripe.refunds.create({ payment_intent: idOf(intent), amount: 400 });
    await scene.settle();
    expect(await balanceOf(scene, access)).toBe(60);
    expect((await purchasesOf(access))[0]).toMatchObject({ status: "paid", credits_taken_back: 40 });
  });

  it("invoices are the own customer's alone, newest first, page by page, with their pages at Stripe", async () => {
    const ada = await customer(scene, { email: "invoiced@customers.example" });
    const bob = await customer(scene);
    for (const { token } of [ada, bob]) await buy(scene, token, { price_id: scene.packs.tenant.price_id });
    const adas = scene.sandbox.objects("customer").find((one) => one.metadata.billhook_account === ada.id);
    for (const amount of [700, 800]) {
      const draft = await scene.stripe.invoices.create({
        customer: adas?.id ?? "",
        collection_method: "send_invoice",
        days_until_due: 5,
      });
      await scene.stripe.invoiceItems.create({ customer: adas?.id ?? "", invoice: draft.id, amount, currency: "usd" });
      await scene.stripe.invoices.finalizeInvoice(draft.id);
    }
    await scene.stripe.invoices.create({ customer: adas?.id ?? "" });
    await scene.settle();
    const first = await own(scene, ada.token, "invoices/?limit=1");
    expect(first.json).toMatchObject({ has_more: true });
    const cursor = encodeURIComponent(String(first.json.next_cursor));
    const second = await own(scene, ada.token, `invoices/?limit=1&cursor=${cursor}`);
    expect(second.json).toMatchObject({ has_more: false, next_cursor: null });
    const all = [...(first.json.data as Wire[]), ...(second.json.data as Wire[])];
    expect(all.map(({ total }) => total).sort()).toEqual([700, 800]);
    for (const one of all) {
      expect(one).toMatchObject({ status: "open", currency: "usd" });
      expect(String(one.hosted_invoice_url)).toMatch(/^https?:/);
      expect(String(one.invoice_pdf)).toMatch(/^https?:/);
    }
    expect((await own(scene, bob.token, "invoices/")).json.data).toEqual([]);
    expect((await own(scene, ada.token, "invoices/?cursor=x")).status).toBe(400);
  });
});
