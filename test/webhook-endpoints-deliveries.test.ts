// Deliveries as tenants read them, over HTTP and on both databases: listed, with every attempt, tried again; never another's.
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { systemClock } from "../src/base/clock.ts";
import { newId } from "../src/base/ids.ts";
import { type EndpointKey, findEndpoint, noteOutcomes } from "../src/outbox/endpoint-table.ts";
import { cancelInPieces } from "../src/outbox/delivery-cancel.ts";
import { disableEndpoint } from "../src/outbox/endpoints.ts";
import { publishEvents } from "../src/outbox/event-table.ts";
import { recoverDue } from "../src/outbox/recoveries.ts";
import { type Door, openDoor, type Wire } from "./support/api-door.ts";
import { registerTenant, send, type TestTenant } from "./support/people.ts";
import { BOTH } from "./support/pipe.ts";

const DELIVERIES = "/api/v1/deliveries/";
const TIME = /^\d{4}-\d\d-\d\dT[\d:.]+Z$/;

describe.each(BOTH)("deliveries, %s database", (kind) => {
  let door: Door;
  beforeAll(async () => {
    door = await openDoor(kind);
  });
  afterAll(async () => door.close());

  const list = async (token: string, query = ""): Promise<Wire[]> =>
    (await send(door, "GET", `${DELIVERIES}${query}`, { token })).json.data as Wire[];
  const endpointOf = async ({ access }: TestTenant, enabled_events = ["credit.*"]): Promise<string> => {
    const body = { url: "https://hooks.example/in", enabled_events };
    return String((await send(door, "POST", "/api/v1/webhook-endpoints/", { token: access, body })).json.id);
  };
  const publish = async ({ id: tenantId }: TestTenant, livemode = false): Promise<void> => {
    await door.pipe.database.transaction(async (tx) =>
      publishEvents(tx, [
        {
          ...{ tenantId, livemode, type: "credit.granted", objectType: "account", objectId: newId("acc"), object: {} },
          created: new Date(),
        },
      ]),
    );
  };
  const ended = async (id: unknown, status: string): Promise<void> => {
    await door.pipe.database.query({ text: "delete from delivery_queue where delivery_id = $1", values: [id] });
    await door.pipe.database.query({
      text: "update deliveries set status = $2, ended_at = now(), attempts = 10 where id = $1",
      values: [id, status],
    });
  };

  it("are listed newest first, by endpoint, status and time, page by page", async () => {
    const tenant = await registerTenant(door);
    const [one, two] = [await endpointOf(tenant), await endpointOf(tenant)];
    for (let count = 0; count < 3; count += 1) await publish(tenant);
    const all = await list(tenant.access);
    expect(all).toHaveLength(6);
    const times = all.map(({ id }) => String(id).slice(0, 14));
    expect(times).toEqual([...times].sort().reverse());
    expect(all[0]).toEqual({
      ...{ id: expect.stringMatching(/^dlv_[0-9a-z]{26}$/) as string, object: "delivery", livemode: false },
      endpoint_id: expect.stringMatching(/^whe_/) as string,
      ...{ event_id: expect.stringMatching(/^msg_/) as string, event_type: "credit.granted", status: "pending" },
      ...{ attempts: 0, last_attempt_at: null, last_status_code: null, last_error: null },
      ...{ next_attempt_at: expect.stringMatching(TIME) as string, created_at: expect.stringMatching(TIME) as string },
      ended_at: null,
    });
    expect((await list(tenant.access, `?endpoint_id=${one}`)).map(({ endpoint_id }) => endpoint_id)).toEqual([
      one,
      one,
      one,
    ]);
    expect(await list(tenant.access, `?endpoint=${one}`)).toEqual(await list(tenant.access, `?endpoint_id=${one}`));
    await ended(all[1]?.id, "failed");
    expect((await list(tenant.access, "?status=failed")).map(({ id }) => id)).toEqual([all[1]?.id]);
    expect(await list(tenant.access, "?status=pending")).toHaveLength(5);
    expect(await list(tenant.access, `?endpoint_id=${two}&since=2100-01-01`)).toEqual([]);
    expect(await list(tenant.access, "?until=2026-01-01")).toEqual([]);
    expect(await list(tenant.access, "?since=2026-01-01&until=2100-01-01")).toHaveLength(6);
    const first = await send(door, "GET", `${DELIVERIES}?limit=4`, { token: tenant.access });
    const rest = await list(tenant.access, `?limit=4&cursor=${String(first.json.next_cursor)}`);
    expect([...(first.json.data as Wire[]), ...rest].map(({ id }) => id)).toEqual(all.map(({ id }) => id));
    for (const query of ["?status=lost", "?cursor=x", "?limit=0", "?since=soon", "?x=1"]) {
      expect([query, (await send(door, "GET", DELIVERIES + query, { token: tenant.access })).status]).toEqual([
        query,
        400,
      ]);
    }
  });

  it("are shown with every attempt, its headers and its answer", async () => {
    const tenant = await registerTenant(door);
    await endpointOf(tenant);
    await publish(tenant);
    const [delivery] = await list(tenant.access);
    await door.pipe.database.query({
      text: `insert into delivery_attempts (tenant_id, livemode, delivery_id, id, attempt, at, url, request_headers, status_code,
               latency_ms, response_headers, response_body, error_code, error)
             values ($1, false, $2, 'att_1', 1, now(), 'https://hooks.example/in', '{"webhook-id": "msg_1"}', null, 15000, null, null,
               'timeout', 'It did not answer in time.'),
              ($1, false, $2, 'att_2', 2, now(), 'https://hooks.example/in', '{"webhook-id": "msg_1"}', 500, 12,
               '{"server": "x"}', 'no', null, null)`,
      values: [tenant.id, delivery?.id],
    });
    const { status, json } = await send(door, "GET", `${DELIVERIES}${String(delivery?.id)}/`, { token: tenant.access });
    const sent = { url: "https://hooks.example/in", request_headers: { "webhook-id": "msg_1" } };
    const at = expect.stringMatching(TIME) as string;
    expect([status, json]).toEqual([
      200,
      {
        ...delivery,
        attempt_list: [
          {
            ...{ ...sent, id: "att_1", attempt: 1, at, status_code: null, latency_ms: 15_000 },
            ...{ response_headers: null, response_body: null },
            ...{ error_code: "timeout", error: "It did not answer in time." },
          },
          {
            ...{ ...sent, id: "att_2", attempt: 2, at, status_code: 500, latency_ms: 12 },
            ...{ response_headers: { server: "x" }, response_body: "no", error_code: null, error: null },
          },
        ],
      },
    ]);
  });

  it("an ended one that is tried again is due now, and one that waits is not doubled", async () => {
    const tenant = await registerTenant(door);
    const endpoint = await endpointOf(tenant);
    await publish(tenant);
    const [delivery] = await list(tenant.access);
    const retry = async (token = tenant.access) =>
      send(door, "POST", `${DELIVERIES}${String(delivery?.id)}/retry/`, { token });
    for (const status of ["failed", "canceled", "delivered"]) {
      await ended(delivery?.id, status);
      const again = await retry();
      expect([again.status, again.json]).toMatchObject([
        202,
        { id: delivery?.id, event_id: delivery?.event_id, status: "pending", ended_at: null, attempts: 10 },
      ]);
      expect(Date.parse(String(again.json.next_attempt_at))).toBeLessThanOrEqual(Date.now() + 1000);
    }
    expect((await retry()).status).toBe(202);
    const { rows } = await door.pipe.database.query({
      text: "select from delivery_queue where delivery_id = $1",
      values: [delivery?.id],
    });
    expect(rows).toHaveLength(1);
    await send(door, "POST", `/api/v1/webhook-endpoints/${endpoint}/disable/`, { token: tenant.access });
    const refused = await retry();
    expect([refused.status, refused.json.code]).toEqual([409, "delivery_not_retriable"]);
  });

  it("what waits of a mode is canceled when its endpoint is changed to the other, and is not tried again until it takes both", async () => {
    const tenant = await registerTenant(door);
    const { live_secret: live, test_secret: test } = tenant.keys;
    const endpoint = await endpointOf(tenant);
    const take = async (livemode: boolean | null) =>
      send(door, "PATCH", `/api/v1/webhook-endpoints/${endpoint}/`, { token: tenant.access, body: { livemode } });
    await take(null);
    for (const livemode of [true, false]) await publish(tenant, livemode);
    const later = "update delivery_queue set next_attempt_at = now() + interval '1 day' where tenant_id = $1";
    await door.pipe.database.query({ text: later, values: [tenant.id] });
    await take(false);
    const [told] = await list(live);
    expect(told).toMatchObject({ status: "canceled", next_attempt_at: null });
    expect(told?.last_error).toContain("takes no events of this mode");
    expect((await list(test)).map(({ status }) => status)).toEqual(["pending"]);
    const retry = async () => send(door, "POST", `${DELIVERIES}${String(told?.id)}/retry/`, { token: live });
    const refused = await retry();
    expect([refused.status, refused.json.code]).toEqual([409, "delivery_not_retriable"]);
    expect(refused.text).toContain("takes no events of this mode");
    await take(null);
    expect((await retry()).status).toBe(202);
  });

  it("are seen in their own tenant and mode alone", async () => {
    const [tenant, other] = [await registerTenant(door), await registerTenant(door)];
    await endpointOf(tenant);
    await publish(tenant);
    const [delivery] = await list(tenant.keys.test_secret);
    const path = `${DELIVERIES}${String(delivery?.id)}/`;
    for (const token of [tenant.keys.live_secret, other.keys.test_secret, other.access]) {
      expect(await list(token)).toEqual([]);
      expect((await send(door, "GET", path, { token })).status).toBe(404);
      expect((await send(door, "POST", `${path}retry/`, { token })).status).toBe(404);
    }
    expect((await send(door, "GET", path, { token: tenant.keys.test_secret })).status).toBe(200);
  });

  it("what a disabled endpoint missed is delivered by a recovery, once it is enabled again", async () => {
    const tenant = await registerTenant(door);
    const endpoint = await endpointOf(tenant);
    const act = async (what: string, body?: unknown) =>
      send(door, "POST", `/api/v1/webhook-endpoints/${endpoint}/${what}/`, { token: tenant.access, body });
    await publish(tenant);
    await act("disable");
    await publish(tenant);
    expect((await list(tenant.access)).map(({ status }) => status)).toEqual(["canceled"]);
    await act("enable");
    await publish(tenant);
    const { json } = await act("recover", { since: "2026-01-01" });
    expect(json).toMatchObject({ total: 2 });
    const run = { database: door.pipe.database, clock: systemClock, wake: () => undefined, settleMs: 0 };
    while ((await recoverDue(run)) !== "none");
    expect((await list(tenant.access)).map(({ status }) => status)).toEqual(["pending", "pending", "pending"]);
  });

  describe("what their worker notes of an endpoint", () => {
    const days = (count: number): Date => new Date(Date.UTC(2026, 0, 1) + count * 86_400_000);
    const failingSince = async (key: EndpointKey) => (await findEndpoint(door.pipe.database, key))?.failingSince;

    it("it fails from the first failure on, until something is delivered; after five days it is named", async () => {
      const tenant = await registerTenant(door);
      const [tenantId, endpointId] = [tenant.id, await endpointOf(tenant)];
      const key = { tenantId, id: endpointId };
      const note = async (...failedAt: (Date | null)[]) =>
        door.pipe.database.transaction(async (tx) =>
          noteOutcomes(
            tx,
            failedAt.map((at) => ({ tenantId, endpointId, failedAt: at })),
          ),
        );
      expect(await note(days(1), days(0))).toEqual([]);
      expect(await failingSince(key)).toEqual(days(0));
      for (const day of [0.02, 1.5, 3.2, 4.9]) expect(await note(days(day))).toEqual([]);
      expect(await failingSince(key)).toEqual(days(0));
      expect(await note(days(5))).toEqual([key]);
      expect(await note(days(5.1), null)).toEqual([]);
      expect(await failingSince(key)).toBeNull();
      expect(await note(null)).toEqual([]);
      expect(await note(days(6))).toEqual([]);
    });

    it("one failure after days of silence is the first one, and disables nothing", async () => {
      const tenant = await registerTenant(door);
      const [tenantId, endpointId] = [tenant.id, await endpointOf(tenant)];
      const note = async (failedAt: Date | null) =>
        door.pipe.database.transaction(async (tx) => noteOutcomes(tx, [{ tenantId, endpointId, failedAt }]));
      for (const day of [0, 30, 32.5]) {
        expect(await note(days(day))).toEqual([]);
        expect(await failingSince({ tenantId, id: endpointId })).toEqual(days(day));
      }
      // Noted to the hour, and late ones do not set it back.
      for (const day of [34, 33, 35.9, 37.4]) expect(await note(days(day))).toEqual([]);
      expect(await note(days(37.5))).toEqual([{ tenantId, id: endpointId }]);
    });

    it("it is disabled as failing only while it fails, and another url has not failed", async () => {
      const tenant = await registerTenant(door);
      const [tenantId, id] = [tenant.id, await endpointOf(tenant)];
      const key = { tenantId, id };
      const disable = async () => door.pipe.database.transaction(async (tx) => disableEndpoint(tx, key, "failing"));
      expect(await disable()).toBeUndefined();
      const fails = async () => noteOutcomes(door.pipe.database, [{ tenantId, endpointId: id, failedAt: days(0) }]);
      await fails();
      const body = { url: "https://hooks.example/moved" };
      await send(door, "PATCH", `/api/v1/webhook-endpoints/${id}/`, { token: tenant.access, body });
      expect(await disable()).toBeUndefined();
      await fails();
      await publish(tenant);
      expect(await disable()).toMatchObject({ status: "disabled", disabledReason: "failing", failingSince: days(0) });
      expect(await disable()).toBeUndefined();
      const of = { tenantId: tenant.id, endpointId: id };
      await cancelInPieces(door.pipe.database, of, { limit: 10, goesOn: () => true, canceled: () => undefined });
      expect((await list(tenant.access)).map(({ status }) => status)).toEqual(["canceled"]);
    });
  });
});
