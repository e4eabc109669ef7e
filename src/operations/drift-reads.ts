// What drift looks at here: rows of a kind by the second of their making, and objects whose events wait.
import { randomFraction } from "../base/random.ts";
import type { Queryable } from "../db/database.ts";
import type { ObjectKey, UnixSeconds } from "../projections/observation.ts";
import { projectionOf } from "../projections/registry.ts";
import type { ListScope } from "./stripe-lists.ts";

/**
 * Rows of objects made after `after` and until `until` that are none of `seen`: Stripe's list left them out. Only those that
 * are not deleted.
 */
export async function rowsBetween(
  tx: Queryable,
  { livemode, account }: ListScope,
  objectType: string,
  {
    after,
    until,
    seen,
    limit,
  }: { after: UnixSeconds | null; until: UnixSeconds; seen: readonly string[]; limit: number },
): Promise<string[]> {
  const { rows } = await tx.query<{ id: string }>({
    text: `select id from ${projectionOf(objectType).table}
           where livemode = $1 and stripe_account = $2 and not deleted
             and ($3::bigint is null or stripe_created > to_timestamp($3::bigint)) and stripe_created <= to_timestamp($4::bigint)
             and id <> all ($5::text[])
           order by id limit $6`,
    values: [livemode, account, after, until, [...seen], limit],
  });
  return rows.map(({ id }) => id);
}

/** A row of the kind by chance, found by index: the first one behind a random id. Ids that are crowded come up less often. */
export async function anyRow(
  tx: Queryable,
  { livemode, account }: ListScope,
  objectType: string,
): Promise<{ id: string; created: UnixSeconds } | undefined> {
  const { table } = projectionOf(objectType);
  const from = `from ${table} where livemode = $1 and stripe_account = $2`;
  const values = [livemode, account];
  const { rows } = await tx.query<{ first: string | null; last: string | null }>({
    text: `select (select id ${from} order by id limit 1) as first, (select id ${from} order by id desc limit 1) as last`,
    values,
  });
  const { first = null, last = null } = rows[0] ?? {};
  if (first === null || last === null) return undefined;
  const found = await tx.query<{ id: string; created: UnixSeconds }>({
    text: `select id, floor(extract(epoch from stripe_created))::bigint as created ${from}
           and id >= $3 and not deleted and stripe_created is not null order by id limit 1`,
    values: [...values, randomIdBetween(first, last)],
  });
  return found.rows[0];
}

const ID_CHARACTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

function randomIdBetween(first: string, last: string): string {
  let shared = 0;
  while (shared < first.length && first[shared] === last[shared]) shared++;
  const tail = Array.from({ length: 4 }, () => ID_CHARACTERS[Math.floor(randomFraction() * ID_CHARACTERS.length)]);
  const id = first.slice(0, shared) + tail.join("");
  return id > last ? first : id;
}

/** Ids of those objects whose events wait to be processed: their rows are about to change. */
export async function waitingObjects(tx: Queryable, keys: readonly ObjectKey[]): Promise<Set<string>> {
  const { rows } = await tx.query<{ id: string }>({
    text: `select distinct event.object_id as id
           from stripe_events as event
           join stripe_event_queue as queue on queue.created = event.created and queue.event_id = event.id
           where event.object_id = any ($1::text[])`,
    values: [keys.map(({ objectId }) => objectId)],
  });
  return new Set(rows.map(({ id }) => id));
}

/** When the platform's tenant was made, in seconds. */
export async function installedAt(tx: Queryable): Promise<UnixSeconds> {
  const { rows } = await tx.query<{ at: UnixSeconds }>(
    "select floor(extract(epoch from created_at))::bigint as at from tenants where platform",
  );
  return rows[0]?.at ?? 0;
}
