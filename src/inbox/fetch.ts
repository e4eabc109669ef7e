// Fetching: objects whose order the set could not decide, or that a thin event named, are read from Stripe and observed.
import { backoff } from "../base/backoff.ts";
import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import { traced } from "../base/trace.ts";
import type { Database, Queryable } from "../db/database.ts";
import type { StripeObject, UnixSeconds } from "../projections/observation.ts";
import { type WorkPool, workPool } from "../work/work-pool.ts";
import { claimFetches, type ClaimedFetch, finishFetch, namedOf, putOffFetch, textOf } from "./fetch-table.ts";
import { type FetchedObject, observe } from "./observe.ts";

/** What asking Stripe for one object came to. Source: `retrieveObject` of the room `stripe`. */
export type FetchAnswer =
  | { outcome: "found"; object: StripeObject; text: string; asOf: UnixSeconds; apiVersion: string | null }
  | { outcome: "missing" | "unsupported" }
  | { outcome: "refused"; reason: string }
  | { outcome: "retry"; reason: string; after?: number | undefined }
  /** Nothing was asked: the account does not answer lately. */
  | { outcome: "paused"; after: number };

export interface FetchOptions {
  database: Database;
  log: Log;
  clock: Clock;
  platformTenant: string;
  /** The mode of the key that we ask with: objects of the other mode wait for another key. */
  livemode: boolean;
  retrieve: (wanted: Pick<ClaimedFetch, "account" | "objectType" | "objectId" | "path">) => Promise<FetchAnswer>;
  leaseSeconds: number;
  newLease: () => string;
  /** Accounts that are not worth asking now. */
  paused: () => readonly string[];
  onObserved: () => void;
  /** A place is free: there may be more to fetch. */
  onFinished?: () => void;
  metrics: { fetched: (outcome: FetchAnswer["outcome"]) => void };
}

const AT_ONCE = 8;
/** Those of one account: a slow one leaves places to the others, and lanes of its own to requests. */
const AT_ONCE_PER_ACCOUNT = 2;
const BACKOFF = { first: 2000, factor: 3, max: 3_600_000, jitter: 0.2 };
/** Stripe's clock has to pass the second that the answer must include. */
const TOO_EARLY_SECONDS = 2;
/** More than an answer takes. What lies further ahead of Stripe's clock is a test clock's time: no answer comes to include it. */
const MOST_AHEAD_SECONDS = 600;

/** One mode's fetches: several at once, never all for one account, and none for an account whose circuit is open. */
export function fetchPool(options: FetchOptions): WorkPool {
  const { database, livemode, leaseSeconds, onFinished } = options;
  return workPool<{ fetch: ClaimedFetch; lease: string }>({
    limit: { all: AT_ONCE, perKey: AT_ONCE_PER_ACCOUNT },
    keyOf: ({ fetch }) => fetch.account,
    claim: async (left, busy) => {
      const lease = options.newLease();
      const excluded = [...new Set([...busy, ...options.paused()])];
      const claimed = await database.transaction((tx) =>
        claimFetches(tx, livemode, lease, leaseSeconds, { all: left.all, perAccount: left.perKey }, excluded),
      );
      return claimed.map((fetch) => ({ fetch, lease }));
    },
    work: ({ fetch, lease }) => fetchOne(options, fetch, lease),
    onFinished,
  });
}

