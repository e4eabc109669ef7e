// An endpoint that is given another mode gets nothing of the old one any more, also not what waited for it.
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { cancelInPieces, strandedEndpoints } from "../src/outbox/delivery-cancel.ts";
import { listDeliveries } from "../src/outbox/delivery-reads.ts";
import { newEndpoint, newTenant, openTarget, startWorker, tell } from "./support/delivery-scene.ts";
import { BOTH, openPipe, type Pipe } from "./support/pipe.ts";

describe.each(BOTH)("an endpoint's mode, %s database", (kind) => {
  let pipe: Pipe;
  beforeAll(async () => {
    pipe = await openPipe(kind);
  });
  afterAll(() => pipe.close());

  it("what waits of the mode that it no longer takes is canceled, not sent", async () => {
    const target = await openTarget();
    const tenantId = await newTenant(pipe.database);
    const { id } = await newEndpoint(pipe.database, tenantId, target.url);
    for (const livemode of [true, false]) await tell(pipe.database, tenantId, 3, { livemode });
    await pipe.database.query({ text: "update webhook_endpoints set livemode = true where id = $1", values: [id] });
    const worker = startWorker(pipe.database);
    const statuses = async (livemode: boolean) =>
      (await listDeliveries(pipe.database, { tenantId, livemode, limit: 10 })).map(({ status }) => status);
    await expect.poll(() => statuses(false), { timeout: 10_000 }).toEqual(["canceled", "canceled", "canceled"]);
    await expect.poll(() => statuses(true), { timeout: 10_000 }).toEqual(["delivered", "delivered", "delivered"]);
    await worker.stop();
    expect(target.got).toHaveLength(3);
    await target.close();
  });

  it("what waits for long of the mode that it no longer takes is found, and canceled alone", async () => {
    const { database } = pipe;
    const tenantId = await newTenant(database);
    const made = { both: null, live: true, test: false } as const;
    const ids = new Map<string, string>();
    for (const [name, livemode] of Object.entries(made))
      ids.set(name, (await newEndpoint(database, tenantId, "https://example.com/", { livemode })).id);
    for (const livemode of [true, false]) await tell(database, tenantId, 4, { livemode });
    await database.query("update delivery_queue set next_attempt_at = now() + interval '1 day'");
    expect(await strandedEndpoints(database, 10)).toEqual([]);
    const moved = { tenantId, endpointId: ids.get("live") ?? "" };
    await database.query({
      text: "update webhook_endpoints set livemode = false where id = $1",
      values: [moved.endpointId],
    });
    await tell(database, tenantId, 2, { livemode: false });
    expect(await strandedEndpoints(database, 10)).toEqual([moved]);
    const counts: number[] = [];
    const inPieces = { limit: 3, goesOn: () => true, canceled: (count: number) => counts.push(count) };
    for (const endpointId of ids.values()) await cancelInPieces(database, { tenantId, endpointId }, inPieces);
    expect(counts).toEqual([0, 3, 1, 0]);
    expect(await strandedEndpoints(database, 10)).toEqual([]);
    const left = async (name: string) => {
      const { rows } = await database.query({
        text: "select livemode, status, count(*) as count from deliveries where endpoint_id = $1 group by 1, 2 order by 1",
        values: [ids.get(name)],
      });
      return rows;
    };
    const [test, live] = [{ livemode: false, status: "pending" }, { livemode: true }];
    expect(await left("both")).toEqual([
      { ...test, count: 6 },
      { ...live, status: "pending", count: 4 },
    ]);
    expect(await left("live")).toEqual([
      { ...test, count: 2 },
      { ...live, status: "canceled", count: 4 },
    ]);
    expect(await left("test")).toEqual([{ ...test, count: 6 }]);
  });
});
