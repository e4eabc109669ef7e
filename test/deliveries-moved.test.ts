// An endpoint that moves takes along what waits for it: nothing is sent to where it was, and nothing is lost.
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { changeEndpoint, SYSTEM } from "../src/outbox/endpoints.ts";
import {
  newEndpoint,
  newTenant,
  openTarget,
  RING,
  startWorker,
  statuses,
  tell,
  until,
} from "./support/delivery-scene.ts";
import { BOTH, openPipe, type Pipe } from "./support/pipe.ts";

describe.each(BOTH)("what waits for an endpoint, %s database", (kind) => {
  let pipe: Pipe;
  beforeAll(async () => {
    pipe = await openPipe(kind);
  });
  afterAll(() => pipe.close());

  it.each([
    ["when its url changes", []],
    ["when its url is taken away, and another one set before what waits was canceled", [null]],
  ])("is delivered to the new url, %s", async (_, between) => {
    const { database } = pipe;
    const tenantId = await newTenant(database);
    const [before, after] = [await openTarget(), await openTarget()];
    const { id } = await newEndpoint(database, tenantId, before.url, { first: true });
    await tell(database, tenantId, 5);
    for (const url of [...between, after.url])
      await database.transaction((tx) => changeEndpoint(tx, RING, { tenantId, id }, { url }, SYSTEM));
    const worker = startWorker(database);
    await until(async () => (await statuses(database, tenantId)).delivered === 5);
    await worker.stop();
    expect([before.got.length, after.got.length]).toEqual([0, 5]);
    await Promise.all([before.close(), after.close()]);
  });
});
