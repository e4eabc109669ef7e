// POST /_sandbox/trigger and /_sandbox/clock/advance: events of a type by real work, and time that passes when told to.
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { shapeProblems } from "../sandbox/core/conform.ts";
import { TRIGGERS } from "../sandbox/delivery/trigger-table.ts";
import { openSandbox, type OpenSandbox } from "./support/sandbox.ts";

let sandbox: OpenSandbox;
beforeAll(async () => {
  sandbox = await openSandbox();
});
afterAll(() => sandbox.close());

interface Triggered {
  raised: boolean;
  events: { id: string; type: string; account: string }[];
}

describe("a trigger", () => {
  it.each(Object.keys(TRIGGERS))("raises %s", async (type) => {
    const { status, json } = await sandbox.call("POST", "/_sandbox/trigger", `type=${type}`);
    expect([status, (json as unknown as Triggered).raised]).toEqual([200, true]);
    for (const event of sandbox.events(type)) expect(shapeProblems(event)).toEqual([]);
  });

  it("is listed", async () => {
    const { json } = await sandbox.call("GET", "/_sandbox/trigger");
    expect(json).toEqual({ data: Object.keys(TRIGGERS) });
  });

  it("works in live mode too", async () => {
    const { json } = await sandbox.call("POST", "/_sandbox/trigger", "type=customer.created&livemode=true");
    const [event] = (json as unknown as Triggered).events;
    expect(sandbox.events().find(({ id }) => id === event?.id)?.livemode).toBe(true);
  });

  it.each(["nothing.happened", "constructor", ""])("of %j is refused", async (type) => {
    const { status, json } = await sandbox.call("POST", "/_sandbox/trigger", `type=${type}`);
    expect([status, json]).toMatchObject([400, { error: { param: "type" } }]);
  });
});

describe("the clock", () => {
  it("set forward renews what has fallen due, in the order of time", async () => {
    const own = await openSandbox();
    await own.call("POST", "/_sandbox/trigger", "type=customer.subscription.created");
    const { status } = await own.call("POST", "/_sandbox/clock/advance", `seconds=${32 * 24 * 3600}`);
    expect(status).toBe(200);
    const renewal = own
      .events("invoice.created")
      .map(({ data }) => (data.object as { billing_reason: string }).billing_reason);
    expect(renewal).toEqual(["subscription_create", "subscription_cycle"]);
    const times = own.events().map(({ created }) => created);
    expect(times).toEqual(times.toSorted((one, other) => one - other));
    await own.close();
  });

  it.each(["", "seconds=0", "seconds=-5", "seconds=x", "seconds=1.5", "seconds=99999999999"])(
    "refuses %j",
    async (form) => {
      expect((await sandbox.call("POST", "/_sandbox/clock/advance", form)).status).toBe(400);
    },
  );
});
