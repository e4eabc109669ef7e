// Webhook endpoints over HTTP, on both databases: made, changed, given new secrets, enabled, disabled, deleted; by whom, in
// which mode, and told in the audit log.
import { createPublicKey, verify } from "node:crypto";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { keyRing } from "../src/base/key-ring.ts";
import { newId } from "../src/base/ids.ts";
import { Secret } from "../src/base/secret.ts";
import { fanOutTo } from "../src/outbox/delivery-tables.ts";
import { openSecrets } from "../src/outbox/endpoint-secrets.ts";
import { deliverySettings, type EndpointKey, noteOutcomes } from "../src/outbox/endpoint-table.ts";
import { publishEvents } from "../src/outbox/event-table.ts";
import { signatureHeaders } from "../src/outbox/webhook-signature.ts";
import { type Answer, type Door, openDoor, SECRET_KEY, type Wire } from "./support/api-door.ts";
import { addMember, auditOf, registerTenant, send, type TestTenant } from "./support/people.ts";
import { BOTH } from "./support/pipe.ts";

const ENDPOINTS = "/api/v1/webhook-endpoints/";
const RING = keyRing([new Secret(SECRET_KEY)]);
const URL = "https://hooks.example/in";
const TIME = /^\d{4}-\d\d-\d\dT[\d:.]+Z$/;