async function fetchOne(options: FetchOptions, fetch: ClaimedFetch, lease: string): Promise<void> {
  const started = options.clock.monotonic();
  const answer = await traced("object.fetch", { object: fetch.objectType, object_id: fetch.objectId }, () =>
    options.retrieve(fetch),
  );
  // The answer and the end of its errand are one commit. Stripe is never waited for inside a transaction.
  await options.database.transaction(async (tx) => {
    if (answer.outcome === "found") {
      await takeIn(tx, options, fetch, answer, lease);
    } else if (answer.outcome === "paused") {
      await putOffFetch(tx, fetch, lease, answer.after, null);
    } else if (answer.outcome === "retry" || answer.outcome === "refused") {
      const wait =
        answer.outcome === "retry" && answer.after !== undefined
          ? answer.after
          : backoff(fetch.attempts, BACKOFF) / 1000;
      await putOffFetch(tx, fetch, lease, wait, answer.reason);
    } else {
      if (answer.outcome === "missing") await observe(tx, deletionsOf(fetch), options.platformTenant);
      await finishFetch(tx, fetch, lease);
    }
  });
  options.metrics.fetched(answer.outcome);
  options.log.unit("object.fetched", {
    object: fetch.objectType,
    object_id: fetch.objectId,
    stripe_account: fetch.account === "" ? undefined : fetch.account,
    attempt: fetch.attempts,
    outcome: answer.outcome,
    reason: "reason" in answer ? answer.reason : fetch.reason,
    duration_ms: Math.round(options.clock.monotonic() - started),
  });
  const isDeleted = answer.outcome === "missing" && deletionsOf(fetch).length > 0;
  if (answer.outcome === "found" || isDeleted) options.onObserved();
  else if (answer.outcome === "missing" || answer.outcome === "unsupported")
    warnOfLost(options.log, fetch, answer.outcome);
}

/**
 * What was found settles all that was asked up to its second, and all of a test clock's time. Of what was asked later it says
 * nothing: that is asked again, and waits for no end of the changes.
 */
async function takeIn(
  tx: Queryable,
  { platformTenant }: FetchOptions,
  fetch: ClaimedFetch,
  { object, text, asOf, apiVersion }: Extract<FetchAnswer, { outcome: "found" }>,
  lease: string,
): Promise<void> {
  const { livemode, account, since } = fetch;
  const fetched = { livemode, account, object, text, apiVersion };
  const isEarly = (second: number): boolean => second > asOf && second <= asOf + MOST_AHEAD_SECONDS;
  const settled = isEarly(since) ? asOf : Math.max(asOf, since);
  const included = namedOf(fetch).filter(({ created }) => !isEarly(created));
  if (included.length > 0 || (!isEarly(since) && !isStoppedTie(fetch, asOf))) {
    // What is here was not deleted, or is a stub that says so itself.
    const named = included
      .filter(({ type }) => !isDeletion(type))
      .map(({ type, created }) => ({ ...fetched, type, asOf: created }));
    await observe(tx, [{ ...fetched, asOf: settled }, ...named], platformTenant);
  }
  await finishFetch(tx, { ...fetch, since: settled, named: included.map(textOf) }, lease);
  if (isEarly(since)) await putOffFetch(tx, fetch, lease, TOO_EARLY_SECONDS, null);
}

/**
 * A tie in a second at which a test clock stands still is left to its events: an answer of that second would outdo what
 * happens in it later, and two of them would tie for ever.
 */
function isStoppedTie({ reason, since }: ClaimedFetch, asOf: UnixSeconds): boolean {
  return reason === "order_ambiguous" && since > asOf + MOST_AHEAD_SECONDS;
}

/** A subscription stays at Stripe when it is "deleted": it was canceled. */
function isDeletion(type: string): boolean {
  return type.endsWith(".deleted") && type !== "customer.subscription.deleted";
}

/** What Stripe does not have any more, thin events said was deleted: as a snapshot that says nothing else. */
function deletionsOf(fetch: ClaimedFetch): FetchedObject[] {
  const { livemode, account, objectType, objectId } = fetch;
  const object = { id: objectId, object: objectType, deleted: true };
  return namedOf(fetch)
    .filter(({ type }) => isDeletion(type))
    .map(({ type, created }) => ({ livemode, account, object, type, asOf: created, apiVersion: null }));
}

/** Such a fetch is over: what was said of the object is known from its events alone. */
function warnOfLost(log: Log, fetch: ClaimedFetch, outcome: "missing" | "unsupported"): void {
  const why = outcome === "missing" ? "Stripe has no such object" : "its kind has no address at Stripe that we know";
  log.warn(`an object was not fetched: ${why}`, {
    object: fetch.objectType,
    object_id: fetch.objectId,
    stripe_account: fetch.account === "" ? undefined : fetch.account,
    livemode: fetch.livemode,
    outcome,
    reason: fetch.reason,
  });
}
