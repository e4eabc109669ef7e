// Which claimed deliveries may begin now: so many in all, of a tenant and of an endpoint, and fewer where answers are slow. Pure.
import { lastsOf, type LaneState, roomOf, shareOf } from "./lane-room.ts";

export interface LaneLimits {
  /** Exchanges at the same time, in this process. */
  all: number;
  /** Of them, those with one endpoint. */
  perEndpoint: number;
}

export interface LaneItem {
  tenantId: string;
  endpointId: string;
  /** Milliseconds on a clock that never goes back: until then it is claimed. */
  claimedUntil: number;
  /** Its endpoint's latest attempts have failed: where we know nothing else, it begins as a slow one. */
  failing?: boolean;
}

export interface Room {
  /** How many more may be claimed. */
  all: number;
  /** Of an endpoint that `rooms` does not name. */
  perEndpoint: number;
  rooms: Map<string, number>;
  /** Tenants that have as much as they may. */
  without: string[];
}

/** Endpoints that a claim looked at, by their ids: behind `after`, as far as `upTo`. Empty: from the first one, to the last one. */
export interface Looked {
  after: string;
  upTo: string;
}

export interface DeliveryLanes<Item extends LaneItem> {
  /** `ahead`: for so many milliseconds, until the next claim, an endpoint's work may be claimed. */
  room(ahead: number): Room;
  /** They wait until there is a place. `looked`: where of these endpoints nothing was found, nothing was due, or there was no room. */
  add(items: readonly Item[], looked?: Looked): void;
  /** The next one that may begin now; it has a place from now on. Endpoints take turns. */
  begin(now: number): Item | undefined;
  /** Its place is free. `delivered` says how its exchange went. Returns whether more may be due for its endpoint. */
  end(item: Item, now: number, delivered: boolean): boolean;
  /** Where an exchange lasts too long already, its endpoint is slow. */
  look(now: number): void;
  /** Those that waited and will not begin here: to be released. Forgotten by this call. */
  givenBack(): Item[];
  /** Gives back all that wait. */
  clear(): void;
  waiting(): number;
  running(): number;
  /** Milliseconds until an endpoint that a claim so far `ahead` may bring more has begun what waits for it; Infinity: none. */
  lasts(ahead: number): number;
}

/** What a tenant may have of all places. */
const TENANTS_PART = 1 / 4;
/** What endpoints that are slow or fail may have together. */
const SLOW_PART = 1 / 2;
/** Places of an endpoint whose answers we do not know yet. */
const FIRST_WINDOW = 2;
/** Milliseconds: an answer that takes longer is slow. */
const SLOW_MS = 2000;
/** What an exchange with an endpoint that we do not know yet may take. Milliseconds. */
const FIRST_AVERAGE = 40;
/** Its claim must not end just as it begins. */
const MARGIN_MS = 500;
/** How many endpoints are remembered while nothing runs for them. */
const REMEMBERED = 10_000;
/** How much the latest exchange counts in the average. */
const LATEST = 0.2;

interface Lane<Item> extends LaneState {
  endpointId: string;
  tenantId: string;
  waiting: Item[];
  /** With when each began. */
  running: Map<Item, number>;
  /** Late deliveries since the window grew by them. */
  late: number;
  /** Claims may have left out what is due for it. */
  more: boolean;
  /** Of the latest claim that named it: which one, what it asked for and whether that is less than there was room for, what it got. */
  claim: number;
  asked: number;
  isCut: boolean;
  got: number;
  /** What may well be due for it: hardly more than it got, where that was less than it asked for. */
  need: number;
  /** The latest claim that looked at it found nothing. */
  idle: boolean;
}

export function deliveryLanes<Item extends LaneItem>(limits: LaneLimits): DeliveryLanes<Item> {
  return new Lanes<Item>(limits);
}

class Lanes<Item extends LaneItem> implements DeliveryLanes<Item> {
  readonly #limits: LaneLimits;
  /** The one that was used longest ago first. */
  readonly #lanes = new Map<string, Lane<Item>>();
  /** Those with something that waits or runs. */
  readonly #active = new Set<Lane<Item>>();
  /**
   * The latest that came to rest, of all tenants, until a claim finds nothing for them: quick ones do so while the next claim is
   * on its way.
   */
  readonly #resting = new Set<Lane<Item>>();
  readonly #slow = new Set<Lane<Item>>();
  /** Those with something that waits, the next in turn first. */
  readonly #turns = new Set<Lane<Item>>();
  /** Those that run, and with those that wait, by tenant. */
  readonly #runningOf = new Map<string, number>();
  readonly #heldOf = new Map<string, number>();
  #claims = 0;
  #waiting = 0;
  #running = 0;
  /** Of slow endpoints. */
  #runningSlow = 0;
  #heldSlow = 0;
  #givenBack: Item[] = [];

  constructor(limits: LaneLimits) {
    this.#limits = limits;
  }

  waiting(): number {
    return this.#waiting;
  }

  running(): number {
    return this.#running;
  }

