// Objects that must be fetched from Stripe. Table: stripe_fetches
import { bigintArray, booleanArray, textArray } from "../db/arrays.ts";
import type { Queryable } from "../db/database.ts";

export interface WantedFetch {
  livemode: boolean;
  account: string;
  objectType: string;
  objectId: string;
  /** The answer must include this second (Unix) to settle the question. */
  since: number;
  reason: string;
}

export interface ClaimedFetch extends WantedFetch {
  attempts: number;
}

/** Queues fetches. One that waits already asks for the later second. */
export async function queueFetches(tx: Queryable, fetches: readonly WantedFetch[]): Promise<void> {
  const distinct = new Map<string, WantedFetch>();
  for (const fetch of fetches) {
    const key = [fetch.livemode, fetch.account, fetch.objectType, fetch.objectId].join("|");
    const known = distinct.get(key);
    if (known === undefined || known.since < fetch.since) distinct.set(key, fetch);
  }
  if (distinct.size === 0) return;
  const rows = [...distinct].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, fetch]) => fetch);
  await tx.query({
    name: "queue_fetches",
    text: QUEUE,
    values: [
      booleanArray(rows.map((fetch) => fetch.livemode)),
      textArray(rows.map((fetch) => fetch.account)),
      textArray(rows.map((fetch) => fetch.objectType)),
      textArray(rows.map((fetch) => fetch.objectId)),
      bigintArray(rows.map((fetch) => fetch.since)),
      textArray(rows.map((fetch) => fetch.reason)),
    ],
  });
}

/**
 * Claims one mode's fetches that are due, a test key cannot read live objects: so many in all and for each account, and none
 * of the excluded accounts.
 */
export async function claimFetches(
  tx: Queryable,
  livemode: boolean,
  lease: string,
  leaseSeconds: number,
  limit: { all: number; perAccount: number },
  excluded: readonly string[],
): Promise<ClaimedFetch[]> {
  const values = [livemode, lease, leaseSeconds, limit.all, limit.perAccount, textArray(excluded)];
  return (await tx.query<ClaimedFetch>({ text: CLAIM, values })).rows;
}

/** Ends a fetch, unless a later second was asked for meanwhile. */
export async function finishFetch(tx: Queryable, fetch: ClaimedFetch, lease: string): Promise<void> {
  await tx.query({
    text: FINISH,
    values: [fetch.livemode, fetch.account, fetch.objectType, fetch.objectId, lease, fetch.since],
  });
}

/** Puts a fetch off. `error` is null when only its time had not come. */
export async function putOffFetch(
  tx: Queryable,
  fetch: ClaimedFetch,
  lease: string,
  delaySeconds: number,
  error: string | null,
): Promise<void> {
  await tx.query({
    text: PUT_OFF,
    values: [fetch.livemode, fetch.account, fetch.objectType, fetch.objectId, lease, delaySeconds, error],
  });
}

const KEY = "livemode = $1 and stripe_account = $2 and object_type = $3 and object_id = $4";

// as_of lies two seconds and the round trip behind Stripe's clock: asked any earlier, the answer would settle nothing.
const QUEUE = `
  insert into stripe_fetches (livemode, stripe_account, object_type, object_id, since, reason, next_attempt_at)
  select livemode, stripe_account, object_type, object_id, since, reason, now() + interval '3 seconds'
  from unnest($1::boolean[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::text[])
    as wanted (livemode, stripe_account, object_type, object_id, since, reason)
  on conflict (livemode, stripe_account, object_type, object_id) do update
  set since = greatest(stripe_fetches.since, excluded.since), attempts = 0, next_attempt_at = excluded.next_attempt_at`;

const CLAIM = `
  update stripe_fetches as claimed
  set attempts = attempts + 1, lease = $2, next_attempt_at = now() + $3 * interval '1 second'
  from (
    select livemode, stripe_account, object_type, object_id from stripe_fetches
    where livemode = $1 and next_attempt_at <= now() and (stripe_account, object_type, object_id) in (
      select stripe_account, object_type, object_id from (
        select stripe_account, object_type, object_id, next_attempt_at,
               row_number() over (partition by stripe_account order by next_attempt_at) as place
        from (
          select stripe_account, object_type, object_id, next_attempt_at from stripe_fetches
          where livemode = $1 and next_attempt_at <= now() and stripe_account <> all ($6::text[])
          order by next_attempt_at limit 200
        ) as oldest
      ) as placed
      where place <= $5 order by next_attempt_at limit $4
    )
    for update skip locked
  ) as due
  where (claimed.livemode, claimed.stripe_account, claimed.object_type, claimed.object_id)
      = (due.livemode, due.stripe_account, due.object_type, due.object_id)
  returning claimed.livemode, claimed.stripe_account as account, claimed.object_type as "objectType", claimed.object_id as "objectId",
            claimed.since, claimed.reason, claimed.attempts`;

const FINISH = `delete from stripe_fetches where ${KEY} and lease = $5 and since <= $6`;

const PUT_OFF = `
  update stripe_fetches
  set lease = null, next_attempt_at = now() + $6 * interval '1 second', last_error = coalesce($7, last_error),
      attempts = case when $7::text is null then attempts - 1 else attempts end
  where ${KEY} and lease = $5`;
