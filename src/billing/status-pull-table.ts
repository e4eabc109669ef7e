// Objects that somebody waits for, to be read from Stripe when no event comes. Table: status_pulls
import { booleanArray, textArray } from "../db/arrays.ts";
import type { Queryable } from "../db/database.ts";

export interface PullKey {
  livemode: boolean;
  /** "" for the platform's own account. */
  account: string;
  objectType: string;
  objectId: string;
}

export interface WantedPull extends PullKey {
  /** How long somebody waits from now on, seconds. */
  seconds: number;
  /** Seconds until Stripe is asked. */
  dueIn: number;
}

export interface ClaimedPull extends PullKey {
  /** This one included. */
  attempts: number;
}

/** Seconds between two pulls of an object, however often somebody asks. */
export const PULLS_APART = 3;

/** Keeps objects wanted. One that somebody asks for anew is due sooner, but not at once after it was read. */
export async function wantPulls(tx: Queryable, wanted: readonly WantedPull[]): Promise<void> {
  if (wanted.length === 0) return;
  const distinct = new Map<string, WantedPull>();
  for (const one of wanted) {
    const name = nameOf(one);
    const known = distinct.get(name);
    distinct.set(name, known === undefined ? one : joined(known, one));
  }
  // Sorted, so that two nodes never wait for each other crosswise.
  const rows = [...distinct].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one);
  const values = [...keyArrays(rows), rows.map(({ seconds }) => seconds), rows.map(({ dueIn }) => dueIn), PULLS_APART];
  await tx.query({ name: "want_pulls", text: WANT, values });
}

const joined = (one: WantedPull, other: WantedPull): WantedPull => ({
  ...one,
  seconds: Math.max(one.seconds, other.seconds),
  dueIn: Math.min(one.dueIn, other.dueIn),
});

/** Somebody still waits: so many seconds more. When it is due does not change. */
export async function keepPulls(tx: Queryable, keys: readonly PullKey[], forSeconds: number): Promise<void> {
  if (keys.length === 0) return;
  const sorted = keys.toSorted((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
  await tx.query({ name: "keep_pulls", text: KEEP, values: [...keyArrays(sorted), forSeconds] });
}

/** By account, how many are due. */
export async function duePulls(tx: Queryable): Promise<{ livemode: boolean; account: string; count: number }[]> {
  return (await tx.query<{ livemode: boolean; account: string; count: number }>({ name: "due_pulls", text: DUE })).rows;
}

/** Claims an account's pulls that are due, those first that were tried least. */
export async function claimPulls(
  tx: Queryable,
  { livemode, account }: Pick<PullKey, "livemode" | "account">,
  claim: { lease: string; leaseSeconds: number; limit: number },
): Promise<ClaimedPull[]> {
  const values = [livemode, account, claim.lease, claim.leaseSeconds, claim.limit];
  return (await tx.query<ClaimedPull>({ name: "claim_pulls", text: CLAIM, values })).rows;
}

/** Gives the lease back; it falls due again in so many seconds, if somebody still waits. */
export async function finishPull(tx: Queryable, key: PullKey, lease: string, againIn: number): Promise<void> {
  const values = [key.livemode, key.account, key.objectType, key.objectId, lease, againIn];
  await tx.query({ name: "finish_pull", text: FINISH, values });
}

/** The wait is over. */
export async function endPulls(tx: Queryable, keys: readonly PullKey[]): Promise<void> {
  if (keys.length === 0) return;
  const sorted = keys.toSorted((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
  await tx.query({ name: "end_pulls", text: END, values: keyArrays(sorted) });
}

/** What nobody waits for any more. */
export async function purgePulls(tx: Queryable): Promise<number> {
  return (await tx.query("delete from status_pulls where wanted_until < now() - interval '1 minute'")).rowCount;
}

export const nameOf = ({ livemode, account, objectType, objectId }: PullKey): string =>
  `${livemode ? "live" : "test"}|${account}|${objectType}|${objectId}`;

function keyArrays(keys: readonly PullKey[]): unknown[] {
  return [
    booleanArray(keys.map(({ livemode }) => livemode)),
    textArray(keys.map(({ account }) => account)),
    textArray(keys.map(({ objectType }) => objectType)),
    textArray(keys.map(({ objectId }) => objectId)),
  ];
}

const seconds = (value: string): string => `make_interval(secs => ${value})`;

const WANT = `
  insert into status_pulls as stored (livemode, stripe_account, object_type, object_id, wanted_until, due_at)
  select livemode, account, object_type, object_id, now() + ${seconds("waits")}, now() + ${seconds("due_in")}
  from unnest($1::boolean[], $2::text[], $3::text[], $4::text[], $5::float8[], $6::float8[])
    as wanted (livemode, account, object_type, object_id, waits, due_in)
  on conflict (livemode, stripe_account, object_type, object_id) do update
  set wanted_until = greatest(stored.wanted_until, excluded.wanted_until),
      due_at = least(stored.due_at, greatest(excluded.due_at, coalesce(stored.asked_at + ${seconds("$7")}, now())))`;

const OF_KEYS = `
  stored.livemode = wanted.livemode and stored.stripe_account = wanted.account
  and stored.object_type = wanted.object_type and stored.object_id = wanted.object_id`;

const KEEP = `
  update status_pulls as stored set wanted_until = greatest(stored.wanted_until, now() + ${seconds("$5")})
  from unnest($1::boolean[], $2::text[], $3::text[], $4::text[]) as wanted (livemode, account, object_type, object_id)
  where ${OF_KEYS}`;

const FREE = "due_at <= now() and wanted_until > now() and (leased_until is null or leased_until <= now())";

const DUE = `
  select livemode, stripe_account as account, count(*) as count from status_pulls where ${FREE}
  group by livemode, stripe_account order by livemode, stripe_account`;

const CLAIM = `
  update status_pulls as claimed
  set attempts = attempts + 1, lease = $3, leased_until = now() + ${seconds("$4")}, asked_at = now()
  from (
    select livemode, stripe_account, object_type, object_id from status_pulls
    where livemode = $1 and stripe_account = $2 and ${FREE}
    order by attempts, due_at limit $5 for update skip locked
  ) as due
  where (claimed.livemode, claimed.stripe_account, claimed.object_type, claimed.object_id)
      = (due.livemode, due.stripe_account, due.object_type, due.object_id)
  returning claimed.livemode, claimed.stripe_account as account, claimed.object_type as "objectType",
            claimed.object_id as "objectId", claimed.attempts`;

const FINISH = `
  update status_pulls set lease = null, leased_until = null, due_at = now() + ${seconds("$6")}
  where livemode = $1 and stripe_account = $2 and object_type = $3 and object_id = $4 and lease = $5`;

// One that is being asked for goes when its lease has ended, and nobody waits for it.
const END = `
  delete from status_pulls as stored
  using unnest($1::boolean[], $2::text[], $3::text[], $4::text[]) as wanted (livemode, account, object_type, object_id)
  where ${OF_KEYS} and (stored.leased_until is null or stored.leased_until <= now())`;
