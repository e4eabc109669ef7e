// Objects that must be fetched from Stripe. Table: stripe_fetches
import { bigintArray, booleanArray, textArray } from "../db/arrays.ts";
import type { Queryable } from "../db/database.ts";
import type { NamedEvent } from "../projections/projection.ts";

export interface WantedFetch {
  livemode: boolean;
  account: string;
  objectType: string;
  objectId: string;
  /** The answer must include this second (Unix) to settle the question. */
  since: number;
  reason: string;
  /** What a thin event says happened to it. */
  named?: NamedEvent;
  /** Where a thin event says that it is found. */
  path?: string;
}

export interface ClaimedFetch extends Omit<WantedFetch, "named" | "path"> {
  attempts: number;
  path: string | null;
  /** `<created>:<type>` of each thin event that waits for it. */
  named: string[];
}

/** A platform may receive each thing as a snapshot and as a thin event; more than so many at once tell nothing more. */
const MOST_NAMED = 100;

/** Queues fetches. One that waits already asks for the later second, when it would anyway, and remembers all that was named, and a path. */
export async function queueFetches(tx: Queryable, fetches: readonly WantedFetch[]): Promise<void> {
  const distinct = new Map<string, { fetch: WantedFetch; path: string | null; named: Set<string> }>();
  for (const fetch of fetches) {
    const key = [fetch.livemode, fetch.account, fetch.objectType, fetch.objectId].join("|");
    const known = distinct.get(key) ?? { fetch, path: null, named: new Set<string>() };
    known.path = fetch.path ?? known.path;
    if (known.fetch.since < fetch.since) known.fetch = fetch;
    if (fetch.named !== undefined) known.named.add(textOf(fetch.named));
    distinct.set(key, known);
  }
  if (distinct.size === 0) return;
  const queued = [...distinct].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one);
  const rows = queued.map(({ fetch }) => fetch);
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
      textArray(queued.map(({ named }) => JSON.stringify([...named]))),
      textArray(queued.map(({ path }) => path)),
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

/** The thin events that wait for a fetch. */
export function namedOf({ named }: Pick<ClaimedFetch, "named">): NamedEvent[] {
  return named.map((one) => {
    const colon = one.indexOf(":");
    return { created: Number(one.slice(0, colon)), type: one.slice(colon + 1) };
  });
}

/** As `named` holds it. */
export function textOf({ created, type }: NamedEvent): string {
  return `${String(created)}:${type}`;
}

/** Ends a fetch, unless a later second than `since` is asked for, or more is named: then what is `named` here is done. */
export async function finishFetch(tx: Queryable, fetch: ClaimedFetch, lease: string): Promise<void> {
  await tx.query({
    text: FINISH,
    values: [
      fetch.livemode,
      fetch.account,
      fetch.objectType,
      fetch.objectId,
      lease,
      fetch.since,
      textArray(fetch.named),
    ],
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

// as_of lies two seconds and the round trip behind Stripe's clock: asked any earlier, the answer would settle nothing. One that
// waits is put off no further: of an object that changes all the time nothing would ever be fetched.
const QUEUE = `
  insert into stripe_fetches as known (livemode, stripe_account, object_type, object_id, since, reason, named, path, next_attempt_at)
  select livemode, stripe_account, object_type, object_id, since, reason,
         array(select jsonb_array_elements_text(named::jsonb)), path, now() + interval '3 seconds'
  from unnest($1::boolean[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::text[], $8::text[])
    as wanted (livemode, stripe_account, object_type, object_id, since, reason, named, path)
  on conflict (livemode, stripe_account, object_type, object_id) do update
  set since = greatest(known.since, excluded.since), attempts = 0,
      next_attempt_at = case when known.attempts = 0 then least(known.next_attempt_at, excluded.next_attempt_at)
                             else excluded.next_attempt_at end,
      path = coalesce(excluded.path, known.path),
      named = case when cardinality(known.named) >= ${MOST_NAMED} or excluded.named <@ known.named then known.named
                   else known.named || excluded.named end`;

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
            claimed.since, claimed.reason, claimed.attempts, claimed.path, claimed.named`;

const FINISH = `
  with kept as (
    update stripe_fetches set named = array(select unnest(named) except select unnest($7::text[]))
    where ${KEY} and lease = $5 and not (since <= $6 and named <@ $7::text[]))
  delete from stripe_fetches where ${KEY} and lease = $5 and since <= $6 and named <@ $7::text[]`;

const PUT_OFF = `
  update stripe_fetches
  set lease = null, next_attempt_at = now() + $6 * interval '1 second', last_error = coalesce($7, last_error),
      -- None was counted any more, if it was asked for again meanwhile.
      attempts = case when $7::text is null then greatest(attempts - 1, 0) else attempts end
  where ${KEY} and lease = $5`;
