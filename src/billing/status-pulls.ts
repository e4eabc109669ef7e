// Status pulls: an object that somebody waits for, and of which no event has come, is read from Stripe and observed.
// Of all nodes one asks for an object at a time, and no account is asked faster than a fifth of what Stripe allows.
import { backoff } from "../base/backoff.ts";
import type { Clock } from "../base/clock.ts";
import { newId } from "../base/ids.ts";
import type { Log } from "../base/log.ts";
import { traced } from "../base/trace.ts";
import type { Database } from "../db/database.ts";
import { observe } from "../inbox/observe.ts";
import type { StripeAccess } from "../stripe/access.ts";
import { type ClaimLoop, claimLoop, type Found } from "../work/claim-loop.ts";
import { purgeBuckets, takeTokens } from "../work/token-bucket.ts";
import {
  type ClaimedPull,
  claimPulls,
  duePulls,
  endPulls,
  finishPull,
  keepPulls,
  nameOf,
  type PullKey,
  purgePulls,
  type WantedPull,
  wantPulls,
} from "./status-pull-table.ts";

export interface StatusPullContext {
  database: Database;
  stripe: Pick<StripeAccess, "has" | "retrieve">;
  clock: Pick<Clock, "monotonic">;
  log: Log;
  platformTenant: string;
  /** Something was observed: look at the queue now. */
  wake: () => void;
}

/** A wish for a pull, on behalf of somebody whose wishes are counted. */
export interface PullWish extends WantedPull {
  /** Whose wishes are limited together: an account, or what a link names. */
  caller: string;
}

export interface StatusPulls {
  want(wish: PullWish): void;
  /** Somebody still waits for it. */
  keep(key: PullKey): void;
  /** Nobody waits for it any more: its wait has come to its end. */
  end(key: PullKey): void;
  /** Lets pulls that have begun come to their end, for a while. */
  stop(): Promise<void>;
}

/** Pulls a second: rate + burst is a fifth of Stripe's 100 in live mode and 25 in test mode. */
export const PULL_RATES = { live: { rate: 16, burst: 4 }, test: { rate: 4, burst: 1 } } as const;
/** Wishes a second of one caller. */
const CALLER_RATE = { rate: 1, burst: 30 };
/** How long an extension keeps a pull wanted; longer than between two of them. */
const KEPT_SECONDS = 40;
/** How long the loop looks for due pulls after the last wish. */
const INTEREST_MS = 60_000;
/** Whoever returns from Checkout waits for this before Stripe is asked: half of it on average. */
const LOOK_EVERY_MS = 100;
/** Longer than a call in the background may take. */
const LEASE_SECONDS = 40;
const AT_ONCE = 16;
const AT_ONCE_PER_ACCOUNT = 3;
/** From pull to pull of an object that has not come to its end. */
const AGAIN = { first: 3000, factor: 2, max: 60_000, jitter: 0.1 };
/** Stripe does not know it, or our key may not read it: that does not change in a moment. */
const HOPELESS_SECONDS = 600;
const PURGE_EVERY_MS = 60_000;
const LAST_PULLS_MS = 5_000;

export function statusPulls(context: StatusPullContext, onError: (error: unknown) => void): StatusPulls {
  const pool = new PullPool(context, onError);
  return {
    want: (wish) => {
      pool.want(wish);
    },
    keep: (key) => {
      pool.kept.push(key);
      pool.wake();
    },
    end: (key) => {
      pool.end(key);
    },
    stop: () => pool.stop(),
  };
}

class PullPool {
  kept: PullKey[] = [];
  ended: PullKey[] = [];
  #wishes: PullWish[] = [];
  /** Names of what was wished for here lately. */
  #wanted = new Set<string>();
  readonly #context: StatusPullContext;
  readonly #onError: (error: unknown) => void;
  readonly #running = new Map<Promise<void>, string>();
  #interestUntil = -Infinity;
  #purgedAt = -Infinity;
  #loop: ClaimLoop | undefined;

  constructor(context: StatusPullContext, onError: (error: unknown) => void) {
    this.#context = context;
    this.#onError = onError;
  }

  want(wish: PullWish): void {
    this.#wishes.push(wish);
    this.#wanted.add(nameOf(wish));
    this.wake();
  }

