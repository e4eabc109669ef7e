// Runs the deliveries: follows their records from commit to commit, and makes each attempt when it is due.
import { type Kinds, scopeOf } from "../core/kinds.ts";
import type { Change, World } from "../core/world.ts";
import { type Attempt, attemptOf, keepOutcome } from "./attempt.ts";
import { type Fate, fateOf, PLAIN_FATE } from "./chaos.ts";
import type { Deliveries, DeliveryOptions } from "./deliver.ts";
import { liveOf } from "./live.ts";
import { dropOld } from "./retention.ts";
import { DueQueue, openClock, stepsOf } from "./schedule.ts";
import { openSender, type Sender } from "./send.ts";

/** One attempt to be made. A cancelled one stays where it stands and is passed over. */
export interface Job {
  scope: string;
  delivery: string;
  endpoint: string;
  /** When the record says, in milliseconds of the delivery clock; `due` is later where chaos says so. */
  asked: number;
  due: number;
  /** Chaos sends it a second time: its failure changes nothing. */
  isCopy: boolean;
  dropped: Fate["dropped"];
  isCancelled: boolean;
}

/** Answers that come in this time after the end of the sandbox are still written down. */
const GRACE_MS = 1000;
const OWN_CLOCK_LOOK_MS = 20;
/** A timer cannot wait longer than 2^31 ms. */
const LONGEST_WAIT_MS = 3_600_000;
const DEFAULT_TIMEOUT_MS = 20_000;
const DEFAULT_CONCURRENCY = 16;
const DEFAULT_IDLE_MS = 30_000;

export class DeliveryRunner implements Deliveries {
  readonly #world: World;
  readonly #clock: () => number;
  readonly #speed: number;
  readonly #hasOwnClock: boolean;
  readonly #steps: readonly number[];
  readonly #concurrency: number;
  readonly #sender: Sender;
  readonly #queue = new DueQueue<Job>();
  /** Due, by endpoint, in order. */
  readonly #ready = new Map<string, Job[]>();
  readonly #underWay = new Map<string, Set<Promise<void>>>();
  /** The next attempt of each pending delivery, by its id. */
  readonly #next = new Map<string, Job>();
  /** Due for an endpoint that is disabled, by endpoint. */
  readonly #parked = new Map<string, Set<Job>>();
  readonly #retention: NodeJS.Timeout;
  readonly #idlers = new Set<() => void>();
  #timer: NodeJS.Timeout | undefined;
  /** Second sendings that are still to be made. */
  #copies = 0;
  #isWoken = false;
  #isStopped = false;

