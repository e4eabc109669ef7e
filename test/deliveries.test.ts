// Webhooks are delivered at least once, tried again for three days, and end; on both databases, to receivers that listen.
import { createHmac } from "node:crypto";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { Queryable } from "../src/db/database.ts";
import { cancelInPieces, strandedEndpoints } from "../src/outbox/delivery-cancel.ts";
import { deliveriesOf, deliveryQueueState, listDeliveries, readDelivery } from "../src/outbox/delivery-reads.ts";
import { WAITS } from "../src/outbox/delivery-schedule.ts";
import {
  cancelDeliveries,
  claimDeliveries,
  deleteOldDeliveries,
  fanOut,
  fanOutTo,
  retryDelivery,
} from "../src/outbox/delivery-tables.ts";
import {
  makeDue,
  newEndpoint,
  newMember,
  newTenant,
  openTarget,
  startWorker,
  statuses,
  type Target,
  tell,
  until,
  type Worker,
} from "./support/delivery-scene.ts";
import { BOTH, openPipe, type Pipe } from "./support/pipe.ts";

describe.each(BOTH)("deliveries, %s database", (kind) => {
  let pipe: Pipe;
  let worker: Worker;
  const targets: Target[] = [];

  beforeAll(async () => {
    pipe = await openPipe(kind);
    worker = startWorker(pipe.database);
  });
  afterAll(async () => {
    await worker.stop();
    await Promise.all(targets.map((target) => target.close()));
    await pipe.close();
  });

  async function target(...behave: Parameters<typeof openTarget>): Promise<Target> {
    const one = await openTarget(...behave);
    targets.push(one);
    return one;
  }

  it("an event reaches every endpoint that takes it, once, signed over the bytes that came", async () => {
    const tenant = await newTenant(pipe.database, "Acme & Söhne");
    const [all, invoices, others, live, none] = await Promise.all([target(), target(), target(), target(), target()]);
    const endpoint = await newEndpoint(pipe.database, tenant, all.url);
    await newEndpoint(pipe.database, tenant, invoices.url, { enabledEvents: ["invoice.*"] });
    await newEndpoint(pipe.database, tenant, others.url, { enabledEvents: ["payment.*", "invoice.voided"] });
    await newEndpoint(pipe.database, tenant, live.url, { livemode: true });
    await newEndpoint(pipe.database, await newTenant(pipe.database), none.url);
    await newEndpoint(pipe.database, tenant, null, { first: true });
    await tell(pipe.database, tenant, 3);
    await until(async () => (await statuses(pipe.database, tenant)).delivered === 6);
    expect([all, invoices, others, live, none].map(({ got }) => got.length)).toEqual([3, 3, 0, 0, 0]);
    const [first] = all.got;
    if (first === undefined) throw new Error("nothing came");
    expect(JSON.parse(first.body)).toMatchObject({
      ...{ id: first.id, object: "event", type: "invoice.paid", livemode: false, api_version: "2026-11-21" },
      ...{ data: { object: { number: expect.any(Number) } }, tenant: { id: tenant, company_name: "Acme & Söhne" } },
    });
    const { "webhook-timestamp": at, "webhook-signature": signature } = first.headers;
    const key = Buffer.from(endpoint.secret.slice("whsec_".length), "base64");
    const mac = createHmac("sha256", key)
      .update(`${first.id}.${String(at)}.${first.body}`)
      .digest("base64");
    expect(signature).toBe(`v1,${mac}`);
    expect(JSON.stringify(first.headers)).not.toContain(endpoint.secret.slice(6));
    const { rows } = await pipe.database.query({
      text: "select count(*) as count from delivery_queue where tenant_id = $1",
      values: [tenant],
    });
    expect(rows).toEqual([{ count: 0 }]);
  });

  it("asked again, fanOut makes nothing", async () => {
    const tenant = await newTenant(pipe.database);
    await newEndpoint(pipe.database, tenant, (await target()).url);
    await tell(pipe.database, tenant, 4);
    const { rows } = await pipe.database.query<{ id: string }>({
      text: "select id from events where tenant_id = $1",
      values: [tenant],
    });
    const keys = rows.map(({ id }) => ({ tenantId: tenant, livemode: false, id }));
    expect(await pipe.database.transaction((tx) => fanOut(tx, keys))).toBe(0);
    await until(async () => (await statuses(pipe.database, tenant)).delivered === 4);
    expect(await pipe.database.transaction((tx) => fanOut(tx, keys))).toBe(0);
  });

  it("a failing receiver is tried ten times with the same id and body, then the delivery has failed", async () => {
    const tenant = await newTenant(pipe.database);
    const failing = await target((response) => response.writeHead(500).end("no"));
    await newEndpoint(pipe.database, tenant, failing.url);
    await tell(pipe.database, tenant, 1);
    const due: number[] = [];
    for (let attempt = 1; attempt <= 10; attempt += 1) {
      await until(() => failing.got.length === attempt);
      await until(async () => {
        const [one] = await listDeliveries(pipe.database, { tenantId: tenant, livemode: false, limit: 1 });
        if (one?.attempts === attempt && one.nextAttemptAt !== null) due.push(one.nextAttemptAt.getTime() - Date.now());
        return one?.attempts === attempt;
      });
      await makeDue(pipe.database);
      worker.wake();
    }
    await until(async () => (await statuses(pipe.database, tenant)).failed === 1);
    expect(new Set(failing.got.map(({ id, body }) => id + body)).size).toBe(1);
    expect(due).toHaveLength(WAITS.length);
    for (const [index, wait] of WAITS.entries()) {
      expect(due[index]).toBeGreaterThan(wait * 0.8 - 2000);
      expect(due[index]).toBeLessThan(wait * 1.2 + 100);
    }
    const [only] = await listDeliveries(pipe.database, { tenantId: tenant, livemode: false, limit: 5 });
    const read = await readDelivery(pipe.database, { tenantId: tenant, livemode: false, id: only?.id ?? "" });
    expect(read).toMatchObject({ status: "failed", attempts: 10, lastStatusCode: 500, nextAttemptAt: null });
    expect(
      read?.attemptList.map(({ attempt, statusCode, responseBody }) => [attempt, statusCode, responseBody]),
    ).toEqual(Array.from({ length: 10 }, (_, index) => [index + 1, 500, "no"]));
  });

  it("a retry and a resend of what still waits take nothing of its schedule: it begins anew", async () => {
    const tenant = await newTenant(pipe.database);
    const failing = await target((response) => response.writeHead(500).end());
    const endpoint = await newEndpoint(pipe.database, tenant, failing.url);
    await tell(pipe.database, tenant, 1);
    const one = async () => (await listDeliveries(pipe.database, { tenantId: tenant, livemode: false, limit: 1 }))[0];
    await until(async () => (await one())?.attempts === 1);
    const { id = "", eventId = "" } = (await one()) ?? {};
    const key = { tenantId: tenant, livemode: false, id };
    const again = { again: true, hasten: true };
    const resend = (tx: Queryable) => fanOutTo(tx, { ...key, endpointId: endpoint.id }, [eventId], again);
    const asks = [() => retryDelivery(pipe.database, key), () => pipe.database.transaction(resend)];
    for (let attempt = 2; attempt <= 13; attempt += 1) {
      await asks[attempt % 2]?.();
      worker.wake();
      await until(async () => (await one())?.attempts === attempt);
      const wait = ((await one())?.nextAttemptAt?.getTime() ?? 0) - Date.now();
      expect(wait).toBeGreaterThan(0);
      expect(wait).toBeLessThan((WAITS[0] ?? 0) * 1.2 + 100);
    }
    expect(await one()).toMatchObject({ status: "pending" });
  });

  it("Retry-After is waited for, a redirect is not followed, and 2xx ends it", async () => {
    const tenant = await newTenant(pipe.database);
    const canary = await target();
    const busy = await target((response, _, nth) => {
      if (nth === 1) response.writeHead(429, { "retry-after": "3600" }).end();
      else if (nth === 2) response.writeHead(302, { location: canary.url }).end();
      else response.writeHead(204).end();
    });
    await newEndpoint(pipe.database, tenant, busy.url);
    await tell(pipe.database, tenant, 1);
    const one = async () => (await listDeliveries(pipe.database, { tenantId: tenant, livemode: false, limit: 1 }))[0];
    await until(async () => (await one())?.attempts === 1);
    const wait = ((await one())?.nextAttemptAt?.getTime() ?? 0) - Date.now();
    expect(wait).toBeGreaterThan(3_590_000);
    expect(wait).toBeLessThanOrEqual(3_600_000);
    await makeDue(pipe.database);
    await until(async () => (await one())?.attempts === 2);
    expect(await one()).toMatchObject({ status: "pending", lastStatusCode: 302 });
    await makeDue(pipe.database);
    await until(async () => (await one())?.status === "delivered");
    expect(await one()).toMatchObject({ attempts: 3, lastStatusCode: 204, lastError: null });
    expect(canary.got).toEqual([]);
  });

  it("410 disables the endpoint with a mail to owners and admins, and ends what waits for it", async () => {
    const tenant = await newTenant(pipe.database);
    for (const role of ["owner", "admin", "member"])
      await newMember(pipe.database, tenant, role, `${role}-${tenant}@example.com`);
    const gone = await target((response) => setTimeout(() => response.writeHead(410).end(), 50));
    const endpoint = await newEndpoint(pipe.database, tenant, gone.url);
    await tell(pipe.database, tenant, 30);
    await until(async () => {
      const { pending = 0 } = await statuses(pipe.database, tenant);
      return gone.got.length > 0 && pending === 0;
    });
    const { rows } = await pipe.database.query({
      text: "select status, disabled_reason from webhook_endpoints where id = $1",
      values: [endpoint.id],
    });
    expect(rows).toEqual([{ status: "disabled", disabled_reason: "gone" }]);
    const { failed = 0, canceled = 0 } = await statuses(pipe.database, tenant);
    expect(failed).toBeGreaterThan(0);
    expect(failed + canceled).toBe(30);
    const mails = await pipe.database.query<{ recipient: string; fields: unknown }>({
      text: "select recipient, fields from mails where tenant_id = $1 and template = 'endpoint_disabled' order by 1",
      values: [tenant],
    });
    expect(mails.rows.map(({ recipient }) => recipient.split("-")[0])).toEqual(["admin", "owner"]);
    expect(mails.rows[0]?.fields).toMatchObject({ host: new URL(gone.url).host });
    // Later events make no deliveries, and are kept.
    await tell(pipe.database, tenant, 2);
    expect(Object.values(await statuses(pipe.database, tenant)).reduce((sum, count) => sum + count, 0)).toBe(30);
  });

  it("five days of nothing but failures disable it; one delivery in between begins anew", async () => {
    const tenant = await newTenant(pipe.database);
    await newMember(pipe.database, tenant, "owner", `failing-${tenant}@example.com`);
    let status = 500;
    const failing = await target((response) => response.writeHead(status).end());
    const endpoint = await newEndpoint(pipe.database, tenant, failing.url);
    const state = async () =>
      (
        await pipe.database.query<{ status: string; disabled_reason: string | null; failing_since: Date | null }>({
          text: "select status, disabled_reason, failing_since from webhook_endpoints where id = $1",
          values: [endpoint.id],
        })
      ).rows[0];
    const daysPass = (days: number): Promise<unknown> =>
      pipe.database.query({
        text: "update webhook_endpoints set failing_since = failing_since - $2 * interval '1 day' where id = $1",
        values: [endpoint.id, days],
      });
    await tell(pipe.database, tenant, 1);
    await until(async () => (await state())?.failing_since instanceof Date);
    await daysPass(4.9);
    status = 200;
    await makeDue(pipe.database);
    await until(async () => (await state())?.failing_since === null);
    status = 500;
    await tell(pipe.database, tenant, 1);
    await until(async () => (await state())?.failing_since instanceof Date);
    expect(await state()).toMatchObject({ status: "enabled" });
    await daysPass(5);
    await makeDue(pipe.database);
    await until(async () => (await state())?.status === "disabled");
    expect(await state()).toMatchObject({ disabled_reason: "failing" });
    await until(async () => (await statuses(pipe.database, tenant)).canceled === 1);
    const mails = await pipe.database.query<{ fields: { since?: number } }>({
      text: "select fields from mails where tenant_id = $1",
      values: [tenant],
    });
    expect(mails.rows).toHaveLength(1);
    expect(mails.rows[0]?.fields.since).toEqual(expect.any(Number));
  });

  it("where order is asked for, an event waits until the older one of its object has ended; other objects go on", async () => {
    const tenant = await newTenant(pipe.database);
    let broken = true;
    const ordered = await target((response, { body }) => {
      const { data } = JSON.parse(body) as { data: { object: { id: string } } };
      response.writeHead(broken && data.object.id === "in_0" ? 500 : 200).end();
    });
    await newEndpoint(pipe.database, tenant, ordered.url, { ordering: "per_object" });
    await tell(pipe.database, tenant, 40, { objectOf: (n) => `in_${n % 4}` });
    await until(async () => (await statuses(pipe.database, tenant)).delivered === 30);
    const numbers = (object: string): number[] =>
      ordered.got
        .map(({ body }) => (JSON.parse(body) as { data: { object: { id: string; number: number } } }).data.object)
        .filter(({ id }) => id === object)
        .map(({ number }) => number);
    expect(numbers("in_0")).toEqual([0]);
    for (const object of [1, 2, 3])
      expect(numbers(`in_${object}`)).toEqual(Array.from({ length: 10 }, (_, n) => n * 4 + object));
    // What is told meanwhile waits too, and so does what waited when the first is tried again.
    await tell(pipe.database, tenant, 1, { objectOf: () => "in_0" });
    broken = false;
    await pipe.database.query({
      text: "update delivery_queue set next_attempt_at = now() where tenant_id = $1 and attempts > 0",
      values: [tenant],
    });
    await until(async () => (await statuses(pipe.database, tenant)).delivered === 41);
    expect(numbers("in_0").slice(1, 11)).toEqual(Array.from({ length: 10 }, (_, n) => n * 4));
  });

  it("a retry, a resend and a recovery begin a new round of the same delivery, with the same id", async () => {
    const tenant = await newTenant(pipe.database);
    const receiver = await target();
    const endpoint = await newEndpoint(pipe.database, tenant, receiver.url);
    await tell(pipe.database, tenant, 1);
    await until(async () => (await statuses(pipe.database, tenant)).delivered === 1);
    const [before] = await listDeliveries(pipe.database, { tenantId: tenant, livemode: false, limit: 1 });
    const key = { tenantId: tenant, livemode: false, id: before?.id ?? "" };
    const of = { tenantId: tenant, livemode: false, endpointId: endpoint.id };
    const events = [before?.eventId ?? "", "msg_00000000000000000000000000"];
    const send = (again: boolean): Promise<string[]> =>
      pipe.database.transaction((tx) => fanOutTo(tx, of, events, { again }));
    expect(await send(false)).toEqual([]);
    expect(await send(true)).toEqual([key.id]);
    await until(() => receiver.got.length === 2);
    await until(async () => (await readDelivery(pipe.database, key))?.status === "delivered");
    expect(await retryDelivery(pipe.database, key)).toBe("queued");
    await until(() => receiver.got.length === 3);
    await until(async () => (await readDelivery(pipe.database, key))?.status === "delivered");
    expect(await readDelivery(pipe.database, key)).toMatchObject({ attempts: 3 });
    expect((await deliveriesOf(pipe.database, { ...key, id: before?.eventId ?? "" })).map(({ id }) => id)).toEqual([
      key.id,
    ]);
    expect(new Set(receiver.got.map(({ id, body }) => id + body)).size).toBe(1);
    expect(await retryDelivery(pipe.database, { ...key, id: "dlv_0" })).toBe("missing");
    expect(await retryDelivery(pipe.database, { ...key, livemode: true })).toBe("missing");
    await pipe.database.query({ text: "update webhook_endpoints set url = null where id = $1", values: [endpoint.id] });
    expect(await retryDelivery(pipe.database, key)).toBe("unavailable");
    expect(await send(true)).toEqual([]);
  });

  it("what is canceled is not delivered, and what is older than its retention is deleted with its attempts", async () => {
    const tenant = await newTenant(pipe.database);
    const failing = await target((response) => response.writeHead(503).end());
    const endpoint = await newEndpoint(pipe.database, tenant, failing.url);
    await tell(pipe.database, tenant, 3);
    await until(async () => {
      const all = await listDeliveries(pipe.database, { tenantId: tenant, livemode: false, limit: 5 });
      return all.length === 3 && all.every(({ attempts }) => attempts === 1);
    });
    const key = { tenantId: tenant, endpointId: endpoint.id };
    expect(await cancelDeliveries(pipe.database, { ...key, limit: 2 })).toBe(0);
    await pipe.database.query({ text: "delete from webhook_endpoints where id = $1", values: [endpoint.id] });
    expect(await strandedEndpoints(pipe.database, 10)).toContainEqual(key);
    await cancelInPieces(pipe.database, key, { limit: 2, goesOn: () => true, canceled: () => undefined });
    expect(await statuses(pipe.database, tenant)).toEqual({ canceled: 3 });
    expect(await deleteOldDeliveries(pipe.database, 30)).toBe(0);
    await pipe.database.query({
      text: "update deliveries set ended_at = now() - interval '31 days' where tenant_id = $1",
      values: [tenant],
    });
    expect(await deleteOldDeliveries(pipe.database, 30, 2)).toBe(2);
    expect(await deleteOldDeliveries(pipe.database, 30, 2)).toBe(1);
    const { rows } = await pipe.database.query({
      text: "select count(*) as count from delivery_attempts where tenant_id = $1",
      values: [tenant],
    });
    // On a server they go with their month: see test/partitions.test.ts.
    expect(rows).toEqual([{ count: kind === "embedded" ? 0 : 3 }]);
  });

  it("a claim goes round: each endpoint has its turn, however much waits for another", async () => {
    const tenants = await Promise.all(Array.from({ length: 5 }, () => newTenant(pipe.database)));
    // Nobody delivers meanwhile.
    await worker.stop();
    try {
      const endpoints: string[] = [];
      for (const [index, tenant] of tenants.entries()) {
        endpoints.push((await newEndpoint(pipe.database, tenant, `https://example.com/${tenant}`)).id);
        await tell(pipe.database, tenant, index === 2 ? 500 : 3);
      }
      const ours = new Set(endpoints);
      const rooms = new Map([[endpoints[0] ?? "", 0]]);
      const limits = { all: 8, perEndpoint: 2, rooms, without: [tenants[1] ?? ""] };
      const seen = new Map<string, number>();
      let behind = "";
      for (let look = 0; look < 4; look += 1) {
        const claim = await pipe.database.transaction((tx) =>
          claimDeliveries(tx, `clm_${look}`, 60, { ...limits, behind }),
        );
        behind = claim.behind;
        for (const { endpointId } of claim.claimed.filter((one) => ours.has(one.endpointId)))
          seen.set(endpointId, (seen.get(endpointId) ?? 0) + 1);
      }
      expect(endpoints.map((id) => seen.get(id) ?? 0)).toEqual([0, 0, 8, 3, 3]);
      const state = await deliveryQueueState(pipe.database, Date.now());
      expect(state.pending).toBeGreaterThanOrEqual(512);
      expect(state.tenants.map(({ tenantId }) => tenantId)).toEqual(expect.arrayContaining(tenants));
    } finally {
      for (const tenant of tenants)
        await pipe.database.query({ text: "delete from delivery_queue where tenant_id = $1", values: [tenant] });
      worker = startWorker(pipe.database);
    }
  });
});
