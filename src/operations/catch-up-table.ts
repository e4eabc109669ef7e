// How far the events of each Stripe account are known: a watermark for each account and mode, and the run in progress. Table: catch_ups
import type { Queryable } from "../db/database.ts";
import type { UnixSeconds } from "../projections/observation.ts";
import type { ListScope } from "./stripe-lists.ts";

/** A run that this process has claimed. */
export interface ClaimedCatchUp extends ListScope {
  lease: string;
  coveredSince: UnixSeconds | null;
  coveredUntil: UnixSeconds;
  windowSince: UnixSeconds;
  /** null: the run has stored no page yet. */
  windowUntil: UnixSeconds | null;
  /** The last event that was stored; null: the run begins. */
  cursor: string | null;
  failures: number;
}

/** How an account stands. Of the counts, `newEvents` are those that no webhook had brought. */
export interface CatchUpStanding extends ListScope {
  coveredSince: UnixSeconds | null;
  coveredUntil: UnixSeconds;
  /** What Stripe no longer had; null: nothing is missed. */
  missedSince: UnixSeconds | null;
  missedUntil: UnixSeconds | null;
  pages: number;
  events: number;
  newEvents: number;
  /** Those that could not be read, or were the other mode's. */
  skipped: number;
  lastError: string | null;
  lastRunAt: Date | null;
  /** Whether a run that began after the question's `since` has read to the end, or one has failed since then. */
  finished: boolean;
}

export interface CatchUpFilter {
  livemode?: boolean | undefined;
  account?: string | undefined;
}

/**
 * Stripe's list may show an event a little later than its second says, and clocks of different machines of theirs differ: the
 * next run begins this much before the end of the last one. Two minutes of ten, the default interval, are at most 1.2 times the pages.
 */
export const OVERLAP_SECONDS = 120;

/** Another process has taken the run over: what this one has not committed is not kept. */
export class CatchUpLost extends Error {
  constructor() {
    super("another process has taken this catch-up over");
    this.name = "CatchUpLost";
  }
}

/**
 * A row for every account whose events we should have: the platform's from its installation on, a connected one's from its
 * connection on. One that connects again begins anew: what happened meanwhile was not ours to see.
 */
export async function ensureCatchUps(tx: Queryable, modes: readonly boolean[]): Promise<void> {
  await tx.query({ text: ENSURE, values: [[...modes]] });
}

/**
 * Makes these accounts due at once, and where `since` is given asks for what happened since then too; of a connected account
 * not before its connection, of the platform's own not before its installation. Returns the database's time, by which
 * `catchUpStanding` tells whether a run that began afterwards has ended.
 */
export async function requestCatchUps(
  tx: Queryable,
  modes: readonly boolean[],
  { livemode, account }: CatchUpFilter,
  since?: UnixSeconds,
): Promise<string> {
  const { rows } = await tx.query<{ now: string }>("select clock_timestamp()::text as now");
  const asked = rows[0]?.now ?? "";
  const values = [[...modes], livemode ?? null, account ?? null, since ?? null, asked, OVERLAP_SECONDS];
  await tx.query({ text: REQUEST, values });
  return asked;
}

/** All that have not run for a minute are due: a start, after a downtime that nobody has measured. */
export async function dueAtStart(tx: Queryable): Promise<void> {
  await tx.query(
    "update catch_ups set next_run_at = now() where last_run_at is null or last_run_at < now() - interval '1 minute'",
  );
}

/** Claims a run that is due, one that was interrupted included. */
export async function claimCatchUp(
  tx: Queryable,
  modes: readonly boolean[],
  lease: string,
  leaseSeconds: number,
): Promise<ClaimedCatchUp | undefined> {
  const values = [[...modes], lease, leaseSeconds, OVERLAP_SECONDS];
  const { rows } = await tx.query<ClaimedCatchUp>({ text: CLAIM, values });
  return rows[0];
}

/** Moves the run behind a page, in the commit that stores its events. Throws CatchUpLost. */
export async function notePage(
  tx: Queryable,
  run: ClaimedCatchUp,
  page: { until: UnixSeconds; cursor: string | null; events: number; newEvents: number; skipped: number },
  leaseSeconds: number,
): Promise<void> {
  const { until, cursor, events, newEvents, skipped } = page;
  const values = [run.livemode, run.account, run.lease, until, cursor, events, newEvents, leaseSeconds, skipped];
  if ((await tx.query({ text: NOTE_PAGE, values })).rowCount === 0) throw new CatchUpLost();
}

/**
 * Moves the watermark to the end of the run, and says when the next one is due (0: when it is asked for). `oldest`: what happened before it Stripe has
 * no longer. Throws CatchUpLost.
 */
