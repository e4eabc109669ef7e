// Delivering: claims what is due, of each endpoint in turn, and posts it, signed, as many at a time as may run.
import { setTimeout as sleep } from "node:timers/promises";

import { timeOfId } from "../base/ids.ts";
import { traced } from "../base/trace.ts";
import type { Database } from "../db/database.ts";
import { CLAIM_LIMIT_MS, type Found } from "../work/claim-loop.ts";
import { type Attempted, attemptDelivery, type AttemptOptions, type PreparedDelivery } from "./delivery-attempt.ts";
import type { ClaimedDelivery, DeliveryEnd } from "./claimed-delivery.ts";
import { CANCELED_AT_ONCE, cancelInPieces } from "./delivery-cancel.ts";
import { type DeliveryLanes, deliveryLanes, type LaneLimits } from "./delivery-lanes.ts";
import { type DeliveryResults, deliveryResults } from "./delivery-results.ts";
import { type AttemptOutcome, DELIVERY_ATTEMPTS } from "./delivery-schedule.ts";
import { claimDeliveries, releaseDeliveries, renewDeliveries } from "./delivery-tables.ts";
import { disableAndTell, type Lost } from "./endpoint-disabled.ts";
import { type DeliverySettings, deliverySettings, type EndpointKey, takesMode } from "./endpoint-table.ts";
import { eventsFor, type StoredEvent } from "./event-table.ts";

export interface DeliverOptions extends AttemptOptions {
  database: Database;
  limits: LaneLimits;
  /** Claims are renewed while an exchange lasts: a killed process's are taken over after this. */
  leaseSeconds: number;
  newLease: () => string;
  /** Where mails lead. */
  frontendUrl: string;
  metrics: DeliveryMetrics;
  onError: (error: unknown) => void;
  /** There may be more to claim. */
  onFree: () => void;
}

export interface DeliveryMetrics {
  /** `seconds`: of the exchange; undefined: there was none. */
  attempted: (outcome: AttemptOutcome | "unsigned", seconds: number | undefined) => void;
  /** `lag`: seconds from the event to its delivery, of a first round. */
  ended: (status: "delivered" | "failed" | "canceled", lag: number | undefined) => void;
  /** So many that were not claimed, because their endpoint does not take them any more. */
  canceled: (count: number) => void;
}

export interface Deliverer {
  /** Claims what is due and begins it, once there is room. It does not wait for what it began. */
  run(): Promise<Found>;
  /** Lets exchanges end, for so many milliseconds, and writes down what came of them. */
  stop(graceMs: number): Promise<void>;
}

/** Held from its claim until what came of it is written. */
interface Item extends PreparedDelivery {
  tenantId: string;
  endpointId: string;
  claimedUntil: number;
  failing: boolean;
}

const LOOK_EVERY = 500;
/** Milliseconds: an endpoint's work is claimed ahead until the next claim is there, and a little longer. */
const LEAST_AHEAD = 20;
/** Where as many as this part of all places are claimed and wait for one, more is claimed only after GATHER_MS. */
const PLENTY_PART = 1 / 8;
/** What falls due meanwhile shares a claim: what a claim costs in all is more than what each of its deliveries does. */
const GATHER_MS = 8;

export function deliverer(options: DeliverOptions): Deliverer {
  return new DeliveryWorker(options);
}

class DeliveryWorker implements Deliverer {
  readonly #options: DeliverOptions;
  readonly #lanes: DeliveryLanes<Item>;
  readonly #results: DeliveryResults<Ended>;
  /** By the delivery's id: from its claim until what came of it is written, or it is released. */
  readonly #held = new Map<string, Item>();
  readonly #exchanging = new Set<Item>();
  readonly #abort = new AbortController();
  readonly #timer: NodeJS.Timeout;
  readonly #waiters: (() => void)[] = [];
  #behind = "";
  /** Milliseconds, of the latest claims. */
  #claimTook = 0;
  #ended = false;
  #renewing = false;
  #releasing: Promise<void> = Promise.resolve();
  /** Endpoints to disable, by their ids: also those with which it failed. Lost by a kill: the next exchange tells it again. */
  readonly #lost = new Map<string, Lost>();
  #disabling: Promise<void> | undefined;

