// Deliveries of the sandbox as their receivers see them: signed, matched, tried again, resumed, sent anew.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import Stripe from "stripe";
import { afterEach, describe, expect, it } from "vitest";

import { PLATFORM_ACCOUNT } from "../sandbox/core/kinds.ts";
import { keepConnection } from "../sandbox/connect/connection.ts";
import type { SandboxOptions } from "../sandbox/sandbox.ts";
import { freePort } from "./support/free-port.ts";
import { type OpenSandbox, openSandbox } from "./support/sandbox.ts";
import { openReceiver, type Received, type WebhookReceiver } from "./support/webhook-receiver.ts";

const ACCOUNT = "acct_1ConnectedForTests0";
const TEST = { livemode: false, account: PLATFORM_ACCOUNT };
const CONNECTED = { livemode: false, account: ACCOUNT };

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function sandboxed(options: SandboxOptions = {}): Promise<OpenSandbox> {
  const sandbox = await openSandbox({ retrySchedule: [0.02, 0.02, 0.02, 60], ...options });
  closing.push(() => sandbox.close());
  return sandbox;
}

async function receiving(port?: number): Promise<WebhookReceiver> {
  const receiver = await openReceiver(port);
  closing.push(() => receiver.close());
  return receiver;
}

/** Raises an event as any room does. */
function raise(sandbox: OpenSandbox, type = "customer.created", scope = TEST): string {
  const id = `cus_${sandbox.world.random.text(14)}`;
  sandbox.world.run((tx) => tx.raise(type, { id, object: "customer", name: "Ada" }), scope);
  return sandbox.events(type).at(-1)?.id ?? "";
}

interface Answered {
  data: { id: string; url: string; event: string; endpoint: string; attempts: number }[];
  deliveries: { parked: number };
  id: string;
  secret: string;
}

async function control(sandbox: OpenSandbox, method: string, path: string, body: object = {}): Promise<Answered> {
  const answer = await sandbox.call(method, `/_sandbox/${path}`, method === "GET" ? "" : JSON.stringify(body), {
    "content-type": "application/json",
  });
  expect(answer.status, answer.text).toBe(200);
  return answer.json as unknown as Answered;
}

const idle = (sandbox: OpenSandbox): Promise<Answered> => control(sandbox, "POST", "idle", { timeout_ms: 5000 });

function verified(received: Received | undefined, secret: string): Stripe.Event {
  const { body = "", headers = {} } = received ?? {};
  return Stripe.webhooks.constructEvent(body, headers["stripe-signature"] ?? "", secret);
}

