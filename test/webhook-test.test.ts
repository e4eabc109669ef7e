// The test of a tenant's webhook, over HTTP on both databases: what is sent, what is told, and where it does not go.
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";

import { Webhook } from "standardwebhooks";
import Stripe from "stripe";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";

import { verifyWebhook } from "../kit/verify/verify.ts";
import { EVENT_API_VERSION } from "../src/outbox/event-objects.ts";
import { type Door, openDoor } from "./support/api-door.ts";
import { registerTenant, send, type TestTenant } from "./support/people.ts";
import { BOTH } from "./support/pipe.ts";
import { openReceiver } from "./support/webhook-receiver.ts";

const TEST = "/api/v1/auth/tenants/webhooks/test/";
const CONFIG = "/api/v1/auth/tenants/webhooks/config/";

describe.each(BOTH)("a test webhook, %s database", (kind) => {
  let door: Door;
  const closing: (() => Promise<unknown>)[] = [];
  beforeAll(async () => {
    door = await openDoor(kind);
  });
  afterEach(async () => {
    for (const close of closing.splice(0)) await close();
  });
  afterAll(async () => door.close());

  /** A tenant whose webhook is there. */
  async function tenantAt(url: string): Promise<TestTenant & { secret: string }> {
    const tenant = await registerTenant(door);
    const body = { webhook_url: url, regenerate_secret: true };
    const { json } = await send(door, "POST", CONFIG, { token: tenant.access, body });
    return { ...tenant, secret: String(json.webhook_secret) };
  }

  const test = ({ access }: TestTenant, body?: unknown) => send(door, "POST", TEST, { token: access, body });

  async function serving(answer: RequestListener): Promise<string> {
    const server: Server = createServer(answer);
    await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
    closing.push(async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    });
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
  }

  async function receiving() {
    const receiver = await openReceiver();
    closing.push(() => receiver.close());
    return receiver;
  }

  it("is sent signed like any delivery, and told with what came back, as the seed document has it", async () => {
    const receiver = await receiving();
    const tenant = await tenantAt(receiver.url);
    const test_data = { message: "This is a test", timestamp: "2025-12-08T14:00:00Z" };
    const { status, json } = await test(tenant, { event_type: "test.event", test_data });
    const [received] = await receiver.got(1);
    expect([status, json]).toEqual([
      200,
      {
        message: "Test webhook sent successfully",
        webhook_url: receiver.url,
        status_code: 200,
        response_time_ms: expect.any(Number),
        response_body: "thanks",
        success: true,
        event_sent: JSON.parse(received?.body ?? ""),
        request: {
          ...{ method: "POST", url: receiver.url, body: received?.body },
          headers: expect.any(Object),
        },
        response: { status_code: 200, headers: expect.any(Object), body: "thanks" },
      },
    ]);
    const sent = Object.entries((json.request as { headers: Record<string, string> }).headers);
    // Names are written in either case: Node's receiver has them in lower case.
    expect(Object.fromEntries(sent.map(([name, value]) => [name.toLowerCase(), value]))).toEqual(received?.headers);
    expect(JSON.stringify(json.request)).not.toContain(tenant.secret);
    expect(json.event_sent).toEqual({
      id: expect.stringMatching(/^evt_test_\d{10}\.\d{3}$/),
      object: "event",
      api_version: EVENT_API_VERSION,
      type: "test.event",
      created: expect.any(Number),
      data: { object: test_data },
      livemode: false,
      tenant: { id: tenant.id, company_name: expect.any(String) },
    });
    const { body = "", headers = {} } = received ?? {};
    const [own, all] = [String(headers["x-webhook-signature"]), headers as Record<string, string>];
    expect(new Stripe("sk_test_1").webhooks.constructEvent(body, own, tenant.secret)).toEqual(json.event_sent);
    expect(new Webhook(tenant.secret).verify(body, all)).toEqual(json.event_sent);
    const { api_version: version }: { api_version: string } = await verifyWebhook({
      ...{ body, headers, secret: tenant.secret },
    });
    expect(version).toBe(EVENT_API_VERSION);
    expect([headers["webhook-id"], own.split(",v1=").length]).toEqual([expect.stringMatching(/^msg_/), 3]);
  });

  it("is `test.webhook` with a sample object where nothing is said, with or without a body", async () => {
    const receiver = await receiving();
    const tenant = await tenantAt(receiver.url);
    for (const body of [undefined, {}, { event_type: undefined }]) {
      const { status, json } = await test(tenant, body);
      expect([status, json]).toMatchObject([200, { success: true, event_sent: { type: "test.webhook" } }]);
      expect(json).toMatchObject({ event_sent: { data: { object: { message: "This is a test webhook" } } } });
    }
  });

  it("goes to the endpoint that is named, signed with its secret, and to none that the caller does not see", async () => {
    const [first, second] = [await receiving(), await receiving()];
    const [tenant, other] = [await tenantAt(first.url), await tenantAt(first.url)];
    const body = { url: second.url };
    const { json } = await send(door, "POST", "/api/v1/webhook-endpoints/", { token: tenant.access, body });
    const endpoint_id = String(json.id);
    const answer = await test(tenant, { endpoint_id });
    expect([answer.status, answer.json]).toMatchObject([200, { success: true, webhook_url: second.url }]);
    const [received] = await second.got(1);
    const headers = received?.headers as Record<string, string>;
    expect(new Webhook(String(json.secret)).verify(received?.body ?? "", headers)).toEqual(answer.json.event_sent);
    const refused = [
      await test(other, { endpoint_id }),
      await test(tenant, { endpoint_id: "whe_none" }),
      await send(door, "POST", TEST, { token: tenant.keys.live_secret, body: { endpoint_id } }),
    ];
    expect(refused.map(({ status, json: { code } }) => [status, code])).toEqual(refused.map(() => [404, "not_found"]));
    expect([first.received.length, second.received.length]).toEqual([0, 1]);
  });

  it("leaves nothing behind: no event, no delivery", async () => {
    const receiver = await receiving();
    const tenant = await tenantAt(receiver.url);
    const kept = async () => {
      const { rows } = await door.pipe.database.query<{ events: number; deliveries: number }>({
        text: `select (select count(*) from events where tenant_id = $1) as events,
                      (select count(*) from deliveries where tenant_id = $1) as deliveries`,
        values: [tenant.id],
      });
      return rows[0];
    };
    const before = await kept();
    await test(tenant);
    expect([receiver.received.length, await kept()]).toEqual([1, before]);
  });

  it("takes data that nests as deep as anything is stored, and says of deeper data what to do", async () => {
    const receiver = await receiving();
    const tenant = await tenantAt(receiver.url);
    const headers = { authorization: `Bearer ${tenant.access}`, "content-type": "application/json" };
    const told: unknown[] = [];
    for (const levels of [150, 300, 5000]) {
      const body = `{"test_data":${'{"a":'.repeat(levels)}1${"}".repeat(levels)}}`;
      const answer = await fetch(door.url + TEST, { method: "POST", headers, body });
      const { code, message } = (await answer.json()) as { code?: string; message: string };
      told.push([answer.status, code, message]);
    }
    const refused = [400, "invalid_request", expect.stringContaining("nests deeper than 200 levels")];
    expect(told).toEqual([[200, undefined, expect.any(String)], refused, refused]);
    expect(receiver.received).toHaveLength(1);
  });

  it("is no success when the receiver answers anything but 2xx, and its redirect is not followed", async () => {
    const receiver = await receiving();
    const tenant = await tenantAt(receiver.url);
    for (const status of [302, 400, 404, 410, 500, 503]) {
      receiver.answer(status);
      const answer = await test(tenant);
      expect([answer.status, answer.json]).toMatchObject([
        200,
        {
          success: false,
          status_code: status,
          response_body: "thanks",
          error: expect.stringContaining(String(status)),
        },
      ]);
    }
    expect(receiver.received).toHaveLength(6);
    const { json } = await send(door, "GET", CONFIG, { token: tenant.access });
    expect(json).toMatchObject({ configured: true, webhook_url: receiver.url });
  });

  it("is no success when the receiver cannot be reached or resolved, or has moved inside", async () => {
    const receiver = await openReceiver();
    await receiver.close();
    for (const [url, error] of [
      [receiver.url, "refused"],
      ["https://nobody.invalid/", "resolved"],
    ] as const) {
      const { status, json } = await test(await tenantAt(url));
      expect([status, json]).toMatchObject([200, { success: false, status_code: null, response_body: null }]);
      expect(json.error).toContain(error);
    }
    const tenant = await tenantAt("https://example.com/hook");
    await door.pipe.database.query({
      text: "update webhook_endpoints set url = 'https://169.254.169.254/latest' where tenant_id = $1",
      values: [tenant.id],
    });
    expect((await test(tenant)).json).toMatchObject({
      success: false,
      error: expect.stringContaining("public address"),
    });
  });

  it("shows the first KiB of the answer, cut between two characters", async () => {
    const url = await serving((_, response) => response.end(`a${"ü".repeat(3000)}`));
    const { json } = await test(await tenantAt(url));
    expect(json.response_body).toBe(`a${"ü".repeat(511)}`);
  });

  it("is refused with 400 where there is no URL, and for what is no type or object", async () => {
    const tenant = await registerTenant(door);
    expect(await test(tenant)).toMatchObject({ status: 400, json: { code: "webhook_not_configured" } });
    for (const body of [
      { event_type: "" },
      { event_type: "a b" },
      { event_type: "x".repeat(101) },
      { event_type: 1 },
      { test_data: [] },
      { test_data: "text" },
      { other: 1 },
      [],
    ]) {
      expect(await test(tenant, body), JSON.stringify(body)).toMatchObject({
        status: 400,
        json: { code: "invalid_request" },
      });
    }
  });

  it("is limited to 20 a minute for a tenant, and another tenant's are its own", async () => {
    const [tenant, other] = [await registerTenant(door), await registerTenant(door)];
    const statuses: number[] = [];
    for (let round = 0; round < 21; round += 1) statuses.push((await test(tenant)).status);
    expect(statuses).toEqual([...Array.from({ length: 20 }, () => 400), 429]);
    expect((await test(tenant)).headers.get("retry-after")).toMatch(/^\d+$/);
    expect((await test(other)).status).toBe(400);
  });

  it("is 408 when there is no whole answer within ten seconds, also where it drips", async () => {
    const silent = await receiving();
    silent.answer(null);
    const dripping = await serving((_, response) => {
      response.writeHead(200);
      const timer = setInterval(() => response.write("."), 1_000);
      response.on("close", () => clearInterval(timer));
    });
    const tenants = [await tenantAt(silent.url), await tenantAt(dripping)];
    const began = performance.now();
    const answers = await Promise.all(tenants.map((tenant) => test(tenant)));
    const seconds = (performance.now() - began) / 1000;
    expect(seconds).toBeGreaterThanOrEqual(9.99);
    expect(seconds).toBeLessThan(15);
    for (const [index, { status, json }] of answers.entries()) {
      expect([status, json]).toEqual([
        408,
        {
          error: "Webhook request timed out",
          code: "webhook_timed_out",
          message: "Your webhook endpoint did not respond within 10 seconds",
          webhook_url: [silent.url, dripping][index],
          request_id: expect.any(String),
        },
      ]);
    }
  }, 30_000);
});
