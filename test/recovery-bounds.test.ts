// How far back a recovery reaches: not behind what is known of deliveries, or what was delivered would be sent again.
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { idSource, newId } from "../src/base/ids.ts";
import { manualClock, systemClock } from "../src/base/clock.ts";
import { deleteOldEvents } from "../src/outbox/event-table.ts";
import { recoverDue } from "../src/outbox/recoveries.ts";
import { type Answer, type Door, openDoor } from "./support/api-door.ts";
import { registerTenant, send, type TestTenant } from "./support/people.ts";
import { BOTH } from "./support/pipe.ts";

const ENDPOINTS = "/api/v1/webhook-endpoints/";
const DAY_MS = 86_400_000;

describe.each(BOTH)("the range of a recovery, %s database", (kind) => {
  let door: Door;
  let tenant: TestTenant;
  let endpoint: string;
  beforeAll(async () => {
    door = await openDoor(kind, { deps: { deliveriesRetentionDays: 30 } });
    tenant = await registerTenant(door);
    const body = { url: "https://hooks.example/in", enabled_events: ["invoice.*"] };
    endpoint = String((await send(door, "POST", ENDPOINTS, { token: tenant.access, body })).json.id);
    for (const days of [40, 29.5, 28, 2]) {
      const id = idSource(manualClock(Date.now() - days * DAY_MS))("msg");
      await door.pipe.database.query({
        text: `insert into events (tenant_id, livemode, id, type, created, api_version, object_type, object_id, object)
               values ($1, false, $2, 'invoice.paid', now(), '2026-11-21', 'invoice', $3, '{}')`,
        values: [tenant.id, id, newId("acc")],
      });
    }
  });
  afterAll(async () => door.close());

  const ago = (days: number): string => new Date(Date.now() - days * DAY_MS).toISOString();
  const recover = async (body: object): Promise<Answer> =>
    send(door, "POST", `${ENDPOINTS}${endpoint}/recover/`, { token: tenant.access, body });

  it("ends a day before deliveries are forgotten, and the answer's `since` says so", async () => {
    for (const dry_run of [true, false]) {
      const { json } = await recover({ since: ago(60), dry_run });
      expect(json.count ?? json.total).toBe(2);
      const since = Date.parse(String(json.since));
      expect(Math.abs(since - (Date.now() - 29 * DAY_MS))).toBeLessThan(60_000);
    }
  });

  it("that lies wholly behind it is refused, with what to do instead", async () => {
    const { status, json } = await recover({ since: ago(60), until: ago(29.2) });
    expect([status, json.code, json.param]).toEqual([400, "invalid_request", "until"]);
    expect(json.message).toMatch(/is not known any more/);
  });

  // On a server months go whole: see partitions.test.ts.
  if (kind === "embedded")
    it("is kept until it was looked at, however old: retention takes only what lies behind", async () => {
      const { database } = door.pipe;
      await database.query("update recoveries set status = 'canceled', ended_at = now() where status = 'running'");
      const began = await recover({ since: ago(60), per_second: 2 });
      expect([began.status, began.json.total]).toEqual([202, 2]);
      const step = async (): Promise<void> => {
        await database.query("update recoveries set next_at = now()");
        await recoverDue({ database, clock: systemClock, wake: () => undefined, settleMs: 0 });
      };
      await step();
      await database.query("update events set created_at = now() - interval '91 days' where type = 'invoice.paid'");
      // Of the four, two lie before the range; one of the others waits to be delivered, one to be looked at.
      expect(await deleteOldEvents(database, 90, 100)).toBe(2);
      await step();
      await step();
      const { json } = await send(door, "GET", `/api/v1/recoveries/${String(began.json.id)}/`, {
        token: tenant.access,
      });
      expect(json).toMatchObject({ status: "done", total: 2, queued: 2 });
      await database.query("update deliveries set status = 'failed', ended_at = now()");
      expect(await deleteOldEvents(database, 90, 100)).toBe(2);
    });
});
