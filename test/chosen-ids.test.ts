// Ids that people choose, of plans, coupons and products: projected, found and rebuilt. And a number as JSON may write it.
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { systemClock } from "../src/base/clock.ts";
import { rebuild } from "../src/inbox/rebuild.ts";
import { readEnvelope } from "../src/stripe/envelope.ts";
import { integer, time } from "../src/stripe/read-values.ts";
import { type Door, openDoor } from "./support/api-door.ts";
import { BEGIN, event, NEW_API } from "./support/stripe-fixtures.ts";
import { BOTH } from "./support/pipe.ts";

const plan = (id: string) => ({
  ...{ id, object: "plan", active: true, amount: 500, currency: "usd", interval: "month", interval_count: 1 },
  ...{ created: BEGIN, livemode: false, product: "prod_1", usage_type: "licensed", billing_scheme: "per_unit" },
});

describe.each(BOTH)("on the %s database", (kind) => {
  let door: Door;
  beforeAll(async () => {
    door = await openDoor(kind);
  });
  afterAll(() => door.close());

  let sent = 0;
  const arrive = async (type: string, object: Record<string, unknown>): Promise<void> => {
    sent += 1;
    const one = event(type, object, { id: `evt_chosen_${sent}`, created: BEGIN + sent, apiVersion: NEW_API });
    await door.pipe.arrive([{ event: { ...one } }]);
    await door.pipe.drain();
  };
  const differences = async (): Promise<unknown[]> => {
    const found: unknown[] = [];
    const { database, platformTenant } = door.pipe;
    await rebuild({
      ...{ database, clock: systemClock, platformTenant, check: true },
      ...{ onProgress: () => undefined, onDifference: (one) => found.push(one) },
    });
    return found;
  };

  it.each(["gold plan", "oro-año", "プラン", "50% off/année", "plan_1"])(
    "a plan and a coupon called %j have their rows, and are found by it",
    async (id) => {
      await arrive("plan.created", plan(id));
      await arrive("coupon.created", { id, object: "coupon", created: BEGIN, duration: "once", percent_off: 10 });
      const read = async (table: string) =>
        (await door.pipe.database.query({ text: `select id from ${table} where id = $1`, values: [id] })).rows;
      expect(await read("stripe_plans")).toEqual([{ id }]);
      expect(await read("stripe_objects")).toEqual([{ id }]);
      const shown = await door.admin("GET", `objects/${encodeURIComponent(id)}/`);
      expect(shown.status).toBe(200);
      expect(JSON.stringify(shown.json)).toContain(JSON.stringify(id));
      expect(await differences()).toEqual([]);
    },
  );

  it("a thin event names it as well", async () => {
    const related = { id: "gold plan", type: "plan", url: "/v1/plans/gold%20plan" };
    const thin = {
      ...{ id: "evt_thin_chosen", object: "v2.core.event", type: "v1.plan.updated" },
      related_object: related,
    };
    const reading = readEnvelope(
      Buffer.from(JSON.stringify({ ...thin, created: "2026-11-21T00:00:00Z", livemode: false })),
    );
    expect(reading).toMatchObject({ ok: true, envelope: { thin: true, relatedObject: related } });
  });

  it.each(["gold|plan", "line\nbreak", "nul\0", "half \ud800", " plan", "plan ", "a".repeat(256), ""])(
    "what can be no key (%j) is kept with its event, and nothing fails",
    async (id) => {
      await arrive("plan.created", plan(id));
      const { rows } = await door.pipe.database.query({
        text: "select object_id from stripe_events where id = $1",
        values: [`evt_chosen_${sent}`],
      });
      expect(rows).toEqual([{ object_id: null }]);
      expect(
        (await door.pipe.database.query("select * from stripe_event_outcomes where status = 'failed'")).rows,
      ).toEqual([]);
    },
  );
});

it("a -0, which JSON has and PostgreSQL has not, is a 0: rebuilt it would be a difference for ever", () => {
  expect(integer(JSON.parse("-0"))).toBe(0);
  expect(time(JSON.parse("-0"))).toBe(0);
});
