// An endpoint that is given another mode gets nothing of the old one any more, also not what waited for it.
import { afterAll, beforeAll, describe, expect, it } from "vitest";

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
});