describe("an event", () => {
  it("reaches its endpoint signed, as the official SDK verifies it, and is counted as delivered", async () => {
    const [sandbox, receiver] = [await sandboxed(), await receiving()];
    const endpoint = await sandbox.stripe.webhookEndpoints.create({ url: receiver.url, enabled_events: ["*"] });
    expect(endpoint.secret).toMatch(/^whsec_/);
    const id = raise(sandbox);
    expect(sandbox.events()[0]?.pending_webhooks).toBe(1);
    const [first] = await receiver.got(1);
    const event = verified(first, endpoint.secret ?? "");
    expect(event).toMatchObject({ id, type: "customer.created", pending_webhooks: 1, livemode: false });
    expect(event.account).toBeUndefined();
    expect(first?.headers).toMatchObject({
      "content-type": "application/json; charset=utf-8",
      "user-agent": "Stripe/1.0 (+https://stripe.com/docs/webhooks)",
    });
    expect(first?.body).toContain('\n  "type": "customer.created"');
    expect(() => verified(first, "whsec_another")).toThrow(/signature/);
    expect(await idle(sandbox)).toMatchObject({ idle: true });
    expect((await sandbox.stripe.events.retrieve(id)).pending_webhooks).toBe(0);
  });

  it("goes to the endpoints alone that ask for its type, its mode and its account", async () => {
    const [sandbox, receiver] = [await sandboxed(), await receiving()];
    const made = (client: Stripe, path: string, given: Partial<Stripe.WebhookEndpointCreateParams> = {}) =>
      client.webhookEndpoints.create({ url: receiver.url + path, enabled_events: ["*"], ...given });
    sandbox.world.run((tx) => keepConnection(tx, ACCOUNT, { connected: true }));
    await made(sandbox.stripe, "/all");
    await made(sandbox.stripe, "/paid", { enabled_events: ["invoice.paid"] });
    await made(sandbox.stripe, "/connect", { connect: true });
    await made(sandbox.client({ key: "sk_live_sandbox_of_the_tests" }), "/live");
    await made(sandbox.client({ account: ACCOUNT }), "/account");
    const disabled = await made(sandbox.stripe, "/disabled");
    await sandbox.stripe.webhookEndpoints.update(disabled.id, { disabled: true });
    raise(sandbox, "customer.created");
    raise(sandbox, "customer.updated", CONNECTED);
    raise(sandbox, "customer.deleted", { livemode: true, account: PLATFORM_ACCOUNT });
    sandbox.world.run((tx) => keepConnection(tx, ACCOUNT, { connected: false }));
    raise(sandbox, "customer.tax_id.created", CONNECTED);
    await idle(sandbox);
    const deliveries = await control(sandbox, "GET", "deliveries?state=delivered");
    const urls = new Map<string, string>(
      (await control(sandbox, "GET", "endpoints")).data.map((each) => [each.id, new URL(each.url).pathname]),
    );
    const types = new Map<string, string>(sandbox.events().map((event) => [event.id, event.type]));
    const went = deliveries.data.map((each) => `${types.get(each.event)} ${urls.get(each.endpoint)}`);
    expect(went.sort()).toEqual([
      "customer.created /webhooks/all",
      "customer.deleted /webhooks/live",
      "customer.tax_id.created /webhooks/account",
      "customer.updated /webhooks/account",
      "customer.updated /webhooks/connect",
    ]);
    const accounts = receiver.received.filter(({ event }) => event.type === "customer.updated");
    expect(accounts.map(({ event }) => event.account ?? "none").sort()).toEqual([ACCOUNT, "none"]);
  });

  it("is rendered in the endpoint's version, and thin for who asks for thin events", async () => {
    const [sandbox, receiver] = [await sandboxed(), await receiving()];
    await sandbox.stripe.webhookEndpoints.create({
      url: receiver.url,
      enabled_events: ["customer.created"],
      api_version: "2020-08-27",
    });
    const v2 = sandbox.client({ apiVersion: "2026-10-28.endive" });
    const destination = await v2.v2.core.eventDestinations.create({
      name: "thin",
      type: "webhook_endpoint",
      event_payload: "thin",
      enabled_events: ["v1.customer.updated"],
      webhook_endpoint: { url: receiver.url },
      include: ["webhook_endpoint.signing_secret", "webhook_endpoint.url"],
    });
    expect(destination).toMatchObject({ status: "enabled", webhook_endpoint: { url: receiver.url } });
    const after = { id: "cus_1", object: "customer", name: "Ada", address: { city: "Ulm", line1: "1" }, tags: [1, 2] };
    const before = { ...after, name: null, address: { city: "Bonn", line1: "1" }, tags: [1] };
    sandbox.world.run((tx) => tx.raise("customer.created", after, before));
    const id = raise(sandbox, "customer.updated");
    await receiver.got(2);
    const older = receiver.received.find(({ event }) => event.type === "customer.created");
    expect(older?.event).toMatchObject({ api_version: "2020-08-27" });
    expect(JSON.parse(older?.body ?? "").data).toEqual({
      object: after,
      previous_attributes: { name: null, address: { city: "Bonn" }, tags: [1] },
    });
    const thin = receiver.received.find(({ event }) => event.type === "v1.customer.updated");
    const secret = destination.webhook_endpoint?.signing_secret ?? "";
    const told = v2.parseEventNotification(thin?.body ?? "", thin?.headers["stripe-signature"] ?? "", secret);
    expect(told).toMatchObject({ type: "v1.customer.updated", livemode: false });
    const fetched = await v2.v2.core.events.retrieve(told.id);
    expect(fetched).toMatchObject({ id: told.id, object: "v2.core.event", snapshot_event: id });
    const listed = await v2.v2.core.events.list({ types: ["v1.customer.updated"] });
    expect(listed.data.map((each) => each.id)).toEqual([told.id]);
    await v2.v2.core.eventDestinations.disable(destination.id);
    expect((await v2.v2.core.eventDestinations.retrieve(destination.id)).status).toBe("disabled");
    await v2.v2.core.eventDestinations.del(destination.id);
    expect((await v2.v2.core.eventDestinations.list()).data).toEqual([]);
  });
});

