// An endpoint that moves takes along what waits for it: nothing is sent to where it was, and nothing is lost.
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { findEndpoint } from "../src/outbox/endpoint-table.ts";
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

  it.each([
    ["fails", 500, true],
    ["is delivered", 200, false],
  ])("says nothing of its new url where it %s at the old one after the change", async (_, code, isFailing) => {
    const { database } = pipe;
    const tenantId = await newTenant(database);
    const answers: (() => void)[] = [];
    const before = await openTarget((response) => answers.push(() => response.writeHead(code).end()));
    const { id } = await newEndpoint(database, tenantId, before.url);
    await tell(database, tenantId, 1);
    const worker = startWorker(database);
    await until(() => answers.length === 1);
    await database.transaction((tx) =>
      changeEndpoint(tx, RING, { tenantId, id }, { url: "https://moved.example/" }, SYSTEM),
    );
    const failing = { text: "update webhook_endpoints set failing_since = now() where id = $1", values: [id] };
    if (!isFailing) await database.query(failing);
    answers[0]?.();
    const attempted = { text: "select from deliveries where endpoint_id = $1 and attempts = 1", values: [id] };
    await until(async () => (await database.query(attempted)).rows.length === 1);
    const since = (await findEndpoint(database, { tenantId, id }))?.failingSince ?? null;
    expect(since === null).toBe(isFailing);
    await worker.stop();
    await before.close();
  });
});