  /** The loop begins with the first wish: a process that nobody asks for a status does not look. */
  wake(): void {
    this.#interestUntil = this.#context.clock.monotonic() + INTEREST_MS;
    this.#loop ??= claimLoop({
      name: "status pulls",
      run: () => this.#look(),
      concurrency: 1,
      pollEvery: LOOK_EVERY_MS,
      gatherFor: () => LOOK_EVERY_MS,
      pauseAfterError: 1000,
      onError: this.#onError,
    });
  }

  /** Where nobody has asked lately there is nothing to end. What is over was often never wanted: no query then. */
  end(key: PullKey): void {
    if (this.#wanted.delete(nameOf(key))) this.ended.push(key);
  }

  async stop(): Promise<void> {
    await this.#loop?.stop();
    let timer: NodeJS.Timeout | undefined;
    const patience = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, LAST_PULLS_MS);
    });
    await Promise.race([Promise.all(this.#running.keys()), patience]);
    clearTimeout(timer);
  }

  async #look(): Promise<Found> {
    await this.#writeWishes();
    const { database, clock } = this.#context;
    if (clock.monotonic() > this.#interestUntil) {
      this.#wanted.clear();
      return "none";
    }
    if (clock.monotonic() > this.#purgedAt + PURGE_EVERY_MS) {
      this.#purgedAt = clock.monotonic();
      await purgePulls(database);
      await purgeBuckets(database);
    }
    for (const due of await duePulls(database)) await this.#begin(due);
    return "none";
  }

  /** What has gathered since, in one commit, which may be lost: whoever waits asks again. */
  async #writeWishes(): Promise<void> {
    const { kept, ended } = this;
    const wishes = this.#wishes;
    if (wishes.length + kept.length + ended.length === 0) return;
    this.#wishes = [];
    this.kept = [];
    this.ended = [];
    await this.#context.database.transaction(
      async (tx) => {
        // What is wished for again after its end stays wanted.
        await endPulls(tx, ended);
        await wantPulls(tx, await allowed(tx, wishes));
        await keepPulls(tx, kept, KEPT_SECONDS);
      },
      { durable: false },
    );
  }

  async #begin({ livemode, account, count }: { livemode: boolean; account: string; count: number }): Promise<void> {
    const { database, stripe } = this.#context;
    const place = `${livemode ? "live" : "test"} ${account}`;
    const mine = [...this.#running.values()].filter((running) => running === place).length;
    const free = Math.min(AT_ONCE - this.#running.size, AT_ONCE_PER_ACCOUNT - mine, count);
    if (free <= 0 || !stripe.has(livemode)) return;
    const lease = newId("node");
    const claimed = await database.transaction(
      async (tx) => {
        const bucket = { key: `status pulls ${place}`, ...PULL_RATES[livemode ? "live" : "test"], tokens: free };
        const limit = (await takeTokens(tx, [bucket])).get(bucket.key) ?? 0;
        return limit === 0 ? [] : claimPulls(tx, { livemode, account }, { lease, leaseSeconds: LEASE_SECONDS, limit });
      },
      { durable: false },
    );
    for (const pull of claimed) {
      const one = pullOne(this.#context, pull, lease)
        // The lease gives it back.
        .catch(this.#onError)
        .finally(() => this.#running.delete(one));
      this.#running.set(one, place);
    }
  }
}

/** Each caller has so many wishes; what is above them waits for its event, or for the next wish. */
async function allowed(tx: Parameters<typeof takeTokens>[0], wishes: readonly PullWish[]): Promise<PullWish[]> {
  const byCaller = Map.groupBy(wishes, ({ caller }) => `status wishes ${caller}`);
  const buckets = [...byCaller].map(([key, own]) => ({ key, ...CALLER_RATE, tokens: own.length }));
  const granted = await takeTokens(tx, buckets);
  return [...byCaller].flatMap(([key, own]) => own.slice(0, granted.get(key) ?? 0));
}

async function pullOne(context: StatusPullContext, pull: ClaimedPull, lease: string): Promise<void> {
  const { stripe, database, clock, log } = context;
  const { livemode, account, objectType, objectId, attempts } = pull;
  const started = clock.monotonic();
  const answer = await traced("status.pull", { object: objectType, object_id: objectId }, () =>
    stripe.retrieve(livemode, { account, objectType, objectId }),
  );
  // Stripe is never waited for inside a transaction.
  await database.transaction(async (tx) => {
    if (answer.outcome === "found") {
      const { object, text, asOf, apiVersion } = answer;
      await observe(tx, [{ livemode, account, object, text, asOf, apiVersion }], context.platformTenant);
    }
    await finishPull(tx, pull, lease, againIn(answer, attempts));
  });
  log.unit("status.pulled", {
    object: objectType,
    object_id: objectId,
    livemode,
    stripe_account: account === "" ? undefined : account,
    attempt: attempts,
    outcome: answer.outcome,
    reason: "reason" in answer ? answer.reason : undefined,
    duration_ms: Math.round(clock.monotonic() - started),
  });
  if (answer.outcome === "found") context.wake();
}

/** Seconds. */
function againIn(answer: Awaited<ReturnType<StripeAccess["retrieve"]>>, attempts: number): number {
  if (answer.outcome === "paused") return answer.after;
  if (answer.outcome === "missing" || answer.outcome === "unsupported" || answer.outcome === "refused")
    return HOPELESS_SECONDS;
  const after = answer.outcome === "retry" ? (answer.after ?? 0) : 0;
  return Math.max(after, backoff(attempts, AGAIN) / 1000);
}