export async function finishCatchUp(
  tx: Queryable,
  run: ClaimedCatchUp,
  oldest: UnixSeconds,
  everySeconds: number,
): Promise<void> {
  const values = [run.livemode, run.account, run.lease, oldest, everySeconds];
  if ((await tx.query({ text: FINISH, values })).rowCount === 0) throw new CatchUpLost();
}

/** Ends a run that failed; the next one goes on where it stopped. `fromTheStart`: it cannot, because its cursor is gone. */
export async function failCatchUp(
  tx: Queryable,
  run: ClaimedCatchUp,
  { error, againAfter, fromTheStart }: { error: string; againAfter: number; fromTheStart: boolean },
): Promise<void> {
  await tx.query({ text: FAIL, values: [run.livemode, run.account, run.lease, error, againAfter, fromTheStart] });
}

/** Gives a run back that is to go on elsewhere or later, where it stopped. */
export async function releaseCatchUp(tx: Queryable, run: ClaimedCatchUp): Promise<void> {
  await tx.query({ text: RELEASE, values: [run.livemode, run.account, run.lease] });
}

/** On one folder there is one process: whatever a killed one had claimed is ours at once. */
export async function releaseAllCatchUps(tx: Queryable): Promise<void> {
  await tx.query("update catch_ups set lease = null, lease_until = null where lease is not null");
}

/** How the accounts stand that are still connected; `since`: what `requestCatchUps` returned. */
export async function catchUpStanding(
  tx: Queryable,
  modes: readonly boolean[],
  { livemode, account }: CatchUpFilter = {},
  since = "infinity",
): Promise<CatchUpStanding[]> {
  const values = [[...modes], livemode ?? null, account ?? null, since];
  return (await tx.query<CatchUpStanding>({ text: STANDING, values })).rows;
}

export interface CatchUpRow extends Omit<CatchUpStanding, "finished"> {
  running: boolean;
  /** null: when it is asked for. */
  nextRunAt: Date | null;
}

/** How every account stands, what ran last first. */
export async function everyCatchUp(tx: Queryable, limit: number): Promise<CatchUpRow[]> {
  return (await tx.query<CatchUpRow>({ text: EVERY, values: [limit] })).rows;
}

/** Everything was imported as of then: what was missed before is here. */
export async function clearMissed(tx: Queryable, { livemode, account }: ListScope, asOf: UnixSeconds): Promise<void> {
  await tx.query({ text: CLEAR_MISSED, values: [livemode, account, asOf] });
}

const ENSURE = `
  insert into catch_ups as known (livemode, stripe_account, covered_until)
  select mode, '', floor(extract(epoch from created_at))::bigint
  from tenants cross join unnest($1::boolean[]) as wanted (mode) where platform
  union all
  select livemode, stripe_account, floor(extract(epoch from coalesce(began_at, connected_at)))::bigint
  from connections where disconnected_at is null and livemode = any ($1::boolean[])
  order by 1, 2
  on conflict (livemode, stripe_account) do update
  set covered_since = null, covered_until = excluded.covered_until, window_since = null, window_until = null, cursor = null,
      lease = null, lease_until = null, next_run_at = now()
  where excluded.covered_until > known.covered_until and known.stripe_account <> ''`;

const CONNECTED = `
  (one.stripe_account = '' or exists (
    select from connections as connection
    where connection.livemode = one.livemode and connection.stripe_account = one.stripe_account
      and connection.disconnected_at is null))`;

const CHOSEN = `
  one.livemode = any ($1::boolean[]) and ($2::boolean is null or one.livemode = $2)
  and ($3::text is null or one.stripe_account = $3) and ${CONNECTED}`;

// Where a run begins that was not asked for more.
const BEGINNING = (row: string, overlap: string): string =>
  `case when ${row}.covered_since is null then ${row}.covered_until else greatest(${row}.covered_until - ${overlap}::bigint, 0) end`;

// A run that is going on and began too late is broken off: what it has stored is stored. The watermark stays: what is read again
// says nothing of what is known.
const REQUEST = `
  update catch_ups as one
  set next_run_at = now(), requested_at = greatest(one.requested_at, $5::timestamptz),
      window_since = case when wider then wanted.since else window_since end,
      window_until = case when wider then null else window_until end,
      cursor = case when wider then null else cursor end,
      pages = case when wider then 0 else pages end, events = case when wider then 0 else events end,
      new_events = case when wider then 0 else new_events end, skipped = case when wider then 0 else skipped end,
      lease = case when wider then null else lease end,
      lease_until = case when wider then null else lease_until end
  from (
    select found.livemode, found.stripe_account, found.since,
           coalesce(found.since < coalesce(found.window_since, ${BEGINNING("found", "$6")}), false) as wider
    from (
      select one.livemode, one.stripe_account, one.window_since, one.covered_since, one.covered_until,
             case when $4::bigint is null then null else greatest($4,
               floor(extract(epoch from case when one.stripe_account = '' then installed.created_at
                                             else coalesce(connection.began_at, connection.connected_at) end))::bigint,
               floor(extract(epoch from now() - interval '30 days' + interval '5 minutes'))::bigint) end as since
      from catch_ups as one
      left join connections as connection
        on connection.livemode = one.livemode and connection.stripe_account = one.stripe_account
      left join tenants as installed on installed.platform
    ) as found
  ) as wanted
  where wanted.livemode = one.livemode and wanted.stripe_account = one.stripe_account and ${CHOSEN}`;

