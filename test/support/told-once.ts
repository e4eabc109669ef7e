// What must hold of events once they are told, for the tests of order: updates say what stands, and nothing is told again.
import { expect } from "vitest";

import { systemClock } from "../../src/base/clock.ts";
import { loadLiveRow } from "../../src/inbox/live-rows.ts";
import { rebuild } from "../../src/inbox/rebuild.ts";
import { replayRange } from "../../src/inbox/replay.ts";
import { PROJECTIONS } from "../../src/projections/registry.ts";
import type { Pipe } from "./pipe.ts";

/** Changes are told as batches come, and coalesce: each head at most once, and the last told is what stands. */
export async function expectLastUpdatesStand(pipe: Pipe, suffixes: readonly string[]): Promise<void> {
  const { rows } = await pipe.database.query<{ type: string; id: string; head: string; object: string; last: boolean }>(
    {
      text: `select event.type, event.object_id as id, fact.observation_id as head, event.object,
                  event.id = max(event.id) over (partition by event.object_id) as last
           from events as event join facts as fact on fact.event_id = event.id and fact.type = event.type
           where event.object_id like any ($1) and event.type = any ($2)`,
      values: [suffixes.map((suffix) => `%${suffix}`), PROJECTIONS.flatMap(({ updated }) => updated ?? [])],
    },
  );
  expect(new Set(rows.map(({ id, head }) => `${id} ${head}`)).size).toBe(rows.length);
  for (const { type, id, object } of rows.filter(({ last }) => last)) {
    const projection = PROJECTIONS.find(({ updated }) => updated === type);
    const objectType = projection?.objects[0] ?? "";
    const row = (await loadLiveRow(pipe.database, { livemode: false, account: "", objectType, objectId: id })) ?? {};
    if (row.deleted === true) continue;
    const said = JSON.parse(object) as Record<string, unknown>;
    for (const name of [...(projection?.tracked ?? []), ...(projection?.alsoTold ?? [])].filter(
      (column) => column in said,
    ))
      expect([name, said[name]]).toEqual([name, row[name]]);
  }
}

/** What was told stays told once, whatever is processed again. */
export async function expectNothingToldAgain(pipe: Pipe): Promise<void> {
  const count = async (): Promise<unknown> =>
    (await pipe.database.query("select count(*) as events, count(distinct id) as ids from events")).rows;
  const before = await count();
  await replayRange(pipe.database, { types: [] });
  await Promise.all([pipe.drain({ batchSize: 50 }), pipe.drain({ batchSize: 7 })]);
  await settle(pipe, 50);
  const { platformTenant } = pipe;
  const silent = { onProgress: () => undefined, onDifference: () => undefined };
  await rebuild({ database: pipe.database, clock: systemClock, platformTenant, check: false, ...silent });
  expect(await count()).toEqual(before);
}

/** What two workers gave back to each other falls due a moment later. */
export async function settle(pipe: Pipe, batchSize: number): Promise<void> {
  for (let left = 1; left > 0;) {
    await pipe.drain({ batchSize });
    left =
      (await pipe.database.query<{ count: number }>("select count(*) as count from stripe_event_queue")).rows[0]
        ?.count ?? 0;
    await pipe.database.query("update stripe_event_queue set next_attempt_at = now() where attempts < 2");
  }
}