describe("a delivery that fails", () => {
  it("is made again, signed anew, until the receiver answers with 2xx: redirects and errors are failures", async () => {
    const [sandbox, receiver] = [await sandboxed(), await receiving()];
    const { secret } = await sandbox.stripe.webhookEndpoints.create({ url: receiver.url, enabled_events: ["*"] });
    receiver.answer(500, 302, 400, 204);
    raise(sandbox);
    const got = [...(await receiver.got(4))];
    expect(await idle(sandbox)).toMatchObject({ idle: true });
    expect(got.map((each) => verified(each, secret ?? "").id)).toEqual(Array(4).fill(got[0]?.event.id));
    const { data } = await control(sandbox, "GET", "deliveries");
    expect(data).toMatchObject([{ state: "delivered", attempts: 4, last_status: 204, next_attempt_at: null }]);
  });

  it("is given up at the end of the schedule, and its event is listed as not delivered", async () => {
    const sandbox = await sandboxed({ retrySchedule: [0.01] });
    const [gone, receiver] = [await receiving(), await receiving()];
    await gone.close();
    await sandbox.stripe.webhookEndpoints.create({ url: gone.url, enabled_events: ["customer.created"] });
    await sandbox.stripe.webhookEndpoints.create({ url: receiver.url, enabled_events: ["customer.updated"] });
    const lost = raise(sandbox);
    const told = raise(sandbox, "customer.updated");
    expect(await idle(sandbox)).toMatchObject({ idle: true });
    const { data } = await control(sandbox, "GET", "deliveries?state=failed");
    expect(data).toMatchObject([{ event: lost, attempts: 2, last_status: null }]);
    const ids = async (delivery_success: boolean) =>
      (await sandbox.stripe.events.list({ delivery_success })).data.map(({ id }) => id);
    expect([await ids(false), await ids(true)]).toEqual([[lost], [told]]);
  });

  it("counts a receiver that never answers as a failure, and holds up no other endpoint", async () => {
    const sandbox = await sandboxed({ deliveryTimeoutMs: 2000, deliveryConcurrency: 2, retrySchedule: [0.01, 60] });
    const [silent, quick] = [await receiving(), await receiving()];
    silent.answer(null);
    for (const { url } of [silent, quick]) {
      await sandbox.stripe.webhookEndpoints.create({ url, enabled_events: ["*"] });
    }
    for (let event = 0; event < 10; event += 1) raise(sandbox);
    await quick.got(10);
    expect(silent.received.length).toBeLessThanOrEqual(2);
    await silent.got(4);
    expect(quick.received).toHaveLength(10);
  });

  it("runs on the clock that it is given", async () => {
    let now = 1_000_000;
    const sandbox = await sandboxed({ retrySchedule: "test", deliveryClock: () => now });
    const receiver = await receiving();
    await sandbox.stripe.webhookEndpoints.create({ url: receiver.url, enabled_events: ["*"] });
    receiver.answer(500);
    raise(sandbox);
    for (const [attempts, seconds] of [
      [1, 600],
      [2, 3600],
      [3, 3 * 3600],
    ] as const) {
      await receiver.got(attempts);
      await expect.poll(async () => (await control(sandbox, "GET", "deliveries")).data[0]?.attempts).toBe(attempts);
      now += seconds * 1000;
    }
    await receiver.got(4);
    expect(await idle(sandbox)).toMatchObject({ idle: true });
    expect((await control(sandbox, "GET", "deliveries")).data[0]).toMatchObject({ state: "failed", attempts: 4 });
  });

  it("waits while its endpoint is disabled, goes on when it is enabled, and ends when it is deleted", async () => {
    let now = 1_000_000;
    const sandbox = await sandboxed({ retrySchedule: [1, 1, 1, 60], deliveryClock: () => now });
    const receiver = await receiving();
    const failures = async () => (await control(sandbox, "GET", "deliveries?state=pending")).data[0]?.attempts;
    const { id } = await sandbox.stripe.webhookEndpoints.create({ url: receiver.url, enabled_events: ["*"] });
    receiver.answer(500, 200);
    raise(sandbox);
    await receiver.got(1);
    await expect.poll(failures).toBe(1);
    await sandbox.stripe.webhookEndpoints.update(id, { disabled: true });
    now += 1000;
    await expect.poll(async () => (await idle(sandbox)).deliveries.parked).toBe(1);
    expect(receiver.received).toHaveLength(1);
    await sandbox.stripe.webhookEndpoints.update(id, { disabled: false });
    await receiver.got(2);
    await idle(sandbox);
    receiver.answer(500);
    raise(sandbox);
    await receiver.got(3);
    await expect.poll(failures).toBe(1);
    expect(await sandbox.stripe.webhookEndpoints.del(id)).toMatchObject({ id, deleted: true });
    expect(await idle(sandbox)).toMatchObject({ idle: true });
    expect((await control(sandbox, "GET", "deliveries?state=failed")).data).toHaveLength(1);
  });

  it("goes on after a restart", async () => {
    const folder = mkdtempSync(join(tmpdir(), "sandbox-delivery-"));
    try {
      const port = await freePort();
      const before = await openSandbox({ folder, retrySchedule: [2, 2, 2] });
      const url = `http://127.0.0.1:${port}/webhooks`;
      const { secret } = await before.stripe.webhookEndpoints.create({ url, enabled_events: ["*"] });
      const id = raise(before);
      await expect.poll(async () => (await control(before, "GET", "deliveries")).data[0]?.attempts).toBe(1);
      await before.close();
      const receiver = await receiving(port);
      const after = await sandboxed({ folder });
      const [got] = await receiver.got(1);
      expect(verified(got, secret ?? "").id).toBe(id);
      await idle(after);
      expect((await after.stripe.events.retrieve(id)).pending_webhooks).toBe(0);
    } finally {
      for (const close of closing.splice(0).reverse()) await close();
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

describe("on request", () => {
  it("an event is sent again, to one endpoint or to all that take it", async () => {
    const [sandbox, one, other] = [await sandboxed(), await receiving(), await receiving()];
    const { id: endpoint } = await sandbox.stripe.webhookEndpoints.create({ url: one.url, enabled_events: ["*"] });
    const id = raise(sandbox);
    await one.got(1);
    await idle(sandbox);
    await sandbox.stripe.webhookEndpoints.create({ url: other.url, enabled_events: ["*"] });
    await control(sandbox, "POST", `events/${id}/resend`);
    await Promise.all([one.got(2), other.got(1)]);
    const answer = await sandbox.call("POST", `/v1/events/${id}/retry`, `webhook_endpoint=${endpoint}`);
    expect(answer.json).toMatchObject({ id, object: "event" });
    await one.got(3);
    expect(await idle(sandbox)).toMatchObject({ idle: true });
    expect([one.received.length, other.received.length]).toEqual([3, 1]);
    expect(one.received.every(({ event }) => event.id === id)).toBe(true);
    expect((await sandbox.stripe.events.retrieve(id)).pending_webhooks).toBe(0);
    expect((await sandbox.call("POST", `/v1/events/${id}/retry`, "webhook_endpoint=we_none")).status).toBe(400);
  });

  it("an endpoint has the secret it was registered with, once however often; a rolled one signs on beside the new", async () => {
    const [sandbox, receiver] = [await sandboxed(), await receiving()];
    const wanted = { url: receiver.url, secret: "whsec_given_by_the_test", connect: false };
    const first = await control(sandbox, "POST", "endpoints", wanted);
    expect(await control(sandbox, "POST", "endpoints", wanted)).toEqual(first);
    expect((await control(sandbox, "POST", "endpoints", { ...wanted, connect: true })).id).not.toBe(first.id);
    const { secret } = await control(sandbox, "POST", `endpoints/${first.id}/roll`, { expires_in: 3600 });
    raise(sandbox);
    const [got] = await receiver.got(1);
    expect(got?.headers["stripe-signature"]?.toString().match(/v1=/g)).toHaveLength(2);
    for (const each of [secret, wanted.secret]) expect(verified(got, each).type).toBe("customer.created");
  });
});

describe("the list of events", () => {
  it("is filtered by type, types and time, newest first, and refuses what Stripe refuses", async () => {
    const sandbox = await sandboxed();
    for (const type of ["customer.created", "customer.updated", "invoice.paid", "invoice.created"])
      raise(sandbox, type);
    const types = async (given: Stripe.EventListParams) =>
      (await sandbox.stripe.events.list(given)).data.map(({ type }) => type);
    expect(await types({ limit: 2 })).toEqual(["invoice.created", "invoice.paid"]);
    expect(await types({ type: "customer.*" })).toEqual(["customer.updated", "customer.created"]);
    expect(await types({ types: ["invoice.paid", "customer.created"] })).toEqual(["invoice.paid", "customer.created"]);
    expect(await types({ created: { gt: sandbox.world.now() + 10 } })).toEqual([]);
    await expect(types({ types: Array<string>(21).fill("invoice.paid") })).rejects.toMatchObject({ param: "types" });
    await expect(types({ type: "a", types: ["b"] })).rejects.toMatchObject({ type: "StripeInvalidRequestError" });
    await expect(sandbox.stripe.events.retrieve("evt_none")).rejects.toMatchObject({ code: "resource_missing" });
  });

  it("is forgotten after thirty days, with its deliveries", async () => {
    const folder = mkdtempSync(join(tmpdir(), "sandbox-delivery-"));
    let now = 1_800_000_000;
    const clock = () => now;
    const receiver = await receiving();
    const before = await openSandbox({ folder, clock });
    await before.stripe.webhookEndpoints.create({ url: receiver.url, enabled_events: ["*"] });
    raise(before);
    await idle(before);
    now += 20 * 86_400;
    const young = raise(before);
    await idle(before);
    await before.close();
    now += 15 * 86_400;
    const after = await openSandbox({ folder, clock });
    expect(after.events().map(({ id }) => id)).toEqual([young]);
    expect((await control(after, "GET", "deliveries")).data).toHaveLength(1);
    await after.close();
    rmSync(folder, { recursive: true });
  });
});

it("a webhook endpoint is listed, changed and refused as at Stripe", async () => {
  const sandbox = await sandboxed();
  const { webhookEndpoints } = sandbox.stripe;
  const made = await webhookEndpoints.create({
    url: "https://example.com/a",
    enabled_events: ["charge.failed"],
    metadata: { a: "b" },
    description: "first",
  });
  expect(await webhookEndpoints.retrieve(made.id)).not.toHaveProperty("secret");
  expect((await webhookEndpoints.list()).data).toHaveLength(1);
  const changed = await webhookEndpoints.update(made.id, {
    enabled_events: ["*"],
    disabled: true,
    metadata: { a: "" },
  });
  expect(changed).toMatchObject({ enabled_events: ["*"], status: "disabled", metadata: {}, description: "first" });
  const create = (given: object) => webhookEndpoints.create({ url: "x.example", enabled_events: ["*"], ...given });
  await expect(create({})).rejects.toMatchObject({ param: "url", code: "url_invalid" });
  await expect(create({ url: "https://x.example", enabled_events: ["setup_intent.failed"] })).rejects.toMatchObject({
    param: "enabled_events[0]",
  });
  await expect(webhookEndpoints.retrieve("we_none")).rejects.toMatchObject({
    code: "resource_missing",
    statusCode: 404,
  });
});
