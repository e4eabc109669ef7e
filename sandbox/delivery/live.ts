// What belongs to a running world and is not kept: chaos, faults, CLIs that listen, and the deliveries under way.
import type { World } from "../core/world.ts";
import { type ChaosSettings, NO_CHAOS } from "./chaos.ts";
import type { Deliveries } from "./deliver.ts";
import { Faults } from "./faults.ts";
import { Listeners } from "./listeners.ts";

export interface Live {
  chaos: ChaosSettings;
  readonly faults: Faults;
  readonly listeners: Listeners;
  /** Undefined in a world that nothing is sent from. */
  deliveries: Deliveries | undefined;
}

const LIVE = new WeakMap<World, Live>();

export function liveOf(world: World): Live {
  let live = LIVE.get(world);
  if (live === undefined) {
    live = { chaos: NO_CHAOS, faults: new Faults(), listeners: new Listeners(world), deliveries: undefined };
    LIVE.set(world, live);
  }
  return live;
}
