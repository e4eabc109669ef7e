// The status of what somebody waits for, through the HTTP door: told at once, never to others, and also when no event ever comes.
import { setTimeout as sleep } from "node:timers/promises";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { AccountScope } from "../src/accounts/account-sessions.ts";
import { recordStatusId } from "../src/billing/status-grants.ts";
import { PULL_RATES } from "../src/billing/status-pulls.ts";
import { statusWatch } from "../src/billing/status-watch.ts";
import { PUBLIC_URL } from "./support/api-door.ts";
import { registerPerson, registerTenant, send } from "./support/people.ts";
import { BOTH } from "./support/pipe.ts";
import {
  accountOf,
  accountSession,
  ask,
  buy,
  grantOf,
  openStatusScene,
  openStream,
  pathOf,
  pay,
  type StatusScene,
  told,
  waiting,
} from "./support/status-scene.ts";

const SUCCEEDED = { status: "succeeded", result: { credits_added: 100, credit_balance: 100 } };

describe.each(BOTH)("the status of a purchase, %s database", (kind) => {
  let scene: StatusScene;
  beforeAll(async () => {
    scene = await openStatusScene(kind);
  });
  afterAll(() => scene.close());

  it("is told with its credits in the second in which the event is processed, to who waits for it", async () => {
    scene.deliver(true);
    const { session, path } = await buy(scene, await accountOf(scene));
    const answer = ask(scene, waiting(path));
    await sleep(200);
    const paid = Date.now();
    await pay(scene, session.id);
    await scene.settle();
    const { status, json } = await answer;
    expect(Date.now() - paid).toBeLessThan(2000);
    expect(status).toBe(200);
    expect(json).toEqual({
      id: session.id,
      object: "checkout.session",
      status: "succeeded",
      stripe_status: "complete",
      result: { credits_added: 100, credit_balance: 100, subscription_status: null, invoice_status: null },
      failure: null,
      source: "webhook",
      updated_at: expect.stringMatching(/^20\d\d-.*Z$/) as string,
    });
    expect(scene.pulled).not.toContain(session.id);
  });

  it("is told when every event is lost: Stripe is asked, once, 3 s after the person came back", async () => {
    scene.deliver(false);
    const { session, path } = await buy(scene, await accountOf(scene));
    await pay(scene, session.id);
    await scene.sandbox.idle(5000);
    const came = Date.now();
    const { json } = await ask(scene, waiting(path));
    expect(json).toMatchObject({ ...SUCCEEDED, source: "stripe" });
    expect(Date.now() - came).toBeGreaterThan(2500);
    expect(Date.now() - came).toBeLessThan(8000);
    expect(scene.pulled.filter((id) => id === session.id)).toHaveLength(1);
  });

  it("is told to who polls without waiting when every event is lost", async () => {
    scene.deliver(false);
    const { session, path } = await buy(scene, await accountOf(scene));
    await pay(scene, session.id);
    const until = Date.now() + 12_000;
    let status: unknown = "pending";
    while (status === "pending" && Date.now() < until) {
      status = (await ask(scene, path)).json.status;
      await sleep(500);
    }
    expect(status).toBe("succeeded");
  });

  it("streams each change and a final event, and is 204 to who reconnects after it", async () => {
    scene.deliver(true);
    const { session, path } = await buy(scene, await accountOf(scene));
    const stream = await openStream(scene, path);
    expect(stream.status).toBe(200);
    expect(Object.fromEntries(stream.headers)).toMatchObject({
      "content-type": "text/event-stream; charset=utf-8",
      "x-accel-buffering": "no",
      "cache-control": "no-store, no-transform",
    });
    expect(stream.headers.get("content-encoding")).toBeNull();
    await stream.until(/event: status\ndata: \{.*"status":"pending"/);
    await pay(scene, session.id);
    await scene.settle();
    await stream.until(/event: final\ndata: \{.*"status":"succeeded"/);
    await stream.ended;
    const last = [...stream.text().matchAll(/^id: (\S+)$/gm)].at(-1)?.[1] ?? "";
    expect((await openStream(scene, path, { "last-event-id": last })).status).toBe(204);
    const missed = await openStream(scene, path, { "last-event-id": "another" });
    await missed.until(/event: final/);
    await missed.ended;
  });

  it("streams the end when every event is lost", async () => {
    scene.deliver(false);
    const { session, path } = await buy(scene, await accountOf(scene));
    const stream = await openStream(scene, path);
    await pay(scene, session.id);
    await stream.until(/event: final\ndata: \{.*"credits_added":100.*"source":"stripe"/, 12_000);
    await stream.ended;
  });

  it("is 304 to who has it already, once the time is over, and told as soon as it is another", async () => {
    scene.deliver(true);
    const { session, path } = await buy(scene, await accountOf(scene));
    await told(scene, `/v1/checkout/sessions/${session.id}`);
    const { headers, status } = await ask(scene, path);
    expect(status).toBe(200);
    const known = { "if-none-match": headers.get("etag") ?? "" };
    expect((await ask(scene, waiting(path, 1), known)).status).toBe(304);
    const end = (async () => {
      let answer = await ask(scene, waiting(path), known);
      while (answer.json.status === "pending")
        answer = await ask(scene, waiting(path), { "if-none-match": answer.headers.get("etag") ?? "" });
      return answer;
    })();
    await pay(scene, session.id);
    await scene.settle();
    expect((await end).json).toMatchObject(SUCCEEDED);
  });

  it("is told to the person whose account it is, and is not there for anybody else", async () => {
    scene.deliver(true);
    const person = await registerPerson(scene.door);
    const { session } = await buy(scene, await accountOf(scene, person.personId));
    const path = `/api/v1/status/${session.id}/`;
    const other = await registerPerson(scene.door);
    const tenant = await registerTenant(scene.door);
    const as = (token: string) => send(scene.door, "GET", path, { token });
    expect((await as(person.access)).status).toBe(200);
    expect((await as(other.access)).status).toBe(404);
    expect((await as(tenant.access)).status).toBe(404);
    expect((await as(tenant.keys.test_secret)).status).toBe(403);
    expect((await ask(scene, path)).status).toBe(401);
  });

  it("is told to an account session with the scope `read`, and to no other", async () => {
    const { session, path, accountId } = await buy(scene, await accountOf(scene));
    const as = async (scope: AccountScope) => {
      const { token } = await accountSession(scene, accountId, [scope]);
      return send(scene.door, "GET", `/api/v1/status/${session.id}/`, { token });
    };
    expect((await as("read")).status).toBe(200);
    const { status, json } = await as("payment_method");
    expect([status, json.code, json.message]).toEqual([403, "forbidden", expect.stringContaining("scope read")]);
    expect((await ask(scene, path)).status).toBe(200);
  });

  it("is told by a link to its own object alone, as it was signed, and for a day", async () => {
    const one = await buy(scene, await accountOf(scene));
    const two = await buy(scene, one.accountId);
    const token = new URL(`http://x${one.path}`).searchParams.get("token") ?? "";
    const at = (id: string, given: string) => ask(scene, `/api/v1/status/${id}/?token=${given}`);
    expect((await at(one.session.id, token)).status).toBe(200);
    expect((await at(two.session.id, token)).status).toBe(404);
    const [form, body = "", mac = ""] = token.split(".");
    const forged = Buffer.from(Buffer.from(body, "base64url").toString().replace(one.session.id, two.session.id));
    expect((await at(two.session.id, `${form ?? ""}.${forged.toString("base64url")}.${mac}`)).status).toBe(401);
    expect((await at(one.session.id, "nonsense")).status).toBe(401);
    const late = { ...scene.door.deps, clock: { now: () => Date.now() - 86_401_000, monotonic: () => 0 } };
    const old = pathOf({ ...scene, door: { ...scene.door, deps: late } }, one.session.id);
    expect((await ask(scene, old)).status).toBe(401);
    expect((await ask(scene, pathOf(scene, "cs_test_nobody_recorded"))).status).toBe(404);
  });

  it("can be polled by its ETag from a page of another origin that may call", async () => {
    const { path } = await buy(scene, await accountOf(scene));
    const origin = PUBLIC_URL;
    const polled = await ask(scene, path, { origin });
    expect(polled.headers.get("access-control-expose-headers")?.split(", ")).toContain("ETag");
    const headers = {
      origin,
      "access-control-request-method": "GET",
      "access-control-request-headers": "if-none-match",
    };
    const preflight = await send(scene.door, "OPTIONS", path, { headers });
    const allowed = preflight.headers.get("access-control-allow-headers")?.split(", ");
    expect(allowed).toEqual(expect.arrayContaining(["If-None-Match", "Last-Event-ID"]));
  });

  it.each(["wait=26", "wait=-1", "wait=x", "wait=1.5", "wait=0x1", "wait=1e1", "wait=+5", "unknown=1"])(
    "refuses ?%s",
    async (query) => {
      const { path } = await buy(scene, await accountOf(scene));
      expect((await ask(scene, `${path}&${query}`)).status).toBe(400);
    },
  );

  it("tells no log line of the token that lets one ask", async () => {
    const { path } = await buy(scene, await accountOf(scene));
    const token = new URL(`http://x${path}`).searchParams.get("token") ?? "";
    const stream = await openStream(scene, path);
    await stream.until(/pending/);
    stream.close();
    await stream.ended;
    await ask(scene, path);
    await ask(scene, waiting(path, 1));
    await ask(scene, `${path}&wait=x`);
    await ask(scene, `/api/v1/status/none/?token=${token}`);
    await ask(scene, `/api/v1/nowhere/?token=${token}`);
    await scene.door.raw(`GET ${path} HTTP/1.1\r\nbroken\r\n\r\n`);
    await sleep(100);
    expect(scene.door.lines.some(({ route }) => route === "/api/v1/status/:id/")).toBe(true);
    const lines = JSON.stringify(scene.door.lines, (_, value: unknown) =>
      value instanceof Error ? `${value.message} ${value.stack ?? ""}` : value,
    );
    expect(lines).not.toContain(token.slice(3, 60));
    expect(lines).not.toContain(token.slice(-20));
  });

  it("lets two nodes ask Stripe once for an object that people wait for on both", async () => {
    scene.deliver(false);
    const { session, path } = await buy(scene, await accountOf(scene));
    const { database, platformTenant } = scene.door.pipe;
    const other = statusWatch({ ...scene.door.deps, database, platformTenant });
    const grant = grantOf(platformTenant, null, session.id);
    const heard = new Promise<string>((resolve) => {
      other.wait(grant, {
        told: (state) => {
          other.want(grant, state, 25);
          if (state.status === "succeeded") resolve(state.source);
        },
        failed: () => undefined,
        ended: () => undefined,
      });
    });
    const first = ask(scene, waiting(path));
    await sleep(100);
    await pay(scene, session.id);
    expect((await first).json).toMatchObject(SUCCEEDED);
    other.changedElsewhere();
    expect(await heard).toBe("stripe");
    expect(scene.pulled.filter((id) => id === session.id)).toHaveLength(1);
    await other.stop();
  });

  it("is heard within 5 s of a commit that nobody signalled", async () => {
    scene.deliver(true);
    const { session } = await buy(scene, await accountOf(scene));
    const { database, platformTenant } = scene.door.pipe;
    const other = statusWatch({ ...scene.door.deps, database, platformTenant });
    const heard = new Promise<string>((resolve, reject) => {
      other.wait(grantOf(platformTenant, null, session.id), {
        told: ({ status, source }) => {
          if (status === "succeeded") resolve(source);
        },
        failed: reject,
        ended: () => undefined,
      });
    });
    await pay(scene, session.id);
    await scene.settle();
    expect(await heard).toBe("webhook");
    await other.stop();
  });
});

describe.each(BOTH)("the status of other objects, %s database", (kind) => {
  let scene: StatusScene;
  beforeAll(async () => {
    scene = await openStatusScene(kind);
    scene.deliver(true);
  });
  afterAll(() => scene.close());

  async function recorded(objectId: string): Promise<string> {
    const { database, platformTenant } = scene.door.pipe;
    await recordStatusId(database, grantOf(platformTenant, await accountOf(scene), objectId));
    return pathOf(scene, objectId);
  }

  it("a payment that was declined is failed with its reason, and succeeded after another try on the same one", async () => {
    const { stripe } = scene.sandbox;
    const intent = await stripe.paymentIntents.create({
      amount: 1000,
      currency: "usd",
      automatic_payment_methods: { enabled: true, allow_redirects: "never" },
    });
    const path = await recorded(intent.id);
    await scene.settle();
    expect((await ask(scene, path)).json).toMatchObject({ object: "payment_intent", status: "pending", failure: null });
    await stripe.paymentIntents.confirm(intent.id, { payment_method: "pm_card_chargeDeclined" }).catch(() => undefined);
    await scene.settle();
    const { json } = await ask(scene, waiting(path));
    expect(json).toMatchObject({ status: "failed", failure: { code: "card_declined" } });
    expect(json.failure).toHaveProperty("message", expect.stringMatching(/declined/));
    // Again, and this event is lost: what was known before is confirmed with Stripe before it is told.
    scene.deliver(false);
    await stripe.paymentIntents.confirm(intent.id, { payment_method: "pm_card_visa" });
    expect((await ask(scene, waiting(path))).json).toMatchObject({ status: "succeeded", source: "stripe" });
    scene.deliver(true);
  });

  it("a payment that the bank wants confirmed asks for the person's action", async () => {
    const intent = await scene.sandbox.stripe.paymentIntents.create({
      ...{ amount: 1000, currency: "usd", automatic_payment_methods: { enabled: true, allow_redirects: "never" } },
      ...{ payment_method: "pm_card_threeDSecure2Required", confirm: true },
    });
    const path = await recorded(intent.id);
    await scene.settle();
    expect((await ask(scene, waiting(path))).json).toMatchObject({
      status: "action_required",
      stripe_status: "requires_action",
    });
  });

  it("a session that expired, a setup, a subscription and its invoice have theirs", async () => {
    scene.deliver(true);
    const { stripe } = scene.sandbox;
    const { session, path } = await buy(scene, await accountOf(scene));
    await stripe.checkout.sessions.expire(session.id);
    const setup = await stripe.setupIntents.create({
      payment_method: "pm_card_visa",
      confirm: true,
      automatic_payment_methods: { enabled: true, allow_redirects: "never" },
    });
    const customer = await stripe.customers.create({ email: "buyer@example.com" });
    const method = await stripe.paymentMethods.attach("pm_card_visa", { customer: customer.id });
    const price = await stripe.prices.create({
      unit_amount: 500,
      currency: "usd",
      recurring: { interval: "month" },
      product_data: { name: "Plan" },
    });
    const subscription = await stripe.subscriptions.create({
      ...{ customer: customer.id, items: [{ price: price.id }], default_payment_method: method.id },
    });
    const { latest_invoice: latest } = subscription;
    const invoiceId = typeof latest === "string" ? latest : (latest?.id ?? "");
    await scene.settle();
    expect((await ask(scene, path)).json).toMatchObject({ status: "expired", stripe_status: "expired" });
    expect((await ask(scene, await recorded(setup.id))).json).toMatchObject({
      object: "setup_intent",
      status: "succeeded",
    });
    expect((await ask(scene, await recorded(subscription.id))).json).toMatchObject({
      ...{ object: "subscription", status: "succeeded" },
      result: { credits_added: null, credit_balance: 0, subscription_status: "active", invoice_status: "paid" },
    });
    expect((await ask(scene, await recorded(invoiceId))).json).toMatchObject({
      object: "invoice",
      status: "succeeded",
    });
  });

  it("an object that nobody has seen yet is pending", async () => {
    expect((await ask(scene, await recorded("pi_not_seen_yet"))).json).toMatchObject({
      ...{ status: "pending", stripe_status: null, source: "stripe" },
    });
  });

  it("pulls in a second no more of one account than a fifth of what Stripe allows", async () => {
    const { rate, burst } = PULL_RATES.test;
    expect(rate + burst).toBeLessThanOrEqual(25 / 5);
    expect(PULL_RATES.live.rate + PULL_RATES.live.burst).toBeLessThanOrEqual(100 / 5);
    const before = scene.pulled.length;
    const paths = await Promise.all(Array.from({ length: 30 }, (_, index) => recorded(`pi_unknown_${String(index)}`)));
    const answers = paths.map((path) => ask(scene, waiting(path, 6)));
    await sleep(3200);
    await sleep(2000);
    const inTwoSeconds = scene.pulled.length - before;
    expect(inTwoSeconds).toBeGreaterThan(3);
    expect(inTwoSeconds).toBeLessThanOrEqual(burst + rate * 2.5);
    await Promise.all(answers);
  });
});

it.each(BOTH)("a stop answers everybody who waits with the current state, %s database", async (kind) => {
  const scene = await openStatusScene(kind);
  const { path } = await buy(scene, await accountOf(scene));
  const polls = Array.from({ length: 20 }, () => ask(scene, waiting(path)));
  const stream = await openStream(scene, path);
  await stream.until(/"status":"pending"/);
  // All twenty, and the stream.
  await expect.poll(() => scene.door.deps.status.count()).toBe(21);
  const began = Date.now();
  await scene.door.api.close();
  for (const { status, json } of await Promise.all(polls))
    expect({ status, json }).toMatchObject({ status: 200, json: { status: "pending" } });
  await stream.ended;
  expect(Date.now() - began).toBeLessThan(4000);
  await scene.close();
});