  constructor(world: World, options: DeliveryOptions) {
    this.#world = world;
    this.#speed = options.deliverySpeed ?? 1;
    this.#clock = options.deliveryClock ?? openClock(this.#speed);
    this.#hasOwnClock = options.deliveryClock !== undefined;
    this.#steps = stepsOf(options.retrySchedule ?? "local");
    this.#concurrency = options.deliveryConcurrency ?? DEFAULT_CONCURRENCY;
    const timeoutMs = options.deliveryTimeoutMs ?? DEFAULT_TIMEOUT_MS;
    this.#sender = openSender({ timeoutMs, connections: this.#concurrency });
    dropOld(world);
    for (const key of world.scopes()) {
      const left = world.run((tx) => tx.where("_delivery", ({ state }) => state === "pending"), scopeOf(key));
      for (const delivery of left) this.#follow(key, delivery);
    }
    world.onCommit((changes) => this.#see(changes));
    this.#retention = setInterval(() => dropOld(world), LONGEST_WAIT_MS).unref();
    this.#wake();
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    clearInterval(this.#retention);
    const underWay = [...this.#underWay.values()].flatMap((attempts) => [...attempts]);
    const grace = setTimeout(() => this.#sender.close(), GRACE_MS);
    await Promise.all(underWay);
    clearTimeout(grace);
    this.#sender.close();
    this.#tellIdlers();
  }

  async idle(timeoutMs = DEFAULT_IDLE_MS): Promise<boolean> {
    const end = Date.now() + timeoutMs;
    while (!this.#isIdle()) {
      const left = end - Date.now();
      if (left <= 0 || this.#isStopped) return false;
      await new Promise<void>((resolve) => {
        const go = (): void => {
          clearTimeout(timer);
          this.#idlers.delete(go);
          resolve();
        };
        const timer = setTimeout(go, left);
        this.#idlers.add(go);
      });
    }
    return true;
  }

  flush(): number {
    const count = this.#hasten(() => true);
    this.#wake();
    return count;
  }

  counts(): { pending: number; under_way: number; parked: number } {
    const parked = [...this.#parked.values()].reduce((sum, jobs) => sum + jobs.size, 0);
    const underWay = [...this.#underWay.values()].reduce((sum, attempts) => sum + attempts.size, 0);
    return { pending: this.#next.size - parked, under_way: underWay, parked };
  }

  #isIdle(): boolean {
    const { pending, under_way } = this.counts();
    return pending === 0 && under_way === 0 && this.#copies === 0;
  }

  #tellIdlers(): void {
    for (const go of [...this.#idlers]) go();
  }

  #see(changes: readonly Change[]): void {
    for (const { scope, kind, id, object } of changes) {
      if (kind === "_delivery") {
        if (object === undefined) this.#forget(id);
        else this.#follow(scope, object as Kinds["_delivery"]);
      }
      if (kind === "_destination") this.#seeDestination(id, object as Kinds["_destination"] | undefined);
    }
  }

  #forget(delivery: string): void {
    const job = this.#next.get(delivery);
    if (job === undefined) return;
    job.isCancelled = true;
    this.#next.delete(delivery);
    this.#parked.get(job.endpoint)?.delete(job);
    this.#wake();
  }

  /** Plans what the record asks for: the next attempt, or none any more. */
  #follow(scope: string, delivery: Kinds["_delivery"]): void {
    const { id, endpoint, event, state, attempts, is_resent } = delivery;
    if (state !== "pending") {
      this.#forget(id);
      return;
    }
    const asked = (delivery.next_attempt_at ?? 0) * 1000;
    if (this.#next.get(id)?.asked === asked) return;
    this.#forget(id);
    const isFirst = attempts === 0 && !is_resent;
    const fate = isFirst ? fateOf(liveOf(this.#world).chaos, event, endpoint) : PLAIN_FATE;
    const start = fate.waitMs > 0 ? Math.max(asked, this.#clock()) : asked;
    const job: Job = {
      scope,
      delivery: id,
      endpoint,
      asked,
      due: start + fate.waitMs * this.#speed,
      isCopy: false,
      dropped: fate.dropped,
      isCancelled: false,
    };
    this.#next.set(id, job);
    this.#queue.add(job);
    if (fate.copyAfterMs !== undefined) {
      const due = Math.max(job.due, this.#clock()) + fate.copyAfterMs * this.#speed;
      this.#queue.add({ ...job, due, isCopy: true });
      this.#copies += 1;
    }
    this.#wake();
  }

  /** What is parked is looked at again; what waits for an endpoint that takes nothing more need not wait for its time. */
  #seeDestination(endpoint: string, destination: Kinds["_destination"] | undefined): void {
    const parked = this.#parked.get(endpoint) ?? [];
    this.#parked.delete(endpoint);
    for (const job of parked) this.#queue.add(job);
    if (destination?.is_enabled !== true) this.#hasten((job) => job.endpoint === endpoint);
    this.#wake();
  }

  /** Makes those that wait due now. Returns how many. */
  #hasten(holds: (job: Job) => boolean): number {
    const waiting = this.#queue.take(Infinity).filter(({ isCancelled }) => !isCancelled);
    const hastened = waiting.filter(holds);
    for (const job of hastened) job.due = 0;
    for (const job of waiting) this.#queue.add(job);
    return hastened.length;
  }

  /** Looks for work once this turn is over: the call that raised the event is answered first. */
  #wake(): void {
    if (this.#isWoken || this.#isStopped) return;
    this.#isWoken = true;
    setImmediate(() => {
      this.#isWoken = false;
      if (!this.#isStopped) this.#pump();
    });
  }

  #pump(): void {
    for (const job of this.#queue.take(this.#clock())) {
      if (job.isCancelled) continue;
      const ready = this.#ready.get(job.endpoint);
      if (ready === undefined) this.#ready.set(job.endpoint, [job]);
      else ready.push(job);
    }
    for (const [endpoint, jobs] of this.#ready) {
      const underWay = this.#underWay.get(endpoint) ?? new Set();
      this.#underWay.set(endpoint, underWay);
      const free = this.#concurrency - underWay.size;
      for (const job of jobs.splice(0, free)) this.#start(job, underWay);
      if (jobs.length === 0) this.#ready.delete(endpoint);
    }
    this.#setTimer();
    if (this.#isIdle()) this.#tellIdlers();
  }

  #setTimer(): void {
    clearTimeout(this.#timer);
    const next = this.#queue.next();
    if (next === undefined) return;
    const wait = (next - this.#clock()) / this.#speed;
    const most = this.#hasOwnClock ? OWN_CLOCK_LOOK_MS : LONGEST_WAIT_MS;
    this.#timer = setTimeout(() => this.#wake(), Math.min(Math.max(wait, 1), most));
  }

  #start(job: Job, underWay: Set<Promise<void>>): void {
    if (job.isCancelled) return;
    const attempt = this.#attempt(job).finally(() => {
      underWay.delete(attempt);
      if (job.isCopy) this.#copies -= 1;
      this.#wake();
    });
    underWay.add(attempt);
  }

  /** Never rejects: what breaks here is one failed attempt, and is said. */
  async #attempt(job: Job): Promise<void> {
    try {
      const attempt: Attempt = job.dropped === "not" ? attemptOf(this.#world, job) : { kind: "send-nothing" };
      if (attempt.kind === "none") return;
      if (attempt.kind === "parked") {
        this.#park(job);
        return;
      }
      const status =
        attempt.kind === "send" ? await this.#sender.post(attempt.url, attempt.headers, attempt.body) : null;
      // Cut off by the end of the sandbox: the next start makes the attempt.
      if (this.#isStopped && status === null) return;
      keepOutcome(this.#world, job, status, (wait) => this.#clock() / 1000 + wait, this.#steps);
    } catch (error) {
      const said = error instanceof Error ? (error.stack ?? error.message) : String(error);
      process.stderr.write(`sandbox: ${job.delivery} could not be attempted: ${said}\n`);
      if (!this.#isStopped) keepOutcome(this.#world, job, null, (wait) => this.#clock() / 1000 + wait, this.#steps);
    }
  }

  #park(job: Job): void {
    if (job.isCopy) return;
    const parked = this.#parked.get(job.endpoint);
    if (parked === undefined) this.#parked.set(job.endpoint, new Set([job]));
    else parked.add(job);
  }
}
