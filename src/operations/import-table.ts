// What was imported, and the ranges of the import that is going on. Tables: imports, import_ranges
import { bigintArray } from "../db/arrays.ts";
import type { Queryable } from "../db/database.ts";
import type { UnixSeconds } from "../projections/observation.ts";
import type { ListScope } from "./stripe-lists.ts";

export interface ImportKey extends ListScope {
  /** Of import-kinds.ts. */
  kind: string;
}

/**
 * whole: all is read anew · resumed: an interrupted run goes on · events: it was imported lately, and events tell what has
 * changed since `asOf`
 */
export type ImportPlan = { how: "whole" | "resumed" } | { how: "events"; asOf: UnixSeconds };

export interface ClaimedRange extends ImportKey {
  lease: string;
  since: UnixSeconds;
  until: UnixSeconds | null;
  cursor: string | null;
  /** The second of the oldest object that was stored. */
  reached: UnixSeconds | null;
}

export interface ImportStanding extends ImportKey {
  running: boolean;
  completeSince: UnixSeconds | null;
  completeAsOf: UnixSeconds | null;
  objects: number;
  pages: number;
  lastError: string | null;
}

/** Another process has taken a range over: what this one has not committed is not kept. */
export class ImportLost extends Error {
  constructor() {
    super("another process has taken this part of the import over");
    this.name = "ImportLost";
  }
}

/** Stripe tells by events what has changed in 30 days; a day is left for the import itself. */
const EVENTS_TELL_DAYS = 29;

/**
 * Plans the import of one kind: goes on with an interrupted run that will have brought what is asked, leaves what was imported
 * in the last 29 days to the events, and begins anew otherwise; what is wanted from earlier on than it is known begins with
 * the earlier part alone.
 */
export async function planImport(tx: Queryable, key: ImportKey, since: UnixSeconds): Promise<ImportPlan> {
  const values = [key.livemode, key.account, key.kind];
  await tx.query({ text: ENSURE, values });
  const { rows } = await tx.query<{
    runningSince: number | null;
    resumable: boolean;
    completeSince: number | null;
    completeAsOf: number | null;
    fresh: boolean;
  }>({ text: LOCK, values: [...values, EVENTS_TELL_DAYS] });
  const [known] = rows;
  if (known === undefined) throw new Error(`the import of ${key.kind} could not be planned`);
  const { runningSince, resumable, completeSince, completeAsOf, fresh } = known;
  if (runningSince !== null && runningSince <= since && resumable) {
    await tx.query({ text: "update imports set last_error = null where " + KEY, values });
    return { how: "resumed" };
  }
  if (runningSince === null && fresh && completeAsOf !== null && completeSince !== null && completeSince <= since)
    return { how: "events", asOf: completeAsOf };
  // What the interrupted run was asked for is still wanted. Whoever reads a part of it finds it gone: ImportLost.
  const from = Math.min(since, runningSince ?? since);
  await tx.query({ text: "delete from import_ranges where " + KEY, values });
  await tx.query({ text: BEGIN, values: [...values, from] });
  await tx.query({ text: FIRST_RANGE, values: [...values, from, fresh ? completeSince : null] });
  return { how: "whole" };
}

/** Claims a range of a run that has not failed, of one account or of all. */
export async function claimRange(
  tx: Queryable,
  modes: readonly boolean[],
  account: string | undefined,
  lease: string,
  leaseSeconds: number,
): Promise<ClaimedRange | undefined> {
  const values = [[...modes], account ?? null, lease, leaseSeconds];
  return (await tx.query<ClaimedRange>({ text: CLAIM, values })).rows[0];
}

/**
 * Moves a range behind a page, in the commit that stores its objects; what is left of it is cut at `cuts` (ascending), and
 * this worker keeps the newest part. The end of the last range is the end of the import. Throws ImportLost.
 */
export async function noteImported(
  tx: Queryable,
  range: ClaimedRange,
  page: {
    asOf: UnixSeconds;
    cursor: string | null;
    objects: number;
    pages: number;
    reached: UnixSeconds | null;
    done: boolean;
    cuts: readonly number[];
  },
  leaseSeconds: number,
): Promise<void> {
  const key = [range.livemode, range.account, range.kind];
  // One worker after another: each must see whether it was the last.
  await tx.query({ text: NOTE_RUN, values: [...key, page.objects, page.pages, page.asOf] });
  const newest = page.cuts.at(-1) ?? range.since;
  const values = [
    ...key,
    range.since,
    range.lease,
    page.cursor,
    page.objects,
    page.reached,
    page.done,
    newest,
    leaseSeconds,
  ];
  if ((await tx.query({ text: NOTE_RANGE, values })).rowCount === 0) throw new ImportLost();
  if (page.cuts.length > 0) {
    const starts = [range.since, ...page.cuts.slice(0, -1)];
    await tx.query({ text: ADD_RANGES, values: [...key, bigintArray(starts), bigintArray([...page.cuts])] });
  }
  if (page.done) await tx.query({ text: FINISH, values: key });
}

/** Gives a range back: to go on later, or because its account failed, which stops the other ranges of its kind too. */
export async function releaseRange(tx: Queryable, range: ClaimedRange, error: string | null): Promise<void> {
  const key = [range.livemode, range.account, range.kind];
  if (error !== null) await tx.query({ text: NOTE_ERROR, values: [...key, error] });
  await tx.query({ text: RELEASE, values: [...key, range.since, range.lease] });
}