const CLAIM = `
  update catch_ups as claimed
  set lease = $2, lease_until = now() + $3 * interval '1 second',
      pages = case when due.window_since is null then 0 else claimed.pages end,
      events = case when due.window_since is null then 0 else claimed.events end,
      new_events = case when due.window_since is null then 0 else claimed.new_events end,
      skipped = case when due.window_since is null then 0 else claimed.skipped end,
      began_at = case when claimed.window_until is null then now() else claimed.began_at end,
      window_since = coalesce(due.window_since, ${BEGINNING("claimed", "$4")})
  from (
    select one.livemode, one.stripe_account, one.window_since from catch_ups as one
    where one.livemode = any ($1::boolean[]) and one.next_run_at <= now()
      and (one.lease_until is null or one.lease_until < now()) and ${CONNECTED}
    order by one.next_run_at limit 1
    for update of one skip locked
  ) as due
  where claimed.livemode = due.livemode and claimed.stripe_account = due.stripe_account
  returning claimed.livemode, claimed.stripe_account as account, claimed.lease, claimed.covered_since as "coveredSince",
            claimed.covered_until as "coveredUntil", claimed.window_since as "windowSince", claimed.window_until as "windowUntil", claimed.cursor, claimed.failures`;

const OWN = "livemode = $1 and stripe_account = $2 and lease = $3";

const NOTE_PAGE = `
  update catch_ups
  set window_until = coalesce(window_until, $4), cursor = coalesce($5, cursor), pages = pages + 1, events = events + $6,
      new_events = new_events + $7, skipped = skipped + $9, lease_until = now() + $8 * interval '1 second'
  where ${OWN}`;

// A hole that an earlier run has found stays until an import fills it. Who asked when its first page was there waits for another run.
const FINISH = `
  update catch_ups
  set covered_since = case
        when covered_since is null or covered_until < $4 then greatest(window_since, $4)
        else least(covered_since, greatest(window_since, $4)) end,
      missed_since = case when covered_since is not null and covered_until < $4 then coalesce(missed_since, covered_until) else missed_since end,
      missed_until = case when covered_since is not null and covered_until < $4 then $4 else missed_until end,
      covered_until = window_until, window_since = null, window_until = null, cursor = null, failures = 0, last_error = null,
      last_run_at = now(), lease = null, lease_until = null,
      next_run_at = case when requested_at > began_at then now() when $5 = 0 then 'infinity' else now() + $5 * interval '1 second' end
  where ${OWN}`;

const FAIL = `
  update catch_ups
  set failures = failures + 1, last_error = $4, last_run_at = now(), next_run_at = now() + $5 * interval '1 second',
      window_until = case when $6 then null else window_until end, cursor = case when $6 then null else cursor end,
      lease = null, lease_until = null
  where ${OWN}`;

const RELEASE = `update catch_ups set lease = null, lease_until = null where ${OWN}`;

const STANDING = `
  select one.livemode, one.stripe_account as account, covered_since as "coveredSince", covered_until as "coveredUntil",
         missed_since as "missedSince", missed_until as "missedUntil", pages, events, new_events as "newEvents",
         skipped, last_error as "lastError", last_run_at as "lastRunAt",
         coalesce(last_run_at >= $4::timestamptz and lease is null
           and (last_error is not null or (window_since is null and began_at >= $4::timestamptz)), false) as finished
  from catch_ups as one where ${CHOSEN} order by one.livemode desc, one.stripe_account`;

const CLEAR_MISSED = `
  update catch_ups set missed_since = null, missed_until = null
  where livemode = $1 and stripe_account = $2 and missed_until <= $3`;

const EVERY = `
  select livemode, stripe_account as account, covered_since as "coveredSince", covered_until as "coveredUntil",
         missed_since as "missedSince", missed_until as "missedUntil", pages, events, new_events as "newEvents", skipped,
         last_error as "lastError", last_run_at as "lastRunAt", coalesce(lease_until > now(), false) as running,
         case when isfinite(next_run_at) then next_run_at end as "nextRunAt"
  from catch_ups order by last_run_at desc nulls last, livemode desc, stripe_account limit $1`;
