// Several nodes on one PostgreSQL, through PgBouncer in transaction mode: any of them may die at any moment.
import { afterEach, expect, it } from "vitest";

import { type Load, startLoad } from "./support/nodes-load.ts";
import { drained, expectAllOnce } from "./support/nodes-proof.ts";
import { type NodesScene, openNodesScene } from "./support/nodes-scene.ts";
import { withoutPgbouncer } from "./support/pgbouncer.ts";

const LONG = process.env.BILLHOOK_TEST_LONG === "1";
/** Of each role. */
const KILLS = LONG ? 60 : 4;
const SALES = LONG ? 1500 : 100;

let scene: NodesScene | undefined;
let load: Load | undefined;
afterEach(async () => {
  await load?.abandon();
  await scene?.close();
});

it.skipIf(withoutPgbouncer()).each([
  ["a second after each came up", false],
  ["one each second, up or not", true],
])(
  `${KILLS} kills of an API node and as many of a worker, %s, lose no answered event and double no effect`,
  async (_, evenIfNotUp) => {
    scene = await openNodesScene({ sales: SALES });
    const { nodes, sales, customer } = scene;
    const began = performance.now();
    load = startLoad(nodes.doors, { customer, purchases: sales.events, senders: 12, spenders: 2 });
    await nodes.killEachSecond(KILLS, { evenIfNotUp });
    const seconds = (performance.now() - began) / 1000;
    await nodes.ready();
    await load.finish();
    await drained(nodes, LONG ? 600 : 60);
    await expectAllOnce({ database: scene.database(), nodes, load, sales, customer });
    expect(load.answered.size).toBeGreaterThan(sales.events.length);
    process.stdout.write(
      `${nodes.kills.api} API nodes and ${nodes.kills.work} workers killed in ${seconds.toFixed(0)} s; answered: ` +
        `${load.answered.size} events, ${load.spent.size} spends; again: ${JSON.stringify(load.again)}; ` +
        `longest silence ${(load.longestSilence / 1000).toFixed(1)} s\n`,
    );
  },
  LONG ? 1_800_000 : 180_000,
);