  constructor(options: DeliverOptions) {
    this.#options = options;
    this.#lanes = deliveryLanes<Item>(options.limits);
    this.#results = deliveryResults<Ended>({
      database: options.database,
      enough: Math.ceil(options.limits.all / 4),
      onWritten: (end, written) => {
        this.#written(end, written);
      },
      afterBatch: (batch, failing) => {
        this.#afterBatch(batch, failing);
      },
      onError: options.onError,
    });
    this.#timer = setInterval(() => {
      this.#look();
    }, LOOK_EVERY);
    this.#timer.unref();
  }

  /** Looks go on from endpoint to endpoint: nothing was found only once they came round to where they began. */
  async run(): Promise<Found> {
    const from = this.#behind;
    let passedTheEnd = from === "";
    for (;;) {
      const found = await this.#claimOnce();
      if (found !== "none" || this.#isEnded()) return found;
      const at = this.#behind;
      if (passedTheEnd && (at === "" || (from !== "" && at >= from))) return "none";
      passedTheEnd ||= at === "";
    }
  }

  /** What one look finds, at as many endpoints as it takes. */
  async #claimOnce(): Promise<Found> {
    while (!this.#ended && !this.#mayClaim()) await this.#freed();
    const pause = this.#mayGather();
    if (pause >= 1) await sleep(pause);
    if (this.#isEnded()) return "none";
    const after = this.#behind;
    const { items, behind, ends, parked } = await this.#claim();
    this.#behind = behind;
    if (this.#isEnded()) {
      await this.#release(items);
      return "none";
    }
    for (const item of items) this.#held.set(item.delivery.id, item);
    for (const end of ends) this.#results.add(end);
    this.#lanes.add(items, { after, upTo: behind });
    this.#begin();
    return items.length + ends.length > 0 ? "full" : parked > 0 ? "some" : "none";
  }

  async stop(graceMs: number): Promise<void> {
    const { clock } = this.#options;
    this.#ended = true;
    this.#free();
    clearInterval(this.#timer);
    this.#lanes.clear();
    this.#releaseGivenBack();
    const until = clock.monotonic() + graceMs;
    while (this.#exchanging.size > 0 && clock.monotonic() < until) await sleep(10);
    // What has not ended by now is sent again by whoever claims it.
    const cutOff = [...this.#exchanging];
    this.#exchanging.clear();
    this.#abort.abort();
    await this.#release(cutOff);
    this.#results.giveUp();
    await this.#results.idle();
    await this.#releasing;
    await this.#disabling;
  }

  /** Asked behind an await, during which it may have changed. */
  #isEnded(): boolean {
    return this.#ended;
  }

  #mayClaim(): boolean {
    const { all } = this.#options.limits;
    return this.#lanes.waiting() < all && this.#lanes.waiting() + this.#lanes.running() < 2 * all;
  }

  /** Milliseconds for which what falls due may gather: until an endpoint would run dry at most. */
  #mayGather(): number {
    const isPlenty = this.#lanes.waiting() > this.#options.limits.all * PLENTY_PART;
    return isPlenty ? Math.min(GATHER_MS, this.#lanes.lasts(this.#ahead()) - this.#claimTook) : 0;
  }

  /** Milliseconds until the claim after the next one has found something, at the latest. */
  #ahead(): number {
    return LEAST_AHEAD + GATHER_MS + 2 * this.#claimTook;
  }

  #freed(): Promise<void> {
    return new Promise((resolve) => this.#waiters.push(resolve));
  }

  #free(): void {
    for (const resolve of this.#waiters.splice(0)) resolve();
  }

  /** In one short transaction, which holds no lock that others wait for. A lost claim is only claimed again. */
  async #claim(): Promise<{ items: Item[]; ends: Ended[]; behind: string; parked: number }> {
    const { database, clock, newLease, leaseSeconds } = this.#options;
    const began = clock.monotonic();
    const limits = { ...this.#lanes.room(this.#ahead()), behind: this.#behind };
    const claimedUntil = began + leaseSeconds * 1000;
    const found = await database.transaction(
      async (tx) => {
        const { claimed, behind, parked } = await claimDeliveries(tx, newLease(), leaseSeconds, limits);
        // An event goes to several endpoints: it is read once.
        const keys = new Map(
          claimed.map(({ tenantId, livemode, eventId: id }) => [`${id}|${livemode}`, { tenantId, livemode, id }]),
        );
        const [events, settings] = await Promise.all([
          eventsFor(tx, [...keys.values()]),
          deliverySettings(tx, [...new Set(claimed.map(({ endpointId }) => endpointId))]),
        ]);
        return { ...prepared(claimed, events, settings, claimedUntil), behind, parked };
      },
      { durable: false, planOnce: true, limitMs: CLAIM_LIMIT_MS },
    );
    this.#claimTook += (clock.monotonic() - began - this.#claimTook) / 4;
    return found;
  }

  /** In flight is what has begun and is not written down: after a crash no more than that is sent again. */
  #begin(): void {
    while (!this.#ended && this.#lanes.running() + this.#results.waiting() < this.#options.limits.all) {
      const item = this.#lanes.begin(this.#options.clock.monotonic());
      if (item === undefined) break;
      this.#exchanging.add(item);
      void this.#deliver(item);
    }
    this.#releaseGivenBack();
  }

  /** Never rejects, as attemptDelivery does not. */
  async #deliver(item: Item): Promise<void> {
    const { id, tenantId } = item.delivery;
    const attempted = await traced("delivery.attempt", { object: "delivery", object_id: id, tenant: tenantId }, () =>
      attemptDelivery(this.#options, item, this.#abort.signal),
    );
    const more = this.#lanes.end(item, this.#options.clock.monotonic(), attempted.status === "delivered");
    // It was cut off by the end of this process, and released: nothing came of it.
    if (!this.#exchanging.delete(item)) return;
    this.#results.add(attempted);
    this.#begin();
    this.#free();
    if (more) this.#options.onFree();
  }

  #look(): void {
    this.#lanes.look(this.#options.clock.monotonic());
    this.#begin();
    this.#free();
    if (!this.#renewing) void this.#renew();
    this.#disableLost();
  }

  /** Of what is held for longer than a third of its claim the claim goes on. */
  async #renew(): Promise<void> {
    const { database, clock, leaseSeconds, onError } = this.#options;
    const now = clock.monotonic();
    const old = [...this.#held.values()].filter(({ claimedUntil }) => claimedUntil - now < (leaseSeconds * 2000) / 3);
    if (old.length === 0) return;
    this.#renewing = true;
    try {
      const ours = await database.transaction(
        (tx) =>
          renewDeliveries(
            tx,
            old.map(({ delivery }) => delivery),
            leaseSeconds,
          ),
        { durable: false, limitMs: (leaseSeconds * 1000) / 3 },
      );
      for (const item of old) if (ours.has(item.delivery.id)) item.claimedUntil = now + leaseSeconds * 1000;
    } catch (error) {
      // It is tried again at the next look; what is not ours any more is not begun.
      onError(error);
    } finally {
      this.#renewing = false;
    }
  }

  #releaseGivenBack(): void {
    const items = this.#lanes.givenBack();
    if (items.length === 0) return;
    this.#releasing = this.#releasing.then(async () => {
      await this.#release(items);
      // A claim of meanwhile, such as the one that their endpoint's last exchange woke, did not see them.
      this.#options.onFree();
    });
  }

  /** What cannot be released falls due when its claim ends. */
  async #release(items: readonly Item[]): Promise<void> {
    for (const { delivery } of items) this.#letGo(delivery);
    const claimed = items.map(({ delivery }) => delivery);
    await this.#options.database
      .transaction((tx) => releaseDeliveries(tx, claimed), { durable: false })
      .catch(this.#options.onError);
  }

  /** By a later claim it may be held again. */
  #letGo({ id, lease }: ClaimedDelivery): void {
    if (this.#held.get(id)?.delivery.lease === lease) this.#held.delete(id);
  }

  #written(end: Ended, written: boolean): void {
    const { log, metrics, clock } = this.#options;
    const { delivery, status } = end;
    this.#letGo(delivery);
    const first = delivery.again ? undefined : Math.max(0, clock.now() - timeOfId(delivery.id)) / 1000;
    if (written && status !== "pending") metrics.ended(status, first);
    if (end.prepared === undefined || end.outcome === undefined) return;
    const { event } = end.prepared;
    metrics.attempted(end.outcome, end.latencyMs === undefined ? undefined : end.latencyMs / 1000);
    log.unit("delivery.attempted", {
      ...{ object: "delivery", object_id: delivery.id, tenant: delivery.tenantId, livemode: delivery.livemode },
      ...{ endpoint: delivery.endpointId, event: event.id, event_type: event.type },
      ...{ attempt: delivery.attempts + 1, max_attempts: DELIVERY_ATTEMPTS },
      ...{ outcome: written ? status : "lease lost", code: end.outcome, status: end.attempt?.statusCode },
      ...{ duration_ms: end.latencyMs, lag_ms: first === undefined ? undefined : Math.round(first * 1000) },
      retry_in_ms: status === "pending" ? end.wait : undefined,
    });
  }

  #afterBatch(batch: readonly Ended[], failing: readonly EndpointKey[]): void {
    this.#begin();
    this.#free();
    for (const key of failing) this.#lost.set(key.id, { key, reason: "failing" });
    for (const { isGone, delivery, attempt } of batch)
      if (isGone === true)
        this.#lost.set(delivery.endpointId, {
          ...{ key: { tenantId: delivery.tenantId, id: delivery.endpointId }, reason: "gone", url: attempt?.url },
        });
    this.#disableLost();
    // The next in order is due only now.
    if (batch.some(({ delivery, status }) => delivery.orderingKey !== null && status !== "pending"))
      this.#options.onFree();
  }

  /** Nobody waits for it: results go on being written meanwhile. */
  #disableLost(): void {
    if (this.#lost.size === 0) return;
    this.#disabling ??= this.#disable().finally(() => {
      this.#disabling = undefined;
    });
  }

  async #disable(): Promise<void> {
    const { database, frontendUrl, metrics, onError } = this.#options;
    const limit = CANCELED_AT_ONCE[database.kind];
    const { canceled } = metrics;
    const disabled: { tenantId: string; endpointId: string }[] = [];
    for (const [id, lost] of [...this.#lost]) {
      try {
        await disableAndTell(database, lost, frontendUrl);
        if (this.#lost.get(id) === lost) this.#lost.delete(id);
        disabled.push({ tenantId: lost.key.tenantId, endpointId: id });
      } catch (error) {
        // It is still among the lost: tried again at the next look.
        onError(error);
      }
    }
    // Behind them all: a long backlog of one leaves no other enabled.
    for (const key of disabled) {
      try {
        await cancelInPieces(database, key, { limit, goesOn: () => !this.#isEnded(), canceled });
      } catch (error) {
        // Not tried again here: what still waits ends as it is claimed, or as `strandedEndpoints` finds it.
        onError(error);
      }
    }
  }
}

/** What an attempt came to, or what was ended without one. */
type Ended = DeliveryEnd & Partial<Omit<Attempted, keyof DeliveryEnd>>;

const TAKES_NOTHING = "The endpoint was deleted or disabled, has no url, or takes no events of this mode.";
const NOT_KEPT = "The event is not kept any more.";

/** What of them can be delivered, and how the others end. */
function prepared(
  claimed: readonly ClaimedDelivery[],
  events: readonly StoredEvent[],
  settings: readonly DeliverySettings[],
  claimedUntil: number,
): { items: Item[]; ends: Ended[] } {
  const eventById = new Map(events.map((event) => [event.id, event]));
  const settingsById = new Map(settings.map((one) => [one.id, one]));
  const items: Item[] = [];
  const ends: Ended[] = [];
  for (const delivery of claimed) {
    const event = eventById.get(delivery.eventId);
    const of = settingsById.get(delivery.endpointId);
    const { tenantId, endpointId } = delivery;
    if (event !== undefined && of !== undefined && takesMode(of, delivery.livemode))
      items.push({ tenantId, endpointId, claimedUntil, failing: of.failing, delivery, event, settings: of });
    else ends.push({ delivery, status: "canceled", wait: 0, error: event === undefined ? NOT_KEPT : TAKES_NOTHING });
  }
  return { items, ends };
}
