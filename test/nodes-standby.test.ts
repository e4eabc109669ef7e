// A synchronous standby becomes the primary in the middle of a load, through PgBouncer: what was answered is on it.
import { afterEach, expect, it } from "vitest";

import { type Load, startLoad } from "./support/nodes-load.ts";
import { drained, expectAllOnce } from "./support/nodes-proof.ts";
import { type NodesScene, openNodesScene } from "./support/nodes-scene.ts";
import { withoutPgbouncer } from "./support/pgbouncer.ts";

const LONG = process.env.BILLHOOK_TEST_LONG === "1";
const SALES = LONG ? 1000 : 100;
/** Events that are answered before the primary is lost, and that are answered after it. */
const AROUND = LONG ? 5000 : 300;

let scene: NodesScene | undefined;
let load: Load | undefined;
afterEach(async () => {
  await load?.abandon();
  await scene?.close();
});

it.skipIf(withoutPgbouncer())(
  "the loss of the primary under load loses no answered event and doubles no effect, and the nodes go on by themselves",
  async () => {
    scene = await openNodesScene({ sales: SALES, standby: true });
    const { nodes, sales, customer } = scene;
    load = startLoad(nodes.doors, { customer, purchases: sales.events, senders: 12, spenders: 2 });
    await load.reached(AROUND);
    await scene.failOver();
    const before = load.answered.size;
    await load.reached(before + AROUND);
    await load.finish();
    await drained(nodes, LONG ? 300 : 60);
    await expectAllOnce({ database: scene.database(), nodes, load, sales, customer });
    // Nobody was killed or started again.
    expect(await nodes.stop(), nodes.log()).toEqual([0, 0, 0, 0]);
    process.stdout.write(
      `answered: ${before} events before, ${load.answered.size - before} after, ${load.spent.size} spends; ` +
        `again: ${JSON.stringify(load.again)}; longest silence ${(load.longestSilence / 1000).toFixed(1)} s\n`,
    );
  },
  LONG ? 1_200_000 : 300_000,
);