/** On one folder there is one process: whatever a killed one had claimed is ours at once. */
export async function releaseAllRanges(tx: Queryable): Promise<void> {
  await tx.query("update import_ranges set lease = null, lease_until = null where lease is not null");
}

/** Events have told what changed until then. */
export async function advanceImports(tx: Queryable, keys: readonly ImportKey[], asOf: UnixSeconds): Promise<void> {
  for (const { livemode, account, kind } of keys)
    await tx.query({ text: ADVANCE, values: [livemode, account, kind, asOf] });
}

/** How the imports of one mode's account stand. */
export async function importStanding(tx: Queryable, { livemode, account }: ListScope): Promise<ImportStanding[]> {
  return (await tx.query<ImportStanding>({ text: STANDING, values: [livemode, account] })).rows;
}

/** Of every account and kind that was ever imported, what moved last first. */
export async function everyImport(tx: Queryable, limit: number): Promise<(ImportStanding & { updatedAt: Date })[]> {
  return (await tx.query<ImportStanding & { updatedAt: Date }>({ text: EVERY, values: [limit] })).rows;
}

const KEY = "livemode = $1 and stripe_account = $2 and object_type = $3";

const ENSURE = `insert into imports (livemode, stripe_account, object_type) values ($1, $2, $3) on conflict do nothing`;

// A run that reads the earlier part alone ends as old as what it is joined to.
const LOCK = `
  select running_since as "runningSince", complete_since as "completeSince", complete_as_of as "completeAsOf", fresh,
         coalesce(running_as_of > told_from, true)
           and (fresh or exists (select from import_ranges where ${KEY} and range_until is null)) as resumable
  from imports
  cross join lateral (select extract(epoch from now()) - $4 * 86400 as told_from) as events
  cross join lateral (select coalesce(complete_as_of > told_from, false) as fresh) as complete
  where ${KEY} for update of imports`;

const BEGIN = `
  update imports
  set running_since = $4, running_as_of = null, objects = 0, pages = 0, last_error = null, updated_at = now()
  where ${KEY}`;

const FIRST_RANGE = `
  insert into import_ranges (livemode, stripe_account, object_type, range_since, range_until) values ($1, $2, $3, $4, $5)`;

const CLAIM = `
  update import_ranges as claimed
  set lease = $3, lease_until = now() + $4 * interval '1 second'
  from (
    select part.livemode, part.stripe_account, part.object_type, part.range_since
    from import_ranges as part join imports using (livemode, stripe_account, object_type)
    where part.livemode = any ($1::boolean[]) and ($2::text is null or part.stripe_account = $2) and not part.done
      and imports.last_error is null and (part.lease_until is null or part.lease_until < now())
    order by part.livemode desc, part.stripe_account, part.object_type, part.range_since desc
    limit 1 for update of part skip locked
  ) as free
  where (claimed.livemode, claimed.stripe_account, claimed.object_type, claimed.range_since)
      = (free.livemode, free.stripe_account, free.object_type, free.range_since)
  returning claimed.livemode, claimed.stripe_account as account, claimed.object_type as kind, claimed.lease,
            claimed.range_since as since, claimed.range_until as until, claimed.cursor, claimed.reached`;

// The import is true as of its first page: what changed later its events tell.
const NOTE_RUN = `
  update imports
  set objects = objects + $4, pages = pages + $5, running_as_of = least(coalesce(running_as_of, $6), $6), updated_at = now()
  where ${KEY}`;

const NOTE_RANGE = `
  update import_ranges
  set cursor = coalesce($6, cursor), objects = objects + $7, reached = coalesce($8, reached), done = $9, range_since = $10,
      lease_until = now() + $11 * interval '1 second'
  where ${KEY} and range_since = $4 and lease = $5`;

const ADD_RANGES = `
  insert into import_ranges (livemode, stripe_account, object_type, range_since, range_until)
  select $1, $2, $3, part.since, part.until from unnest($4::bigint[], $5::bigint[]) as part (since, until)`;

const FINISH = `
  with ended as (
    update imports
    set complete_since = least(running_since, case when joined.until is null then null else complete_since end),
        complete_as_of = case when joined.until is null then running_as_of else least(complete_as_of, running_as_of) end,
        running_since = null, running_as_of = null, updated_at = now()
    from (
      select bool_and(done) as done, case when bool_or(range_until is null) then null else max(range_until) end as until
      from import_ranges where ${KEY}
    ) as joined
    where ${KEY} and joined.done
    returning imports.livemode
  )
  delete from import_ranges where ${KEY} and exists (select from ended)`;

const NOTE_ERROR = `update imports set last_error = $4, updated_at = now() where ${KEY}`;

const RELEASE = `
  update import_ranges set lease = null, lease_until = null where ${KEY} and range_since = $4 and lease = $5`;

const ADVANCE = `
  update imports set complete_as_of = greatest(complete_as_of, $4), updated_at = now()
  where ${KEY} and running_since is null and complete_as_of is not null`;

const STANDING = `
  select livemode, stripe_account as account, object_type as kind, running_since is not null as running,
         complete_since as "completeSince", complete_as_of as "completeAsOf", objects, pages, last_error as "lastError"
  from imports where livemode = $1 and stripe_account = $2`;

const EVERY = `
  select livemode, stripe_account as account, object_type as kind, running_since is not null as running,
         complete_since as "completeSince", complete_as_of as "completeAsOf", objects, pages, last_error as "lastError",
         updated_at as "updatedAt"
  from imports order by updated_at desc limit $1`;
