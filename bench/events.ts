// The bench's Stripe events: many lives side by side, seeded, the same bytes on every machine and for every product. Pure.
import { Chance } from "./chance.ts";
import { Life, liveCatalogue, liveOnePayment, liveSubscription } from "./lives.ts";
import type { Catalogue, Step } from "./lives.ts";
import { API_VERSION, party } from "./objects.ts";
import type { Shape } from "./objects.ts";

export interface BenchEvent {
  id: string;
  type: string;
  objectType: string;
  objectId: string;
  status: string | null;
  /** As Stripe sends it: indented by two spaces. About 4 KB. */
  body: string;
}

export interface StreamOptions {
  seed: number;
  count: number;
  /** Unix seconds: the first life begins here. */
  from: number;
}

/** Lives that go on at the same time: two events of one object are mostly this many events apart. */
const SIDE_BY_SIDE = 300;
const SHARE_OLD_SHAPE = 0.4;
const SHARE_ONE_PAYMENT = 0.3;
const LIVES_PER_CATALOGUE = 25;

export function* eventStream({ seed, count, from }: StreamOptions): Generator<BenchEvent> {
  const chance = new Chance(seed);
  const lives = livesFrom(chance, () => from + Math.floor(made / 20));
  const living: ActiveLife[] = [];
  let made = 0;
  while (made < count) {
    while (living.length < SIDE_BY_SIDE) living.push(lives.next().value);
    const at = chance.below(living.length);
    const life = living[at];
    const step = life?.steps[life.next++];
    if (life === undefined || step === undefined) {
      living.splice(at, 1);
      continue;
    }
    made += 1;
    yield eventOf(step, life.shape, chance);
  }
}

interface ActiveLife {
  steps: readonly Step[];
  next: number;
  shape: Shape;
}

function* livesFrom(chance: Chance, start: () => number): Generator<ActiveLife, never> {
  let catalogue: Catalogue = { price: "", product: "" };
  for (let number = 0; ; number++) {
    const shape: Shape = chance.is(SHARE_OLD_SHAPE) ? "old" : "new";
    if (number % LIVES_PER_CATALOGUE === 0) {
      catalogue = { price: chance.id("price"), product: chance.id("prod", 14) };
      const life = new Life(chance, start());
      liveCatalogue(life, catalogue);
      yield { steps: life.steps, next: 0, shape };
    }
    const life = new Life(chance, start());
    const live = chance.is(SHARE_ONE_PAYMENT) ? liveOnePayment : liveSubscription;
    live(life, party(chance, shape, life.now, catalogue));
    yield { steps: life.steps, next: 0, shape };
  }
}

function eventOf({ type, created, object, previous }: Step, shape: Shape, chance: Chance): BenchEvent {
  const id = chance.id("evt");
  const event = {
    ...{ id, object: "event", api_version: API_VERSION[shape], created },
    data: { object, ...(previous === null ? {} : { previous_attributes: previous }) },
    ...{ livemode: true, pending_webhooks: 1 },
    ...{ request: { id: chance.id("req", 13), idempotency_key: null }, type },
  };
  return {
    ...{ id, type, objectType: String(object.object), objectId: String(object.id) },
    status: typeof object.status === "string" ? object.status : null,
    body: JSON.stringify(event, null, 2),
  };
}

/** What must be in the tables when all of a stream has been projected: per kind, each object's last status. */
export function lastStates(options: StreamOptions): Map<string, Map<string, string | null>> {
  const kinds = new Map<string, Map<string, string | null>>();
  for (const { objectType, objectId, status } of eventStream(options)) {
    const objects = kinds.get(objectType) ?? new Map<string, string | null>();
    kinds.set(objectType, objects.set(objectId, status));
  }
  return kinds;
}
