// The operator's door: what arrived, how it ended, how the billing state came to be, replay and rebuild; on both databases.
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { systemClock } from "../src/base/clock.ts";
import type { Wire } from "./support/api-door.ts";
import {
  at,
  CONNECTED,
  customer,
  EMAIL,
  EVENTS,
  expectDocumented,
  idsOf,
  openScene,
} from "./support/operator-scene.ts";
import type { ListPage, Scene } from "./support/operator-scene.ts";
import { BOTH } from "./support/pipe.ts";
import { BEGIN, event, NEW_API } from "./support/stripe-fixtures.ts";
import { newInvoice, PAID } from "./support/stripe-fixtures-billing.ts";

/** The last of a rebuild's lines, and those between that tell a difference. */
function told(text: string): { last: Wire; differences: Wire[] } {
  const lines = text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as Wire);
  const differences = lines.flatMap(({ difference }) => (difference === undefined ? [] : [difference as Wire]));
  return { last: lines.at(-1) ?? {}, differences };
}

describe.each(BOTH)("on the %s database, the operator", (kind) => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await openScene(kind);
  });
  afterAll(async () => scene.close());

  it("sees every event with how it ended", async () => {
    const { data, has_more, next_cursor } = await scene.list("stripe-events/?limit=100");
    expect([data.length, has_more, next_cursor]).toEqual([EVENTS.length, false, null]);
    const statuses = Object.fromEntries(data.map((one) => [one.id, one.status]));
    expect(statuses).toMatchObject({
      evt_op_paid: "processed",
      evt_op_ignored: "ignored",
      evt_op_unrouted: "unrouted",
      evt_op_strange: "processed",
    });
    expect(data.find(({ id }) => id === "evt_op_unrouted")).toMatchObject({
      account: CONNECTED,
      tenant_id: null,
      attempts: 1,
    });
    expect(data.find(({ id }) => id === "evt_op_paid")).toMatchObject({
      stripe_event_id: "evt_op_paid",
      type: "invoice.paid",
      event_type: "invoice.paid",
      api_version: NEW_API,
      object_type: "invoice",
      object_id: "in_op",
      customer_id: "cus_op",
      account: null,
      source: "webhook",
      created: new Date((BEGIN + 4) * 1000).toISOString(),
      attempts: 1,
      last_error: null,
    });
  });

  it("sees one event whole: the payload digit for digit, and what it changed", async () => {
    const text = JSON.stringify(
      event(
        "invoice.updated",
        newInvoice({ id: "in_op", customer: "cus_op", customer_email: EMAIL, ...PAID, number: "OP-2" }),
        at(11, "evt_op_exact"),
      ),
    );
    const sent = text.replace('"object":"event"', '"object":"event","exact":12345678901234567890.10');
    await scene.door.webhook(sent);
    await scene.door.pipe.drain();
    const answer = await scene.door.admin("GET", "stripe-events/evt_op_exact/");
    expectDocumented("stripe-events/evt_op_exact/", answer);
    expect(answer.text).toContain(`"payload":${sent}}`);
    expect(answer.json).toMatchObject({
      status: "processed",
      head: true,
      failed_attempts: [],
      changes: [{ field: "number", after: "OP-2" }],
    });
    const paid = await scene.get("stripe-events/evt_op_paid/");
    expect(paid.changes).toContainEqual({ field: "status", before: "draft", after: "paid" });
    expect((await scene.door.admin("GET", "stripe-events/evt_nobody/")).json.code).toBe("not_found");
  });

  it("sees any object with its story, newest first", async () => {
    const found = await scene.get("objects/in_op/");
    expect(found).toMatchObject({
      id: "in_op",
      object_type: "invoice",
      livemode: false,
      account: null,
      table: "invoices",
      row: { status: "paid", stripe_account: null },
      snapshot: { object: "invoice" },
      others: [],
    });
    const { data } = found.story as ListPage;
    expect(data.map(({ event_id }) => event_id)).toEqual(["evt_op_exact", "evt_op_paid", "evt_op_draft"]);
    expect(data.map(({ head }) => head)).toEqual([true, false, false]);
    expect(await scene.get("objects/op_coupon/")).toMatchObject({
      object_type: "coupon",
      table: "stripe_objects",
      snapshot: { percent_off: 5 },
    });
    expect(await scene.get("objects/in_op_connected/")).toMatchObject({
      account: CONNECTED,
      row: null,
      snapshot: null,
    });
    expect((await scene.door.admin("GET", "objects/in_nobody/")).status).toBe(404);
  });

  it("sees a customer's billing log", async () => {
    const { data } = await scene.list("billing-log/?customer=cus_op&limit=100");
    expect(data.map(({ event_id }) => event_id)).toEqual(
      expect.arrayContaining(["evt_op_customer", "evt_op_sub", "evt_op_draft", "evt_op_paid"]),
    );
    expect((await scene.get("billing-log/?limit=1")).has_more).toBe(true);
  });

  it("replays one event, and is told when there is none", async () => {
    scene.woken = 0;
    expect((await scene.door.admin("POST", "stripe-events/evt_nobody/replay/")).status).toBe(404);
    const answer = await scene.door.admin("POST", "stripe-events/evt_op_ignored/replay/");
    expect([answer.status, answer.json, scene.woken]).toEqual([202, { replayed: 1 }, 1]);
    expect((await scene.get("stripe-events/evt_op_ignored/")).status).toBe("pending");
    expect(idsOf(await scene.list("stripe-events/?status=pending"))).toEqual(["evt_op_ignored"]);
    await scene.door.pipe.drain();
    expect((await scene.get("stripe-events/evt_op_ignored/")).status).toBe("ignored");
    expect((await scene.door.admin("POST", "stripe-events/evt_op_ignored/replay/", { again: 1 })).status).toBe(400);
  });

  it("counts a range before replaying it", async () => {
    const range = { type: "invoice.paid,invoice.created", since: BEGIN, until: BEGIN + 5 };
    const counted = await scene.door.admin("POST", "stripe-events/replay/", { ...range, dry_run: true });
    expect([counted.status, counted.json]).toEqual([200, { count: 2, dry_run: true }]);
    expect(idsOf(await scene.list("stripe-events/?status=pending"))).toEqual([]);
    const replayed = await scene.door.admin("POST", "stripe-events/replay/", range);
    expect([replayed.status, replayed.json]).toEqual([202, { count: 2, dry_run: false }]);
    await scene.door.pipe.drain();
    expect((await scene.get("invoices/in_op/")).status).toBe("paid");
    for (const bad of [{}, { dry_run: true }, { type: "invoice.*" }, { since: "soon" }, { nonsense: 1 }]) {
      expect((await scene.door.admin("POST", "stripe-events/replay/", bad)).status).toBe(400);
    }
  });

  it("replays the events of one mode, or of both; the mode alone is no range", async () => {
    for (const livemode of [true, false]) {
      const more = { ...at(20, `evt_op_mode_${String(livemode)}`), livemode };
      await scene.door.webhook(JSON.stringify(event("customer.updated", customer("cus_op_modes", { livemode }), more)));
    }
    await scene.door.pipe.drain();
    const range = { object_id: "cus_op_modes" };
    const counted = async (more: object): Promise<unknown> =>
      (await scene.door.admin("POST", "stripe-events/replay/", { ...range, ...more, dry_run: true })).json.count;
    expect([await counted({}), await counted({ livemode: true }), await counted({ livemode: false })]).toEqual([
      2, 1, 1,
    ]);
    expect((await scene.door.admin("POST", "stripe-events/replay/", { ...range, livemode: true })).status).toBe(202);
    expect(idsOf(await scene.list("stripe-events/?status=pending"))).toEqual(["evt_op_mode_true"]);
    await scene.door.pipe.drain();
    expect((await scene.door.admin("POST", "stripe-events/replay/", { livemode: true })).status).toBe(400);
  });

  it("sees why an event failed", async () => {
    await scene.door.webhook(
      JSON.stringify(event("customer.updated", customer("cus_op_fails"), at(30, "evt_op_fails"))),
    );
    // A table that refuses this one customer.
    await scene.door.pipe.database.query("alter table customers add constraint refuses check (id <> 'cus_op_fails')");
    for (let tries = 0; tries < 3; tries++) {
      await scene.door.pipe.database.query("update stripe_event_queue set next_attempt_at = now()");
      await scene.door.pipe.drain();
    }
    await scene.door.pipe.database.query("alter table customers drop constraint refuses");
    const failed = await scene.get("stripe-events/evt_op_fails/");
    expect([failed.status, failed.attempts]).toEqual(["failed", 3]);
    expect(failed.failed_attempts).toHaveLength(3);
    expect(failed.last_error).toMatch(/refuses/);
    expect(idsOf(await scene.list("stripe-events/?status=failed"))).toEqual(["evt_op_fails"]);
    expect((await scene.get("overview/")).failed).toBe(1);
    await scene.door.admin("POST", "stripe-events/replay/", { status: "failed" });
    await scene.door.pipe.drain();
    expect(await scene.get("stripe-events/evt_op_fails/")).toMatchObject({ status: "processed", last_error: null });
  });

  it("rebuilds and sees what differs, line by line", async () => {
    await scene.door.pipe.database.query("update invoices set status = 'open' where id = 'in_op'");
    const checked = await scene.door.admin("POST", "rebuild/", { check: true });
    expect(checked.headers.get("content-type")).toBe("application/x-ndjson");
    const { differences, last } = told(checked.text);
    const [difference] = differences;
    expect(difference).toMatchObject({ object_id: "in_op", object_type: "invoice", table: "invoices", account: null });
    expect(difference?.columns).toContainEqual({ column: "status", live: "open", rebuilt: "paid" });
    expect(last).toMatchObject({ done: { differing: 1 } });
    expect((await scene.get("invoices/in_op/")).status).toBe("open");
    const [one, other] = await Promise.all([
      scene.door.admin("POST", "rebuild/", { check: false }),
      scene.door.admin("POST", "rebuild/", { check: false }),
    ]);
    expect([one.status, other.status].sort()).toEqual([200, 409]);
    expect((await scene.get("invoices/in_op/")).status).toBe("paid");
    expect(told((await scene.door.admin("POST", "rebuild/", { check: true })).text).last).toMatchObject({
      done: { differing: 0 },
    });
  });

  it("sees the whole at a glance", async () => {
    const overview = await scene.get("overview/");
    expect(overview).toMatchObject({
      pending: 0,
      failed: 0,
      unrouted: 1,
      ignored: 1,
      oldest_unprocessed_age_seconds: 0,
      lag_seconds: 0,
      ambiguous_rows: 0,
    });
    expect(overview.received).toMatchObject({ total: await scene.door.storedEvents(), total_is_estimate: false });
    const now = Math.floor(systemClock.now() / 1000);
    await scene.door.webhook(
      JSON.stringify(event("customer.updated", customer("cus_now"), { id: "evt_now", created: now })),
    );
    expect(await scene.get("overview/")).toMatchObject({ pending: 1, received: { last_hour: 1, last_day: 1 } });
  });
});
