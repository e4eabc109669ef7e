// Payments that nobody here asked for: whose credits they are, and that nobody can make them somebody else's.
import { setTimeout as sleep } from "node:timers/promises";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { LINE_RATES, resolveDueBuyers } from "../src/billing/buyers.ts";
import type { StripeAccess } from "../src/stripe/access.ts";
import type { Wire } from "./support/api-door.ts";
import { whileDisconnected } from "./support/connected-accounts.ts";
import { mailedToken, mailsTo, newEmail, PASSWORD, registerPerson, send, sessionOf } from "./support/people.ts";
import { BOTH } from "./support/pipe.ts";
import {
  balanceOf,
  buy,
  customer,
  idOf,
  makePack,
  openPurchaseScene,
  pay,
  type PurchaseScene,
  sessionElsewhere,
  unmatched,
} from "./support/purchase-scene.ts";
import { newCheckoutSession } from "./support/stripe-fixtures-payments.ts";
import { event } from "./support/stripe-fixtures.ts";

describe.each(BOTH)("on the %s database", (kind) => {
  let scene: PurchaseScene;
  beforeAll(async () => {
    scene = await openPurchaseScene(kind);
  });
  afterAll(async () => scene.close());

  const price = (): string => scene.packs.platform.price_id;
  const paidElsewhere = async (also: object, account = ""): Promise<string> => {
    const session = await sessionElsewhere(
      scene,
      account === "" ? price() : scene.packs.tenant.price_id,
      also,
      account,
    );
    await pay(scene, session, account);
    return session;
  };
  const of = async (session: string, status?: string): Promise<Wire | undefined> =>
    (await unmatched(scene, status)).find((one) => one.session_id === session);
  /** The Stripe customer of an account, which its first purchase makes. */
  const customerOf = async ({ id, token }: { id: string; token: string }): Promise<string> => {
    await buy(scene, token, { price_id: scene.packs.tenant.price_id });
    return scene.sandbox.objects("customer").find((one) => one.metadata.billhook_account === id)?.id ?? "";
  };
  const people = async (email: string): Promise<number> => {
    const { rows } = await scene.door.pipe.database.query<{ count: number }>({
      text: "select count(*) as count from people where lower(email) = lower($1)",
      values: [email],
    });
    return rows[0]?.count ?? 0;
  };
  const firstSignIn = async (email: string): Promise<string> => {
    const reset = { token: await mailedToken(scene.door, email), password: PASSWORD };
    const answer = await send(scene.door, "POST", "/api/v1/auth/password/reset/", { body: reset });
    expect(answer.status).toBe(200);
    const body = { email, password: PASSWORD };
    return sessionOf(await send(scene.door, "POST", "/api/v1/auth/login/", { body })).access;
  };
  const decide = (id: unknown, act: string, body?: object) =>
    scene.door.admin("POST", `unmatched-purchases/${String(id)}/${act}/`, body);

  it("a stranger who buys becomes a person with an account, is welcomed once, and finds the credits behind the mailed link", async () => {
    const email = newEmail();
    const link = await scene.sandbox.stripe.paymentLinks.create({ line_items: [{ price: price(), quantity: 2 }] });
    const visit = await fetch(`${scene.sandbox.url}/b/${link.id}?prefilled_email=${email}`, { redirect: "manual" });
    const session = /cs_\w+/.exec(visit.headers.get("location") ?? "")?.[0] ?? "";
    await pay(scene, session);
    await scene.settle();
    // Everything again, in any number.
    for (const { id } of scene.sandbox.events()) scene.sandbox.resend(id);
    await scene.settle();
    expect([await people(email), await mailsTo(scene.door, email)]).toEqual([1, ["welcome", "credits_added"]]);
    const body = { email, password: PASSWORD };
    expect((await send(scene.door, "POST", "/api/v1/auth/login/", { body })).status).toBe(401);
    const access = await firstSignIn(email);
    expect(await balanceOf(scene, access)).toBe(200);
    const me = await send(scene.door, "GET", "/account/", { token: access });
    expect(me.json).toMatchObject({ email, is_trial_user: false });
    expect(await of(session, "matched")).toMatchObject({ credits: 200, account_id: me.json.id });
    const status = await send(scene.door, "GET", `/api/v1/status/${session}/`, { token: access });
    expect(status.json).toMatchObject({ result: { credits_added: 200 } });
  });

  it("two nodes that find the same buyer at once make one person and one purchase", async () => {
    const email = newEmail();
    await paidElsewhere({ customer_email: email });
    await scene.sandbox.idle();
    await scene.door.pipe.drain();
    await Promise.all([1, 2, 3].map(() => resolveDueBuyers(scene.buyers)));
    await scene.settle();
    expect([await people(email), await mailsTo(scene.door, email)]).toEqual([1, ["welcome", "credits_added"]]);
    expect(await balanceOf(scene, await firstSignIn(email))).toBe(100);
  });

  it("an address that somebody has gives nobody anything: the operator assigns the payment, once, and it is audited", async () => {
    const email = newEmail();
    const { access } = await registerPerson(scene.door, email);
    const session = await paidElsewhere({ customer_email: email.toUpperCase() });
    await scene.settle();
    expect([await balanceOf(scene, access), await mailsTo(scene.door, email)]).toEqual([0, ["verify_address"]]);
    const listed = await of(session);
    const { id: accountId } = (await send(scene.door, "GET", "/account/", { token: access })).json;
    expect(listed).toMatchObject({
      ...{ reason: "email_known", credits: 100, amount_subtotal: 1000, currency: "usd", stripe_account: null },
      ...{ candidates: [{ account_id: accountId, email_verified: false }], credit_pack_id: scene.packs.platform.id },
    });
    const bob = await customer(scene);
    for (const wrong of [bob.id, "acc_none"])
      expect((await decide(listed?.id, "assign", { account_id: wrong })).status).toBe(404);
    const answers = await Promise.all([1, 2].map(() => decide(listed?.id, "assign", { account_id: accountId })));
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
    await scene.settle();
    expect(await balanceOf(scene, access)).toBe(100);
    expect(await of(session, "assigned")).toMatchObject({ account_id: accountId });
    expect((await decide(listed?.id, "dismiss")).json).toMatchObject({ code: "purchase_decided" });
    const { rows } = await scene.door.pipe.database.query<{ count: number }>({
      text: "select count(*) as count from audit_log where action = 'unmatched_purchase.decided' and target = $1",
      values: [listed?.id],
    });
    expect(rows[0]?.count).toBe(1);
  });

  it("a dismissed payment brings nothing, whatever is told of it later", async () => {
    const email = newEmail();
    const { access } = await registerPerson(scene.door, email);
    const session = await paidElsewhere({ customer_email: email });
    await scene.settle();
    expect((await decide((await of(session))?.id, "dismiss")).json).toMatchObject({ status: "dismissed" });
    for (const { id } of scene.sandbox.events("checkout.session.completed")) scene.sandbox.resend(id);
    await scene.settle();
    expect([await balanceOf(scene, access), await of(session)]).toEqual([0, undefined]);
  });

  it("a session made elsewhere is an account's by the customer that we made for it, and never by its reference or metadata", async () => {
    const ada = await customer(scene, { email: "named@customers.example" });
    const metadata = { billhook_account: ada.id };
    const named = await paidElsewhere({ client_reference_id: ada.id, metadata }, scene.account);
    await scene.settle();
    expect([await balanceOf(scene, ada.token), await of(named)]).toEqual([
      0,
      expect.objectContaining({ tenant_id: scene.tenant.id, account_id: null }),
    ]);
    await paidElsewhere({ customer: await customerOf(ada) }, scene.account);
    await scene.settle();
    expect(await balanceOf(scene, ada.token)).toBe(100);
  });

  it("a connected account's session never pays another tenant's purchase, and never finds another tenant's account", async () => {
    const { access } = await registerPerson(scene.door);
    const { session_id } = await buy(scene, access, { price_id: price() });
    const victim = await scene.sandbox.stripe.checkout.sessions.retrieve(session_id);
    const me = await send(scene.door, "GET", "/account/", { token: access });
    const forged = { client_reference_id: String(victim.client_reference_id), metadata: victim.metadata ?? {} };
    const first = await paidElsewhere(forged, scene.account);
    const second = await paidElsewhere({ client_reference_id: String(me.json.id) }, scene.account);
    // With the price of its own that costs the same, and one that names the platform's.
    const cheap = await scene.stripe.prices.create({
      ...{ currency: "usd", unit_amount: 1000, product_data: { name: "Forged" } },
      metadata: { billhook_credit_pack: scene.packs.platform.id, credits: "100" },
    });
    const third = await sessionElsewhere(scene, cheap.id, forged, scene.account);
    await pay(scene, third, scene.account);
    await scene.settle();
    expect(await balanceOf(scene, access)).toBe(0);
    expect((await send(scene.door, "GET", "/account/purchases/", { token: access })).json.data).toMatchObject([
      { status: "pending", session_id },
    ]);
    for (const session of [first, second])
      expect(await of(session)).toMatchObject({ tenant_id: scene.tenant.id, account_id: null });
    expect(await of(third, "foreign")).toMatchObject({ credits: null });
  });

  it("a purchase that we wrote is not paid by a cheaper session that bears its reference", async () => {
    const { access } = await registerPerson(scene.door);
    const { session_id } = await buy(scene, access, { price_id: price(), quantity: 5 });
    const { client_reference_id: reference } = await scene.sandbox.stripe.checkout.sessions.retrieve(session_id);
    const { database } = scene.door.pipe;
    // As if its session's id had not been recorded yet.
    const forget = "update credit_purchases set stripe_session_id = null where id = $1";
    await database.query({ text: forget, values: [reference] });
    await paidElsewhere({ client_reference_id: String(reference), customer_email: newEmail() });
    await scene.settle();
    expect(await balanceOf(scene, access)).toBe(0);
  });

  it("a stranger who buys from a connected tenant is listed: no person is made for another's shop", async () => {
    const email = newEmail();
    const session = await paidElsewhere({ customer_email: email }, scene.account);
    await scene.settle();
    expect(await of(session)).toMatchObject({
      reason: "no_buyer",
      tenant_id: scene.tenant.id,
      stripe_account: scene.account,
    });
    expect([await people(email), await mailsTo(scene.door, email)]).toEqual([0, []]);
    const ada = await customer(scene);
    expect((await decide((await of(session))?.id, "assign", { account_id: ada.id })).status).toBe(200);
    expect(await balanceOf(scene, ada.token)).toBe(100);
  });

  it("what sells no pack is none of ours, and what sells other things besides is for a person to judge", async () => {
    const other = await scene.sandbox.stripe.prices.create({
      ...{ currency: "usd", unit_amount: 1000, product_data: { name: "A shirt" } },
    });
    const email = newEmail();
    const shirt = await sessionElsewhere(scene, other.id, { customer_email: email });
    const lines = [price(), other.id].map((one) => ({ price: one, quantity: 1 }));
    const mixed = await sessionElsewhere(scene, price(), { customer_email: email, line_items: lines });
    for (const session of [shirt, mixed]) await pay(scene, session);
    await scene.settle();
    expect(await of(shirt, "foreign")).toMatchObject({ credits: null, lines: null });
    expect(await of(mixed)).toMatchObject({ reason: "other_items", credits: 100 });
    expect(await people(email)).toBe(0);
  });

  it("what costs less than any pack sells none: Stripe is not asked for its lines", async () => {
    const other = await scene.sandbox.stripe.prices.create({
      ...{ currency: "usd", unit_amount: 499, product_data: { name: "A sticker" } },
    });
    const [sticker, two] = [1, 3].map((quantity) => ({ line_items: [{ price: other.id, quantity }] }));
    const small = await sessionElsewhere(scene, other.id, sticker);
    const great = await sessionElsewhere(scene, other.id, two);
    for (const session of [small, great]) await pay(scene, session);
    await scene.settle();
    expect(await of(great, "foreign")).toMatchObject({ credits: null });
    const { rows } = await scene.door.pipe.database.query({
      text: "select status from unmatched_purchases where stripe_session_id = $1",
      values: [small],
    });
    expect(rows).toEqual([]);
  });

  it("asks Stripe for the lines of no more sessions in a second than a tenth of what it allows, all nodes together", async () => {
    for (const [mode, allowed] of [
      ["live", 100],
      ["test", 25],
    ] as const) {
      expect(LINE_RATES[mode].rate + LINE_RATES[mode].burst).toBeLessThanOrEqual(allowed / 10);
    }
    const sessions = await Promise.all(Array.from({ length: 8 }, () => paidElsewhere({ customer_email: newEmail() })));
    await scene.sandbox.idle();
    await scene.door.pipe.drain();
    await scene.door.pipe.database.query("delete from token_buckets");
    let asked = 0;
    const { current } = scene.access;
    const counted: StripeAccess["call"] = (target, ask) => {
      asked += 1;
      return current.call(target, ask);
    };
    scene.access.current = { ...current, call: counted };
    const buyers = { ...scene.buyers, lineRates: LINE_RATES };
    const began = performance.now();
    while (performance.now() - began < 1500) {
      await Promise.all([1, 2].map(() => resolveDueBuyers(buyers)));
      await sleep(50);
    }
    scene.access.current = current;
    const seconds = (performance.now() - began) / 1000;
    const { rate, burst } = LINE_RATES.test;
    expect(asked).toBeGreaterThan(1);
    expect(asked).toBeLessThanOrEqual(burst + rate * seconds);
    await scene.settle();
    const matched = (await unmatched(scene, "matched")).map((one) => one.session_id);
    expect(sessions.filter((session) => !matched.includes(session))).toEqual([]);
  });

  it("a price that is sold no more, and a sale from before its price was known, wait for a person", async () => {
    const pack = await makePack(scene, scene.operator.access, { name: "old" });
    const sessions = [await sessionElsewhere(scene, pack.price_id), await sessionElsewhere(scene, pack.price_id)];
    const ada = await registerPerson(scene.door);
    const me = await send(scene.door, "GET", "/account/", { token: ada.access });
    const early = await sessionElsewhere(scene, price(), { client_reference_id: String(me.json.id) });
    const path = `/api/v1/credit-packs/${pack.id}/`;
    await send(scene.door, "PATCH", path, { token: scene.operator.access, body: { active: false } });
    await scene.door.pipe.database.query("update offer_prices set created_at = now() + interval '2 hours'");
    for (const session of [...sessions, early]) await pay(scene, session);
    await scene.settle();
    await scene.door.pipe.database.query("update offer_prices set created_at = now() - interval '2 hours'");
    for (const session of sessions) expect(await of(session)).toMatchObject({ reason: "pack_inactive", credits: 100 });
    expect(await of(early)).toMatchObject({ reason: "older_than_pack" });
    expect(await balanceOf(scene, ada.access)).toBe(0);
  });

  it("a coupon is a matter between seller and buyer: a free sale brings its credits too", async () => {
    const coupon = await scene.sandbox.stripe.coupons.create({ percent_off: 100, duration: "once" });
    const email = newEmail();
    const session = await sessionElsewhere(scene, price(), {
      customer_email: email,
      discounts: [{ coupon: coupon.id }],
    });
    const form = new URLSearchParams({ expected_amount: "0" }).toString();
    expect((await scene.sandbox.call("POST", `/v1/payment_pages/${session}/confirm`, form)).status).toBe(200);
    await scene.settle();
    expect(await of(session, "matched")).toMatchObject({ amount_total: 0, credits: 100 });
    expect(await balanceOf(scene, await firstSignIn(email))).toBe(100);
  });

  it("what was refunded before its buyer was known is not given", async () => {
    const email = newEmail();
    const session = await paidElsewhere({ customer_email: email });
    const { payment_intent: intent } = await scene.sandbox.stripe.checkout.sessions.retrieve(session);
    await scene.sandbox.stripe.refunds.create({ payment_intent: idOf(intent), amount: 250 });
    await scene.settle();
    expect(await balanceOf(scene, await firstSignIn(email))).toBe(75);
  });

  it("a refund that the reducer wrote beside the purchase, and could not settle, is settled later", async () => {
    const email = newEmail();
    const session = await paidElsewhere({ customer_email: email });
    await scene.settle();
    const access = await firstSignIn(email);
    const { database } = scene.door.pipe;
    // As the other worker left it: the refund is known, and nothing was posted for it.
    const row = await of(session, "matched");
    const purchase = { text: "update credit_purchases set stripe_account = $2 where id = $1" };
    await database.query({ ...purchase, values: [row?.purchase_id, "acct_elsewhere"] });
    const { payment_intent: intent } = await scene.sandbox.stripe.checkout.sessions.retrieve(session);
    await scene.sandbox.stripe.refunds.create({ payment_intent: idOf(intent) });
    await scene.settle();
    await database.query({ ...purchase, values: [row?.purchase_id, ""] });
    expect(await balanceOf(scene, access)).toBe(100);
    await database.query("update unmatched_purchases set settle_at = now() where settle_at is not null");
    await scene.resolve();
    expect(await balanceOf(scene, access)).toBe(0);
  });

  it("while Stripe does not answer it is put off, and nobody is guessed", async () => {
    const email = newEmail();
    const session = await paidElsewhere({ customer_email: email });
    await scene.sandbox.idle();
    await scene.door.pipe.drain();
    const { current } = scene.access;
    const silent: StripeAccess["call"] = (target) =>
      current.call(target, async () => Promise.reject(new Error("no answer")));
    scene.access.current = { ...current, call: silent };
    await scene.resolve();
    scene.access.current = current;
    expect([await people(email), (await of(session, "resolving"))?.status]).toEqual([0, "resolving"]);
    await scene.door.pipe.database.query(
      "update unmatched_purchases set next_attempt_at = now() where status = 'resolving'",
    );
    await scene.settle();
    expect(await people(email)).toBe(1);
  });

  it("a right ends with its connection: nothing is asked or sold on an account that was disconnected meanwhile", async () => {
    const ada = await customer(scene);
    const made = await customerOf(ada);
    const body = { price_id: scene.packs.tenant.price_id };
    const request = { token: ada.token, body, headers: { "idempotency-key": "disconnected" } };
    const buying = () => send(scene.door, "POST", "/account/purchase-credits/", request);
    const { current } = scene.access;
    scene.access.current = { ...current, call: async () => Promise.reject(new Error("the process died")) };
    expect((await buying()).status).toBe(500);
    scene.access.current = current;
    const session = await paidElsewhere({ customer: made }, scene.account);
    await scene.sandbox.idle();
    await scene.door.pipe.drain();
    const { database } = scene.door.pipe;
    const refused = await whileDisconnected(database, scene.account, async () => {
      await scene.resolve();
      return buying();
    });
    expect([refused.status, refused.json.code]).toEqual([409, "stripe_not_connected"]);
    expect(await of(session, "resolving")).toMatchObject({ account_id: null });
    expect((await buying()).status).toBe(201);
    await database.query("update unmatched_purchases set next_attempt_at = now() where status = 'resolving'");
    await scene.settle();
    expect(await balanceOf(scene, ada.token)).toBe(100);
  });

  it("a session that Stripe does not know is listed, and can only be dismissed", async () => {
    const id = `cs_test_nowhere${kind}`;
    const session = newCheckoutSession({ id, client_reference_id: null, customer: null, payment_intent: `pi_${id}` });
    await scene.door.webhook(JSON.stringify(event("checkout.session.completed", session, { id: `evt_${id}` })));
    await scene.settle();
    const listed = await of(id);
    expect(listed).toMatchObject({ reason: "session_missing", credits: null, lines: null });
    const ada = await registerPerson(scene.door);
    const me = await send(scene.door, "GET", "/account/", { token: ada.access });
    const refused = await decide(listed?.id, "assign", { account_id: String(me.json.id) });
    expect([refused.status, refused.json.code]).toEqual([409, "purchase_decided"]);
    expect((await decide(listed?.id, "dismiss")).status).toBe(200);
  });

  it("a session that is still unpaid brings nothing, and nobody", async () => {
    const email = newEmail();
    const session = await sessionElsewhere(scene, price(), { customer_email: email });
    await scene.settle();
    expect([await people(email), await of(session, "resolving")]).toEqual([0, undefined]);
  });
});