  lasts(ahead: number): number {
    let least = Infinity;
    for (const lane of this.#active) {
      const mayClaim = lane.more && !lane.slow && this.#leftOf(lane.tenantId) > 0 && roomOf(lane, ahead) > 0;
      if (mayClaim) least = Math.min(least, lastsOf(lane));
    }
    return least;
  }

  room(ahead: number): Room {
    const rooms = new Map<string, number>();
    const full = this.#heldSlow >= this.#mostSlow();
    if (full) for (const lane of this.#slow) rooms.set(lane.endpointId, 0);
    const wanted = new Map<Lane<Item>, number>();
    for (const lane of this.#named()) wanted.set(lane, full && lane.slow ? 0 : roomOf(lane, ahead));
    const shares = this.#shares(wanted);
    this.#claims += 1;
    for (const [lane, most] of wanted) {
      const share = shares.get(lane.tenantId) ?? this.#leftOf(lane.tenantId);
      // Twice its need: what grows is given all that there is room for from claim to claim.
      const room = Math.min(most, share, 2 * lane.need);
      rooms.set(lane.endpointId, room);
      [lane.claim, lane.asked, lane.isCut, lane.got] = [this.#claims, room, room === 0 || room < most, 0];
      lane.more ||= lane.isCut;
    }
    const without = [...this.#heldOf.keys()].filter((tenant) => this.#leftOf(tenant) === 0);
    const all = Math.max(0, 2 * this.#limits.all - this.#waiting - this.#running);
    return { all, perEndpoint: this.#firstWindow(), rooms, without };
  }

  add(items: readonly Item[], looked?: Looked): void {
    for (const item of items) {
      const lane = this.#laneOf(item);
      lane.got += 1;
      lane.idle = false;
      // It was not named: what it needed before says nothing any more.
      if (lane.claim !== this.#claims) lane.need = Infinity;
      const isTooMuch = this.#leftOf(item.tenantId) === 0;
      // One tenant's many endpoints, or many slow ones, must not fill the line for others.
      if (isTooMuch || (lane.slow && this.#heldSlow >= this.#mostSlow())) {
        this.#givenBack.push(item);
        continue;
      }
      lane.waiting.push(item);
      this.#turns.add(lane);
      this.#active.add(lane);
      this.#resting.delete(lane);
      this.#countWaiting(lane, 1);
    }
    if (looked !== undefined) this.#noteNeeds(looked);
  }

  begin(now: number): Item | undefined {
    if (this.#running >= this.#limits.all) return undefined;
    for (const lane of this.#turns) {
      if (!this.#mayBegin(lane)) continue;
      const item = this.#take(lane, now);
      // To the end of the line.
      this.#turns.delete(lane);
      if (lane.waiting.length > 0) this.#turns.add(lane);
      if (item !== undefined) {
        this.#countRunning(lane, 1);
        lane.running.set(item, now);
        return item;
      }
      this.#rest(lane);
    }
    return undefined;
  }

  end(item: Item, now: number, delivered: boolean): boolean {
    const lane = this.#laneOf(item);
    const milliseconds = now - (lane.running.get(item) ?? now);
    lane.average += (milliseconds - lane.average) * LATEST;
    this.#countRunning(lane, -1);
    lane.running.delete(item);
    if (delivered && milliseconds < SLOW_MS) {
      lane.window = Math.min(lane.window + 1, this.#limits.perEndpoint);
      this.#setSlow(lane, false);
    } else if (delivered) this.#late(lane);
    else this.#slowDown(lane);
    const { more } = lane;
    this.#rest(lane);
    return more;
  }

  look(now: number): void {
    for (const lane of this.#active) {
      const [began] = lane.running.values();
      if (!lane.slow && began !== undefined && now - began > SLOW_MS) this.#noteSlow(lane);
    }
  }

  givenBack(): Item[] {
    return this.#givenBack.splice(0);
  }

  clear(): void {
    for (const lane of this.#turns) this.#giveBack(lane);
  }

  #named(): Lane<Item>[] {
    return [...this.#active, ...this.#resting];
  }

  /**
   * What is more than its tenant may hold would only be given back: those for which something may be due share that, by tenant
   * as much for each, and what some of them hardly need is the others'.
   */
  #shares(wanted: ReadonlyMap<Lane<Item>, number>): Map<string, number> {
    const needs = new Map<string, number[]>();
    for (const [lane, most] of wanted) {
      const need = lane.idle ? 0 : Math.min(most, lane.need);
      if (need === 0) continue;
      const known = needs.get(lane.tenantId);
      if (known === undefined) needs.set(lane.tenantId, [need]);
      else known.push(need);
    }
    return new Map([...needs].map(([tenantId, of]) => [tenantId, shareOf(of, this.#leftOf(tenantId))]));
  }

  #noteNeeds({ after, upTo }: Looked): void {
    for (const lane of this.#named()) {
      const isLookedAt = lane.endpointId > after && (upTo === "" || lane.endpointId <= upTo);
      if (!isLookedAt || lane.claim !== this.#claims || lane.asked === 0) continue;
      const gotAll = lane.got >= lane.asked;
      lane.need = gotAll ? Infinity : lane.got + 1;
      lane.more = gotAll && lane.isCut;
      lane.idle = lane.got === 0;
      if (lane.idle) this.#resting.delete(lane);
    }
  }

  #slowDown(lane: Lane<Item>): void {
    lane.window = Math.max(1, lane.window >> 1);
    lane.late = 0;
    this.#noteSlow(lane);
  }

  /** It takes its time, and takes what we send: it keeps its places among the slow ones. */
  #late(lane: Lane<Item>): void {
    lane.late += 1;
    if (lane.late >= lane.window) {
      lane.window = Math.min(lane.window + 1, this.#limits.perEndpoint);
      lane.late = 0;
    }
    this.#noteSlow(lane);
  }

  #noteSlow(lane: Lane<Item>): void {
    this.#setSlow(lane, true);
    this.#giveBack(lane);
  }

  #setSlow(lane: Lane<Item>, slow: boolean): void {
    if (lane.slow === slow) return;
    lane.slow = slow;
    const sign = slow ? 1 : -1;
    this.#runningSlow += sign * lane.running.size;
    this.#heldSlow += sign * (lane.running.size + lane.waiting.length);
    if (slow) this.#slow.add(lane);
    else this.#slow.delete(lane);
  }

  /** What waits behind a slow exchange would keep its claim for nothing. */
  #giveBack(lane: Lane<Item>): void {
    const items = lane.waiting.splice(0);
    this.#givenBack.push(...items);
    this.#countWaiting(lane, -items.length);
    if (items.length > 0) lane.more = true;
    this.#turns.delete(lane);
  }

  #take(lane: Lane<Item>, now: number): Item | undefined {
    for (;;) {
      const item = lane.waiting.shift();
      if (item === undefined) return undefined;
      this.#countWaiting(lane, -1);
      if (item.claimedUntil > now + MARGIN_MS) return item;
      this.#givenBack.push(item);
    }
  }

  #mayBegin(lane: Lane<Item>): boolean {
    if (lane.running.size >= lane.window) return false;
    if ((this.#runningOf.get(lane.tenantId) ?? 0) >= this.#mostOfTenant()) return false;
    return !lane.slow || this.#runningSlow < this.#mostSlow();
  }

  #mostOfTenant(): number {
    return Math.max(this.#limits.perEndpoint, Math.floor(this.#limits.all * TENANTS_PART));
  }

  /** How many more of its deliveries may be held. */
  #leftOf(tenantId: string): number {
    return Math.max(0, 2 * this.#mostOfTenant() - (this.#heldOf.get(tenantId) ?? 0));
  }

  #mostSlow(): number {
    return Math.max(1, Math.floor(this.#limits.all * SLOW_PART));
  }

  #firstWindow(): number {
    return Math.min(FIRST_WINDOW, this.#limits.perEndpoint);
  }

  #countRunning(lane: Lane<Item>, one: 1 | -1): void {
    this.#running += one;
    if (lane.slow) this.#runningSlow += one;
    add(this.#runningOf, lane.tenantId, one);
    this.#countHeld(lane, one);
  }

  #countWaiting(lane: Lane<Item>, many: number): void {
    this.#waiting += many;
    this.#countHeld(lane, many);
  }

  #countHeld(lane: Lane<Item>, many: number): void {
    if (lane.slow) this.#heldSlow += many;
    add(this.#heldOf, lane.tenantId, many);
  }

  #laneOf({ endpointId, tenantId, failing = false }: LaneItem): Lane<Item> {
    const known = this.#lanes.get(endpointId);
    if (known !== undefined) return known;
    const lane: Lane<Item> = {
      ...{ endpointId, tenantId, waiting: [], running: new Map<Item, number>() },
      ...{ window: failing ? 1 : this.#firstWindow(), late: 0, average: FIRST_AVERAGE, slow: false, more: false },
      ...{ claim: 0, asked: 0, isCut: false, got: 0, need: Infinity, idle: false },
    };
    this.#lanes.set(endpointId, lane);
    this.#setSlow(lane, failing);
    return lane;
  }

  #rest(lane: Lane<Item>): void {
    if (lane.running.size > 0 || lane.waiting.length > 0) return;
    this.#active.delete(lane);
    this.#lanes.delete(lane.endpointId);
    this.#lanes.set(lane.endpointId, lane);
    this.#expectMore(lane);
    const [oldest] = this.#lanes.values();
    if (this.#lanes.size <= REMEMBERED || oldest === undefined || this.#active.has(oldest)) return;
    this.#lanes.delete(oldest.endpointId);
    this.#slow.delete(oldest);
    this.#resting.delete(oldest);
  }

  #expectMore(lane: Lane<Item>): void {
    if (lane.idle) return;
    this.#resting.delete(lane);
    this.#resting.add(lane);
    const [oldest] = this.#resting;
    if (this.#resting.size > this.#limits.all && oldest !== undefined) this.#resting.delete(oldest);
  }
}

function add(counts: Map<string, number>, key: string, many: number): void {
  const count = (counts.get(key) ?? 0) + many;
  if (count === 0) counts.delete(key);
  else counts.set(key, count);
}
