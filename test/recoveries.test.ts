// Recoveries on both databases: what an endpoint missed, queued at a rate, once, in a job that survives its workers.
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { manualClock, systemClock } from "../src/base/clock.ts";
import { idSource } from "../src/base/ids.ts";
import type { Database } from "../src/db/database.ts";
import { EVENT_TYPES, matchesPattern } from "../src/outbox/event-types.ts";
import { recoverDue } from "../src/outbox/recoveries.ts";
import { type Answer, type Door, openDoor, type Wire } from "./support/api-door.ts";
import { dyingAfter } from "./support/dying-database.ts";
import { auditOf, registerTenant, send, type TestTenant } from "./support/people.ts";
import { BOTH } from "./support/pipe.ts";

const [ENDPOINTS, RECOVERIES] = ["/api/v1/webhook-endpoints/", "/api/v1/recoveries/"];
const URL = "https://hooks.example/in";
const DAY = Date.UTC(2026, 10, 1);
const MINUTE = 60_000;
const SINCE = "2026-11-01T00:00:00Z";

/** `at`: minutes of the day on which all this happens. */
interface Told {
  type?: string;
  at?: number;
  livemode?: boolean;
}

describe.each(BOTH)("recoveries, %s database", (kind) => {
  let door: Door;
  let database: Database;
  beforeAll(async () => {
    const wide = { tries: 100_000, seconds: 60 };
    const limit = { address: wide, source: wide };
    door = await openDoor(kind, {
      deps: { tryLimits: { sign_in: limit, reset: limit, invitation: limit, registration: limit, token: limit } },
    });
    database = door.pipe.database;
  });
  afterAll(async () => door.close());

  /** An endpoint of a new tenant, which takes no events of the keys that the tenant has got. */
  const scene = async (body: object = {}): Promise<{ tenant: TestTenant; endpoint: string }> => {
    const tenant = await registerTenant(door);
    const { json } = await send(door, "POST", ENDPOINTS, {
      token: tenant.access,
      body: { url: URL, enabled_events: ["invoice.*"], ...body },
    });
    return { tenant, endpoint: String(json.id) };
  };
  /** Events that nobody was told of, as while the endpoint was disabled; their ids. */
  const tell = async ({ id: tenantId }: TestTenant, told: readonly Told[]): Promise<string[]> => {
    const ids = told.map(({ at = 0 }) => idSource(manualClock(DAY + at * MINUTE))("msg"));
    for (const [index, { type = "invoice.paid", livemode = false }] of told.entries()) {
      await database.query({
        text: `insert into events (tenant_id, livemode, id, type, created, api_version, object_type, object_id, object)
               values ($1, $2, $3, $4, now(), '2026-11-21', 'invoice', $3, '{}')`,
        values: [tenantId, livemode, ids[index], type],
      });
    }
    return ids;
  };
  const recover = async (token: string, endpoint: string, body: object = {}, headers: Record<string, string> = {}) =>
    send(door, "POST", `${ENDPOINTS}${endpoint}/recover/`, { token, body: { since: SINCE, ...body }, headers });
  const read = async (token: string, id: unknown) =>
    (await send(door, "GET", `${RECOVERIES}${String(id)}/`, { token })).json;
  const run = { clock: systemClock, wake: () => undefined, settleMs: 0 };
  /** Works until nothing is due; lets none rest. */
  const work = async (more: Partial<Parameters<typeof recoverDue>[0]> = {}): Promise<void> => {
    await database.query("update recoveries set next_at = now() where status = 'running'");
    while ((await recoverDue({ database, ...run, ...more })) !== "none")
      await database.query("update recoveries set next_at = now() where status = 'running'");
  };
  const queuedFor = async (endpoint: string): Promise<string[]> => {
    const { rows } = await database.query<{ event: string }>({
      text: `select delivery.event_id as event from deliveries as delivery
             join delivery_queue as queue on queue.delivery_id = delivery.id
             where delivery.endpoint_id = $1 and delivery.status = 'pending' order by delivery.event_id`,
      values: [endpoint],
    });
    return rows.map(({ event }) => event);
  };
  const end = async (endpoint: string, event: string | undefined, status: string): Promise<void> => {
    const values = [endpoint, event];
    await database.query({ text: "delete from delivery_queue where endpoint_id = $1 and event_id = $2", values });
    await database.query({
      text: "update deliveries set status = $3, ended_at = now() where endpoint_id = $1 and event_id = $2",
      values: [...values, status],
    });
  };
  const refusal = ({ status, json }: Answer): unknown[] => [status, json.code, json.param];

  it("a dry run counts what the endpoint takes in the range and has not had, and begins nothing", async () => {
    const { tenant, endpoint } = await scene({ enabled_events: ["invoice.*"] });
    const customer = { at: 2, type: "customer.created" };
    await tell(tenant, [{ at: 1 }, customer, { at: 3 }, { at: 4, livemode: true }, { at: 9 }]);
    const body = { dry_run: true, since: "2026-11-01T00:02:00Z", until: "2026-11-01T00:09:00Z" };
    const { status, json } = await recover(tenant.access, endpoint, body);
    expect([status, json]).toEqual([
      200,
      {
        ...{ dry_run: true, count: 1, count_is_partial: false, livemode: false },
        ...{ since: "2026-11-01T00:02:00.000Z", until: "2026-11-01T00:09:00.000Z" },
      },
    ]);
    const justAfter = { dry_run: true, since: "2026-11-01T00:03:00.001Z", until: "2026-11-01T00:03:00.900Z" };
    expect((await recover(tenant.access, endpoint, justAfter)).json.count).toBe(0);
    expect((await recover(tenant.access, endpoint, { dry_run: true })).json.count).toBe(3);
    await work();
    expect(await queuedFor(endpoint)).toEqual([]);
  });

  it("a recovery queues each missed event once, tells its progress, and ends as done", async () => {
    const { tenant, endpoint } = await scene();
    const ids = await tell(
      tenant,
      Array.from({ length: 7 }, (_, at) => ({ at })),
    );
    const begun = await recover(tenant.access, endpoint, { per_second: 4 });
    const { id } = begun.json;
    expect([begun.status, begun.json]).toEqual([
      202,
      {
        ...{ id: expect.stringMatching(/^rcv_/) as string, object: "recovery", endpoint_id: endpoint, livemode: false },
        ...{ status: "running", total: 7, queued: 0, per_second: 4, since: "2026-11-01T00:00:00.000Z" },
        until: expect.any(String) as string,
        ...{ created_at: expect.any(String) as string, ended_at: null },
      },
    ]);
    await recoverDue({ database, ...run });
    expect(await read(tenant.access, id)).toMatchObject({ status: "running", queued: 2, total: 7 });
    expect(await queuedFor(endpoint)).toEqual(ids.slice(0, 2));
    await work();
    expect(await queuedFor(endpoint)).toEqual(ids);
    expect(await read(tenant.access, id)).toMatchObject({
      ...{ status: "done", queued: 7, ended_at: expect.any(String) as string },
    });
  });

  it("what failed or was canceled is tried again, what was delivered or waits is left alone", async () => {
    const { tenant, endpoint } = await scene();
    const [delivered, failed, canceled, waits, missing] = await tell(
      tenant,
      [0, 1, 2, 3, 4].map((at) => ({ at })),
    );
    await recover(tenant.access, endpoint);
    await work();
    await end(endpoint, delivered, "delivered");
    await end(endpoint, failed, "failed");
    await end(endpoint, canceled, "canceled");
    for (const table of ["delivery_queue", "deliveries"])
      await database.query({ text: `delete from ${table} where event_id = $1`, values: [missing] });
    expect((await recover(tenant.access, endpoint, { dry_run: true })).json.count).toBe(3);
    const { json } = await recover(tenant.access, endpoint);
    await work();
    expect(await queuedFor(endpoint)).toEqual([failed, canceled, waits, missing]);
    expect(await read(tenant.access, json.id)).toMatchObject({ total: 3, queued: 3 });
    const again = await recover(tenant.access, endpoint);
    expect(again.json).toMatchObject({ total: 0 });
    await work();
    expect(await read(tenant.access, again.json.id)).toMatchObject({ status: "done", queued: 0 });
  });

  it("keeps to its rate, also behind a pause of its worker", async () => {
    const { tenant, endpoint } = await scene();
    await tell(
      tenant,
      Array.from({ length: 60 }, (_, at) => ({ at })),
    );
    const { json } = await recover(tenant.access, endpoint, { per_second: 20 });
    await database.query("update recoveries set next_at = now() - interval '10 seconds' where status = 'running'");
    const began = performance.now();
    let seconds = 0;
    for (;;) {
      await recoverDue({ database, ...run });
      seconds = (performance.now() - began) / 1000;
      const { queued, status } = await read(tenant.access, json.id);
      expect(Number(queued)).toBeLessThanOrEqual(20 * Math.ceil(seconds));
      if (status !== "running") break;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect(Math.min(Math.max(seconds, 1), 10)).toBe(seconds);
    expect(await queuedFor(endpoint)).toHaveLength(60);
  });

  it("a worker that is killed at any statement leaves a step undone, and another one goes on", async () => {
    const { tenant, endpoint } = await scene();
    const ids = await tell(
      tenant,
      Array.from({ length: 12 }, (_, at) => ({ at })),
    );
    const { json } = await recover(tenant.access, endpoint, { per_second: 6 });
    const due = async () => database.query("update recoveries set next_at = now() where status = 'running'");
    for (let statements = 0; statements < 40; statements += 1) {
      await due();
      await recoverDue({ database: dyingAfter(database, statements % 6), ...run }).catch(() => undefined);
      const { queued } = await read(tenant.access, json.id);
      expect(await queuedFor(endpoint)).toHaveLength(Number(queued));
    }
    await work();
    expect(await queuedFor(endpoint)).toEqual(ids);
    expect(await read(tenant.access, json.id)).toMatchObject({ status: "done", queued: 12 });
  });

  it("two workers at once queue nothing twice", async () => {
    const { tenant, endpoint } = await scene();
    const ids = await tell(
      tenant,
      Array.from({ length: 40 }, (_, at) => ({ at })),
    );
    const { json } = await recover(tenant.access, endpoint, { per_second: 10 });
    await Promise.all([work(), work(), work()]);
    await work();
    expect(await queuedFor(endpoint)).toEqual(ids);
    expect(await read(tenant.access, json.id)).toMatchObject({ status: "done", queued: 40 });
  });

  it("one that fails is put off, and does not hold up the others", async () => {
    const { tenant, endpoint } = await scene();
    const bad = await recover(tenant.access, endpoint);
    const other = await scene();
    const ids = await tell(other.tenant, [{}]);
    const good = await recover(other.tenant.access, other.endpoint);
    await database.query({
      text: "update recoveries set next_at = now() - interval '1 minute' where id = $1",
      values: [bad.json.id],
    });
    await expect(recoverDue({ database: dyingAfter(database, 2), ...run })).rejects.toThrow("killed");
    await recoverDue({ database, ...run });
    expect(await queuedFor(other.endpoint)).toEqual(ids);
    expect(await read(other.tenant.access, good.json.id)).toMatchObject({ queued: 1 });
    await work();
  });

  it("waits for events that are still on their way into the table when it began", async () => {
    const { tenant, endpoint } = await scene();
    const { json } = await recover(tenant.access, endpoint);
    await recoverDue({ database, ...run, settleMs: 60_000 });
    expect(await read(tenant.access, json.id)).toMatchObject({ status: "running" });
    const [late] = await tell(tenant, [{ at: (Date.now() - 30_000 - DAY) / MINUTE }]);
    await work();
    expect(await queuedFor(endpoint)).toEqual([late]);
    expect(await read(tenant.access, json.id)).toMatchObject({ status: "done" });
  });

  it("one runs at a time for an endpoint and mode; the next begins when it has ended", async () => {
    const { tenant, endpoint } = await scene({ livemode: null });
    const live = { "billhook-mode": "live" };
    expect((await recover(tenant.access, endpoint)).status).toBe(202);
    expect(refusal(await recover(tenant.access, endpoint))).toEqual([409, "recovery_running", undefined]);
    expect((await recover(tenant.access, endpoint, {}, live)).json).toMatchObject({ livemode: true });
    await work();
    expect((await recover(tenant.access, endpoint)).status).toBe(202);
    await work();
  });

  it("is canceled once, stops there, and an ended one cannot be canceled", async () => {
    const { tenant, endpoint } = await scene();
    const ids = await tell(
      tenant,
      Array.from({ length: 6 }, (_, at) => ({ at })),
    );
    const { json } = await recover(tenant.access, endpoint, { per_second: 4 });
    await recoverDue({ database, ...run });
    const cancel = async (id: unknown) =>
      send(door, "POST", `${RECOVERIES}${String(id)}/cancel/`, { token: tenant.access });
    const canceled = await cancel(json.id);
    expect([canceled.status, canceled.json]).toMatchObject([200, { status: "canceled", queued: 2 }]);
    expect((await cancel(json.id)).json).toEqual(canceled.json);
    await work();
    expect(await queuedFor(endpoint)).toEqual(ids.slice(0, 2));
    const done = await recover(tenant.access, endpoint);
    await work();
    expect(refusal(await cancel(done.json.id))).toEqual([409, "recovery_ended", undefined]);
    expect(
      (await auditOf(door, tenant)).map(({ action }) => action).filter((one) => String(one).startsWith("rec")),
    ).toEqual([...["recovery.started", "recovery.canceled", "recovery.started"]]);
  });

  it.each([
    ["disabled", async (token: string, id: string) => send(door, "POST", `${ENDPOINTS}${id}/disable/`, { token })],
    ["deleted", async (token: string, id: string) => send(door, "DELETE", `${ENDPOINTS}${id}/`, { token })],
    [
      "moved to the other mode",
      async (token: string, id: string) =>
        send(door, "PATCH", `${ENDPOINTS}${id}/`, { token, body: { livemode: true } }),
    ],
  ])("ends when its endpoint is %s", async (_, change) => {
    const { tenant, endpoint } = await scene();
    await tell(
      tenant,
      Array.from({ length: 4 }, (_event, at) => ({ at })),
    );
    const { json } = await recover(tenant.access, endpoint, { per_second: 2 });
    await recoverDue({ database, ...run });
    await change(tenant.access, endpoint);
    await work();
    expect(await read(tenant.access, json.id)).toMatchObject({ status: "canceled", queued: 1 });
  });

  it("needs an endpoint that is enabled and has a url, and a range in the past", async () => {
    const { tenant, endpoint } = await scene();
    for (const body of [{ since: "2100-01-01" }, { since: "2026-11-02", until: "2026-11-01" }]) {
      expect(refusal(await recover(tenant.access, endpoint, body))).toEqual([400, "invalid_request", "since"]);
    }
    for (const body of [
      { since: undefined },
      { since: "yesterday" },
      { per_second: 0 },
      { per_second: 1001 },
      { x: 1 },
    ]) {
      expect([body, (await recover(tenant.access, endpoint, body)).status]).toEqual([body, 400]);
    }
    await send(door, "POST", `${ENDPOINTS}${endpoint}/disable/`, { token: tenant.access });
    expect(refusal(await recover(tenant.access, endpoint))).toEqual([409, "endpoint_disabled", undefined]);
    expect((await recover(tenant.access, endpoint, { dry_run: true })).status).toBe(200);
  });

  it("is seen in its own tenant and mode alone; a key begins it in its own mode", async () => {
    const { tenant, endpoint } = await scene({ livemode: null });
    const other = await registerTenant(door);
    const { json } = await recover(tenant.keys.live_secret, endpoint);
    expect(json.livemode).toBe(true);
    const status = async (token: string) =>
      (await send(door, "GET", `${RECOVERIES}${String(json.id)}/`, { token })).status;
    const listed = async (token: string, query = "") =>
      ((await send(door, "GET", `${RECOVERIES}${query}`, { token })).json.data as Wire[]).map(({ id }) => id);
    expect([await status(tenant.keys.live_secret), await listed(tenant.keys.live_secret)]).toEqual([200, [json.id]]);
    for (const token of [tenant.keys.test_secret, other.keys.live_secret, other.access]) {
      expect([await status(token), await listed(token)]).toEqual([404, []]);
      expect((await send(door, "POST", `${RECOVERIES}${String(json.id)}/cancel/`, { token })).status).toBe(404);
    }
    expect(await listed(tenant.keys.live_secret, `?endpoint_id=${endpoint}&status=running`)).toEqual([json.id]);
    expect(await listed(tenant.keys.live_secret, "?status=done")).toEqual([]);
    await work();
  });

  it("one Idempotency-Key begins one recovery, and tells the audit log of one, also when the first run's answer was lost", async () => {
    const { tenant, endpoint } = await scene();
    const key = { "idempotency-key": "recover-1" };
    const first = await recover(tenant.access, endpoint, {}, key);
    await database.query({
      text: "update kept_answers set status = null, answer = null, leased_until = now() where tenant_id = $1",
      values: [tenant.id],
    });
    const again = await recover(tenant.access, endpoint, {}, key);
    expect([again.status, again.json]).toEqual([202, first.json]);
    expect((await auditOf(door, tenant)).filter(({ action }) => action === "recovery.started")).toHaveLength(1);
    await work();
  });

  it("the operator lists them of every tenant, and sees in the overview what waits", async () => {
    const [one, two] = [await scene(), await scene()];
    const ids = [await recover(one.tenant.access, one.endpoint), await recover(two.tenant.access, two.endpoint)].map(
      ({ json }) => json.id,
    );
    expect(
      ((await door.admin("GET", "jobs/?status=running&limit=2")).json.data as Wire[]).map(
        ({ id, kind: what, tenant_id }) => [id, what, tenant_id],
      ),
    ).toEqual([
      [ids[1], "recovery", two.tenant.id],
      [ids[0], "recovery", one.tenant.id],
    ]);
    expect((await door.admin("GET", `jobs/?tenant=${one.tenant.id}`)).json.data).toMatchObject([{ id: ids[0] }]);
    await tell(one.tenant, [{}]);
    await work();
    const { deliveries } = (await door.admin("GET", "overview/")).json as { deliveries: Record<string, number> };
    const counts = ["counts_are_partial", "delivered", "disabled_endpoints", "failed", "pending"];
    expect(Object.keys(deliveries).sort()).toEqual([...counts, "oldest_pending_age_seconds"].sort());
    expect(deliveries.pending).toBeGreaterThan(0);
    expect(deliveries.oldest_pending_age_seconds).toBeGreaterThan(0);
  });

  it("takes exactly the types that the endpoint's patterns match", async () => {
    const tenant = await registerTenant(door);
    const types = EVENT_TYPES.map(({ type }) => type);
    await tell(
      tenant,
      types.map((type, at) => ({ type, at: at / 10 })),
    );
    const families = [...new Set(types.map((type) => `${type.split(".")[0] ?? ""}.*`))];
    const patterns = fc.uniqueArray(fc.constantFrom(...types, ...families, "*"), { minLength: 1, maxLength: 4 });
    const { json } = await send(door, "POST", ENDPOINTS, { token: tenant.access, body: { url: URL } });
    await fc.assert(
      fc.asyncProperty(patterns, async (enabled_events) => {
        const path = `${ENDPOINTS}${String(json.id)}/`;
        await send(door, "PATCH", path, { token: tenant.access, body: { enabled_events } });
        const taken = types.filter((type) => enabled_events.some((pattern) => matchesPattern(pattern, type)));
        expect((await recover(tenant.access, String(json.id), { dry_run: true, until: "2026-11-02" })).json.count).toBe(
          taken.length,
        );
      }),
      { numRuns: 15 },
    );
  });
});