describe.each(BOTH)("webhook endpoints, %s database", (kind) => {
  let door: Door;
  beforeAll(async () => {
    const wide = { tries: 100_000, seconds: 60 };
    const limit = { address: wide, source: wide };
    door = await openDoor(kind, {
      deps: { tryLimits: { sign_in: limit, reset: limit, invitation: limit, registration: limit, token: limit } },
    });
  });
  afterAll(async () => door.close());

  const post = async (token: string, path = "", body?: unknown, headers: Record<string, string> = {}) =>
    send(door, "POST", `${ENDPOINTS}${path}`, { token, body, headers });
  const get = async (token: string, path = "") => send(door, "GET", `${ENDPOINTS}${path}`, { token });
  const patch = async (token: string, id: string, body: unknown) =>
    send(door, "PATCH", `${ENDPOINTS}${id}/`, { token, body });
  const remove = async (token: string, id: string) => send(door, "DELETE", `${ENDPOINTS}${id}/`, { token });
  const made = async (token: string, body: object = {}): Promise<Wire & { id: string; secret: string }> =>
    (await post(token, "", { url: URL, ...body })).json as Wire & { id: string; secret: string };
  const firstOf = async (tenant: TestTenant): Promise<string> => {
    const listed = (await get(tenant.access)).json.data as Wire[];
    return String(listed.find(({ first }) => first === true)?.id);
  };
  const refusal = ({ status, json }: Answer): unknown[] => [status, json.code, json.param];
  const signing = async (key: EndpointKey): Promise<string[]> => {
    const [found] = await deliverySettings(door.pipe.database, [key.id]);
    return found === undefined ? [] : openSecrets(RING, found, Date.now()).secrets;
  };
  /** A delivery of a new event that waits for this endpoint. */
  const waiting = async ({ tenantId, id }: EndpointKey): Promise<string> => {
    const objectId = newId("acc");
    await door.pipe.database.transaction(async (tx) =>
      publishEvents(tx, [
        {
          ...{ tenantId, livemode: false, type: "credit.granted", objectType: "account", objectId, object: {} },
          created: new Date(),
        },
      ]),
    );
    const { rows } = await door.pipe.database.query<{ id: string }>({
      text: "select id from events where object_id = $1",
      values: [objectId],
    });
    const place = { tenantId, livemode: false, endpointId: id };
    await fanOutTo(door.pipe.database, place, [rows[0]?.id ?? ""], { again: false });
    return rows[0]?.id ?? "";
  };
  const statusesFor = async ({ id }: EndpointKey): Promise<string[]> => {
    const { rows } = await door.pipe.database.query<{ status: string }>({
      text: `select status || case when exists (select from delivery_queue where delivery_id = deliveries.id) then ', queued' else '' end as status
             from deliveries where endpoint_id = $1`,
      values: [id],
    });
    return rows.map(({ status }) => status);
  };

  it("an endpoint is made with all that was said of it, and its secret is shown whole this once", async () => {
    const { access } = await registerTenant(door);
    const body = {
      url: "https://hooks.example/in?source=billhook",
      enabled_events: ["invoice.*", "customer.created", "invoice.*"],
      livemode: null,
      description: "Accounting",
      ordering: "per_object",
    };
    const answer = await post(access, "", body);
    expect([answer.status, answer.json]).toEqual([
      201,
      {
        ...body,
        enabled_events: ["invoice.*", "customer.created"],
        id: expect.stringMatching(/^whe_[0-9a-z]{26}$/) as string,
        object: "webhook_endpoint",
        ...{ first: false, status: "enabled", disabled_reason: null, disabled_at: null, failing_since: null },
        secret: expect.stringMatching(/^whsec_[A-Za-z0-9+/]{43}=$/) as string,
        ...{ previous_secrets_until: [], signature: "v1", public_key: null },
        ...{ created_at: expect.stringMatching(TIME) as string, updated_at: expect.stringMatching(TIME) as string },
      },
    ]);
    const { secret, id } = answer.json as { secret: string; id: string };
    const masked = { ...answer.json, secret: `whsec_****...${secret.slice(-4)}` };
    expect((await get(access, `${id}/`)).json).toEqual(masked);
    expect(((await get(access)).json.data as Wire[])[0]).toEqual(masked);
  });

  it("takes every event of the caller's mode, in any order, where nothing else is said", async () => {
    const { access, keys } = await registerTenant(door);
    const plain = { enabled_events: ["*"], ordering: "none", description: null, signature: "v1" };
    expect(await made(access)).toMatchObject({ ...plain, livemode: false });
    expect(await made(keys.live_secret)).toMatchObject({ ...plain, livemode: true });
  });

  it("names event types that are not there, in one sentence", async () => {
    const { access } = await registerTenant(door);
    const answer = await post(access, "", { url: URL, enabled_events: ["invoice.paid", "invoice.pay", "foo.*"] });
    expect(refusal(answer)).toEqual([400, "invalid_request", "enabled_events"]);
    expect(String(answer.json.message)).toContain('no event types for "invoice.pay", "foo.*"');
    for (const enabled_events of [[], ["**"], ["in*"], [""], [5], "*"]) {
      expect([enabled_events, (await post(access, "", { url: URL, enabled_events })).status]).toEqual([
        enabled_events,
        400,
      ]);
    }
  });

  it.each([
    "http://hooks.example/in",
    "https://10.0.0.1/",
    "https://0x7f.1.example@192.168.0.1/",
    "https://[fd00::1]/",
    "javascript:alert(1)",
    "https://hooks.example:22/",
    `https://hooks.example/${"a".repeat(2100)}`,
  ])("refuses %s as a url, when it is made and when it is changed", async (url) => {
    const { access } = await registerTenant(door);
    expect(refusal(await post(access, "", { url }))).toEqual([400, "invalid_request", "url"]);
    const { id } = await made(access);
    expect(refusal(await patch(access, id, { url }))).toEqual([400, "invalid_request", "url"]);
    expect((await get(access, `${id}/`)).json.url).toBe(URL);
  });

  it("changes what is named and leaves the rest; an unknown field is refused", async () => {
    const { access } = await registerTenant(door);
    const before = await made(access, { description: "Old" });
    const changed = await patch(access, before.id, {
      url: "https://hooks.example/other",
      enabled_events: ["refund.*"],
    });
    expect([changed.status, changed.json]).toEqual([
      200,
      {
        ...before,
        ...{ url: "https://hooks.example/other", enabled_events: ["refund.*"] },
        secret: `whsec_****...${before.secret.slice(-4)}`,
        updated_at: expect.stringMatching(TIME) as string,
      },
    ]);
    expect((await patch(access, before.id, { description: null })).json).toMatchObject({ description: null });
    expect((await patch(access, before.id, { status: "disabled" })).status).toBe(400);
    expect(refusal(await patch(access, before.id, { url: null }))).toEqual([400, "invalid_request", "url"]);
  });

  it("keeps an old secret signing for its grace, several at once, and none with a grace of 0", async () => {
    const { access, id: tenantId } = await registerTenant(door);
    const { id, secret } = await made(access);
    const key = { tenantId, id };
    const second = await post(access, `${id}/rotate-secret/`);
    const third = await post(access, `${id}/rotate-secret/`, { grace_seconds: 3600 });
    expect([second.status, third.status]).toEqual([200, 200]);
    expect(await signing(key)).toEqual([third.json.secret, second.json.secret, secret]);
    const [soon, later] = (third.json.previous_secrets_until as string[]).map((time) => Date.parse(time) - Date.now());
    expect(soon).toBeLessThanOrEqual(3_600_000);
    expect(later).toBeGreaterThan(86_000_000);
    const last = await post(access, `${id}/rotate-secret/`, { grace_seconds: 0 });
    expect(await signing(key)).toEqual([last.json.secret]);
    for (const grace_seconds of [-1, 604_801, 1.5, "day"]) {
      expect((await post(access, `${id}/rotate-secret/`, { grace_seconds })).status).toBe(400);
    }
  });

  it("refuses a sixth secret while five old ones are valid, and takes a grace of 0 even then", async () => {
    const { access } = await registerTenant(door);
    const { id } = await made(access);
    for (let rotation = 0; rotation < 5; rotation += 1) await post(access, `${id}/rotate-secret/`);
    expect(refusal(await post(access, `${id}/rotate-secret/`))).toEqual([409, "too_many_secrets", undefined]);
    expect((await post(access, `${id}/rotate-secret/`, { grace_seconds: 0 })).status).toBe(200);
  });

  it("signs with ed25519 too where that was asked for: the public key that is shown verifies it", async () => {
    const { access } = await registerTenant(door);
    const { id, public_key: shown } = await made(access, { signature: "v1a" });
    expect(shown).toMatch(/^whpk_[A-Za-z0-9+/]{43}=$/);
    const [settings] = await deliverySettings(door.pipe.database, [id]);
    if (settings === undefined) throw new Error("no endpoint");
    const headers = signatureHeaders({
      id: "msg_1",
      timestamp: 1,
      body: "{}",
      ...openSecrets(RING, settings, Date.now()),
    });
    const signed = /v1a,(\S+)/.exec(headers["webhook-signature"] ?? "")?.[1] ?? "";
    const x = Buffer.from(String(shown).slice(5), "base64").toString("base64url");
    const key = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
    expect(verify(null, Buffer.from("msg_1.1.{}"), key, Buffer.from(signed, "base64"))).toBe(true);
    expect((await patch(access, id, { description: "same key" })).json.public_key).toBe(shown);
    expect((await patch(access, id, { signature: "v1" })).json).toMatchObject({ signature: "v1", public_key: null });
  });

  it("is disabled and enabled again: what waits for it is canceled, and what it failed is forgotten", async () => {
    const { access, id: tenantId } = await registerTenant(door);
    const { id } = await made(access);
    await waiting({ tenantId, id });
    await noteOutcomes(door.pipe.database, [{ tenantId, endpointId: id, failedAt: new Date() }]);
    expect((await get(access, `${id}/`)).json.failing_since).toMatch(TIME);
    const disabled = await post(access, `${id}/disable/`);
    expect(disabled.json).toMatchObject({ status: "disabled", disabled_reason: "by_tenant" });
    expect(disabled.json.disabled_at).toMatch(TIME);
    expect((await post(access, `${id}/disable/`)).json).toEqual(disabled.json);
    expect(await statusesFor({ tenantId, id })).toEqual(["canceled"]);
    for (const time of [1, 2]) {
      const { status, json } = await post(access, `${id}/enable/`);
      expect([time, status, json]).toMatchObject([
        ...[time, 200],
        { status: "enabled", disabled_reason: null, disabled_at: null, failing_since: null },
      ]);
    }
  });

  it("is deleted with what waits for it; its past deliveries stay", async () => {
    const { access, id: tenantId } = await registerTenant(door);
    const { id } = await made(access);
    await waiting({ tenantId, id });
    const answer = await remove(access, id);
    expect([answer.status, answer.json]).toEqual([200, { id, object: "webhook_endpoint", deleted: true }]);
    expect(await statusesFor({ tenantId, id })).toEqual(["canceled"]);
    for (const again of [await get(access, `${id}/`), await remove(access, id), await post(access, `${id}/enable/`)]) {
      expect(refusal(again)).toEqual([404, "not_found", undefined]);
    }
  });

  it("the first endpoint stays, takes both modes, and may be without a url", async () => {
    const tenant = await registerTenant(door);
    const id = await firstOf(tenant);
    expect((await get(tenant.access, `${id}/`)).json).toMatchObject({ livemode: null, url: null, first: true });
    expect(refusal(await remove(tenant.access, id))).toEqual([409, "first_endpoint", undefined]);
    expect(refusal(await patch(tenant.access, id, { livemode: true }))).toEqual([409, "first_endpoint", "livemode"]);
    await patch(tenant.access, id, { url: URL });
    await waiting({ tenantId: tenant.id, id });
    expect((await patch(tenant.access, id, { url: null })).json).toMatchObject({ url: null });
    expect(await statusesFor({ tenantId: tenant.id, id })).toEqual(["canceled"]);
  });

  it("a key sees what takes its mode's events, and makes endpoints of its own mode alone", async () => {
    const tenant = await registerTenant(door);
    const { live_secret: live, test_secret: test } = tenant.keys;
    const first = await firstOf(tenant);
    const [ofLive, ofTest] = [(await made(live)).id, (await made(test)).id];
    const seen = async (token: string) => ((await get(token)).json.data as Wire[]).map(({ id }) => id);
    expect(await seen(live)).toEqual([ofLive, first]);
    expect(await seen(test)).toEqual([ofTest, first]);
    expect(await seen(tenant.access)).toEqual([ofTest, ofLive, first]);
    expect((await get(test, `${ofLive}/`)).status).toBe(404);
    expect((await remove(live, ofTest)).status).toBe(404);
    for (const livemode of [true, null]) {
      expect(refusal(await post(test, "", { url: URL, livemode }))).toEqual([400, "invalid_request", "livemode"]);
    }
    expect(refusal(await patch(live, ofLive, { livemode: null }))).toEqual([400, "invalid_request", "livemode"]);
  });

  it("a test key does not change what live events go through", async () => {
    const tenant = await registerTenant(door);
    const { live_secret: live, test_secret: test } = tenant.keys;
    const id = await firstOf(tenant);
    for (const answer of [
      await patch(test, id, { url: "https://evil.example/" }),
      await post(test, `${id}/rotate-secret/`),
      await post(test, `${id}/disable/`),
      await post(test, `${id}/enable/`),
      await remove(test, id),
    ]) {
      expect(refusal(answer)).toEqual([403, "forbidden", undefined]);
    }
    expect((await patch(live, id, { url: URL })).status).toBe(200);
  });

  it("belongs to its tenant alone: another's is 404, for its owner, its admin and its keys", async () => {
    const [one, other] = [await registerTenant(door), await registerTenant(door)];
    const { id } = await made(one.access);
    for (const token of [other.access, other.keys.test_secret, (await addMember(door, other, "admin")).access]) {
      const answers = [
        await get(token, `${id}/`),
        await patch(token, id, { url: "https://evil.example/" }),
        await remove(token, id),
        await post(token, `${id}/rotate-secret/`),
        await post(token, `${id}/disable/`),
        await get(token, `${id}/stats/`),
        await post(token, `${id}/recover/`, { since: "2026-01-01" }),
      ];
      expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 404));
      expect(((await get(token)).json.data as Wire[]).map(({ first }) => first)).toEqual([true]);
    }
    expect((await get(one.access, `${id}/`)).json).toMatchObject({ url: URL, status: "enabled" });
  });

  it("one Idempotency-Key makes one endpoint, also when the first run's answer was lost", async () => {
    const tenant = await registerTenant(door);
    const key = { "idempotency-key": "endpoint-1" };
    const first = await post(tenant.access, "", { url: URL }, key);
    // As after a crash between the commit and the answer: the claim is there, and its answer is not.
    await door.pipe.database.query({
      text: "update kept_answers set status = null, answer = null, leased_until = now() where tenant_id = $1",
      values: [tenant.id],
    });
    const again = await post(tenant.access, "", { url: URL }, key);
    expect([again.status, again.json]).toEqual([201, first.json]);
    expect((await get(tenant.access)).json.data).toHaveLength(2);
  });

  it("there are 50 at most, also when many are made at once", async () => {
    const { access } = await registerTenant(door);
    for (let count = 1; count < 47; count += 1) await made(access);
    const answers = await Promise.all(Array.from({ length: 8 }, async () => post(access, "", { url: URL })));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 201, 201, 409, 409, 409, 409, 409]);
    expect(answers.find(({ status }) => status === 409)?.json.code).toBe("endpoint_limit");
    const page = (await get(access, "?limit=30")).json;
    const rest = (await get(access, `?limit=30&cursor=${String(page.next_cursor)}`)).json;
    const ids = [...(page.data as Wire[]), ...(rest.data as Wire[])].map(({ id }) => id);
    expect([new Set(ids).size, page.has_more, rest.has_more]).toEqual([50, true, false]);
  });

  it("tells each change in the audit log with what it was before, never a secret", async () => {
    const tenant = await registerTenant(door);
    const { id, secret } = await made(tenant.access, { signature: "v1a" });
    await patch(tenant.keys.test_secret, id, { url: "https://hooks.example/b", enabled_events: ["refund.*"] });
    await patch(tenant.access, id, { url: "https://hooks.example/b" });
    await post(tenant.access, `${id}/rotate-secret/`, { grace_seconds: 60 });
    await post(tenant.access, `${id}/disable/`);
    await post(tenant.access, `${id}/enable/`);
    await remove(tenant.access, id);
    const told = (await auditOf(door, tenant)).filter(({ target }) => target === id).reverse();
    const full = {
      ...{ url: URL, description: null, enabled_events: ["*"], livemode: false, ordering: "none" },
      ...{ status: "enabled", disabled_reason: null, ed25519: true },
    };
    const b = { url: "https://hooks.example/b", enabled_events: ["refund.*"] };
    const off = { status: "disabled", disabled_reason: "by_tenant" };
    const on = { status: "enabled", disabled_reason: null };
    expect(told.map(({ action, actor, before, after }) => [action, (actor as Wire).kind, before, after])).toEqual([
      ["webhook_endpoint.created", "person", null, full],
      ["webhook_endpoint.updated", "key", { url: URL, enabled_events: ["*"] }, b],
      ["webhook_endpoint.secret_rotated", "person", null, { grace_seconds: 60 }],
      ["webhook_endpoint.disabled", "person", on, off],
      ["webhook_endpoint.enabled", "person", off, on],
      ["webhook_endpoint.deleted", "person", { ...full, ...b }, null],
    ]);
    expect(JSON.stringify(told)).not.toContain(secret.slice(6));
  });

  it("counts how its deliveries go", async () => {
    const { access, id: tenantId } = await registerTenant(door);
    const { id } = await made(access);
    const eventId = await waiting({ tenantId, id });
    const { status, json } = await get(access, `${id}/stats/`);
    expect([status, json]).toEqual([
      200,
      {
        ...{ endpoint_id: id, livemode: false, since: expect.stringMatching(TIME) as string },
        deliveries: { delivered: 0, failed: 0, canceled: 0, pending: 1 },
        attempts: { succeeded: 0, failed: 0 },
        ...{ latency_ms: { p50: null, p95: null }, counts_are_partial: false },
        oldest_pending_age_seconds: expect.any(Number) as number,
      },
    ]);
    await door.pipe.database.query({
      text: `insert into delivery_attempts (tenant_id, livemode, delivery_id, id, attempt, at, url, request_headers, status_code, latency_ms)
             select tenant_id, livemode, id, 'att_' || latency, 1, now(), 'https://x', '{}', status_code, latency
             from deliveries cross join (values (200, 10), (204, 30), (500, 900), (null, 15000)) as had (status_code, latency)
             where event_id = $1`,
      values: [eventId],
    });
    expect((await get(access, `${id}/stats/`)).json).toMatchObject({
      ...{ attempts: { succeeded: 2, failed: 2 }, latency_ms: { p50: 20, p95: 29 } },
    });
    expect(refusal(await get(access, `${id}/stats/?since=2026-01-01`))).toEqual([400, "invalid_request", "since"]);
    await post(access, `${id}/disable/`);
    expect((await get(access, `${id}/stats/`)).json).toMatchObject({
      ...{ deliveries: { canceled: 1, pending: 0 }, oldest_pending_age_seconds: null },
    });
  });
});
