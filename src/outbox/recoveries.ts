// Recoveries: what an endpoint missed is queued for it again, in the background, at a rate. Table: recoveries
import type { Clock } from "../base/clock.ts";
import { publicError } from "../base/errors.ts";
import { firstIdAt } from "../base/ids.ts";
import { textArray } from "../db/arrays.ts";
import type { Database, Queryable } from "../db/database.ts";
import { deliveryIdOf } from "./delivery-match.ts";
import { fanOutTo } from "./delivery-tables.ts";
import { type Endpoint, findEndpoint, takesMode } from "./endpoint-table.ts";
import { recoveryPace } from "./recovery-pace.ts";

export const RECOVERY_STATUSES = ["running", "done", "canceled"] as const;
export type RecoveryStatus = (typeof RECOVERY_STATUSES)[number];

export interface RecoveryKey {
  tenantId: string;
  livemode: boolean;
  id: string;
}

/** `livemode` undefined: of either mode. */
export interface SoughtRecovery extends Omit<RecoveryKey, "livemode"> {
  livemode: boolean | undefined;
}

export interface Recovery extends RecoveryKey {
  endpointId: string;
  since: Date;
  /** Exclusive. */
  until: Date;
  status: RecoveryStatus;
  /** Counted when it began, to MOST_COUNTED at most. */
  total: number;
  /** Deliveries that it has begun so far. */
  queued: number;
  /** At most so many are begun in a second. */
  perSecond: number;
  createdAt: Date;
  endedAt: Date | null;
}

/** Events of one mode that we learned of from `since` on and before `until`. */
export interface RecoveryRange {
  endpoint: Endpoint;
  livemode: boolean;
  since: Date;
  until: Date;
}

/** The count looks at so many events at most: a range may have millions. */
const MOST_COUNTED = 100_000;

/**
 * How many events in the range the endpoint takes, and neither has had nor is about to get. `partial`: among its first
 * MOST_COUNTED, and there are more.
 */
export async function countMissed(
  tx: Queryable,
  { endpoint, livemode, since, until }: RecoveryRange,
): Promise<{ count: number; partial: boolean }> {
  const { rows } = await tx.query<{ count: number; partial: boolean }>({
    text: COUNT_MISSED,
    values: [
      ...[endpoint.tenantId, livemode, endpoint.id, firstIdAt("msg", since.getTime())],
      ...[firstIdAt("msg", until.getTime()), ...typeArrays(endpoint.enabledEvents), MOST_COUNTED],
    ],
  });
  return rows[0] ?? { count: 0, partial: false };
}

/** Throws `endpoint_disabled`, `recovery_running`. */
export async function beginRecovery(
  tx: Queryable,
  range: RecoveryRange,
  { id, perSecond }: { id: string; perSecond: number },
): Promise<Recovery> {
  const { endpoint, livemode, since, until } = range;
  if (!takesMode(endpoint, livemode)) throw publicError("endpoint_disabled");
  const { count: total } = await countMissed(tx, range);
  const values = [endpoint.tenantId, livemode, id, endpoint.id, since, until, total, perSecond];
  const { rows } = await tx.query<Recovery>({
    text: INSERT,
    values: [...values, firstIdAt("msg", since.getTime())],
  });
  const [begun] = rows;
  if (begun === undefined) throw publicError("recovery_running");
  return begun;
}

export async function findRecovery(tx: Queryable, sought: SoughtRecovery): Promise<Recovery | undefined> {
  const values = [sought.tenantId, sought.livemode ?? null, sought.id];
  return (await tx.query<Recovery>({ text: `${SELECT} where ${SOUGHT}`, values })).rows[0];
}

export interface RecoveryFilter {
  /** Undefined: every tenant's, for the operator. */
  tenantId?: string | undefined;
  livemode?: boolean | undefined;
  endpointId?: string | undefined;
  status?: RecoveryStatus | undefined;
  /** The id that the page before ended with. */
  after?: string | undefined;
  limit: number;
}

/** Newest first: our ids sort by time. */
export async function listRecoveries(tx: Queryable, filter: RecoveryFilter): Promise<Recovery[]> {
  const { tenantId, livemode, endpointId, status, after, limit } = filter;
  const values = [tenantId ?? null, livemode ?? null, endpointId ?? null, status ?? null, after ?? null, limit];
  return (await tx.query<Recovery>({ text: LIST, values })).rows;
}

/** What it has queued by then is delivered all the same. undefined: it does not run. */
export async function cancelRecovery(tx: Queryable, sought: SoughtRecovery): Promise<Recovery | undefined> {
  const values = [sought.tenantId, sought.livemode ?? null, sought.id];
  return (await tx.query<Recovery>({ text: `${CANCEL} and ${SOUGHT} returning ${COLUMNS}`, values })).rows[0];
}

/** Of an endpoint that gets nothing any more. */
export async function cancelRecoveries(
  tx: Queryable,
  { tenantId, endpointId }: { tenantId: string; endpointId: string },
): Promise<void> {
  await tx.query({ text: `${CANCEL} and tenant_id = $1 and endpoint_id = $2`, values: [tenantId, endpointId] });
}

/** Deletes those that ended so many days ago, at most `limit`. Returns how many. */
export async function deleteOldRecoveries(tx: Queryable, days: number, limit: number): Promise<number> {
  return (await tx.query({ text: DELETE_OLD, values: [days, limit] })).rowCount;
}

export interface RecoverOptions {
  database: Database;
  clock: Clock;
  /** There are deliveries in the queue: look now. */
  wake: () => void;
  /** Milliseconds: an event younger than that may still be on its way into the table. */
  settleMs?: number;
}

/** Deliveries, and events that are looked at, of one transaction. */
const AT_ONCE = { server: 200, embedded: 50 } as const;
const LOOKED_AT = { server: 2000, embedded: 500 } as const;
/** Longer than from the making of an event's id to its commit. */
const SETTLE_MS = 5000;
const AFTER_ERROR_SECONDS = 30;

/**
 * One step of the recovery that is due first: finds what is missing behind its cursor, begins those deliveries, and moves the
 * cursor, in one transaction. A killed worker leaves the step undone, and any other goes on there.
 */
export async function recoverDue(options: RecoverOptions): Promise<"full" | "none"> {
  const { database, wake } = options;
  let claimed: Claimed | undefined;
  try {
    const queued = await database.transaction(async (tx) => {
      claimed = (await tx.query<Claimed>(CLAIM)).rows[0];
      return claimed === undefined ? undefined : recoverSome(tx, options, claimed);
    });
    if (queued === undefined) return "none";
    if (queued > 0) wake();
    return "full";
  } catch (error) {
    // It must not hold up the others.
    if (claimed !== undefined) {
      const values = [claimed.tenantId, claimed.livemode, claimed.id, AFTER_ERROR_SECONDS];
      await database.query({ text: PUT_OFF, values });
    }
    throw error;
  }
}

interface Claimed extends Recovery {
  cursor: string;
}

/** How many deliveries it began. */
async function recoverSome(
  tx: Queryable,
  { database: { kind }, clock, settleMs = SETTLE_MS }: RecoverOptions,
  recovery: Claimed,
): Promise<number> {
  const { tenantId, livemode, endpointId, perSecond } = recovery;
  const endpoint = await findEndpoint(tx, { tenantId, id: endpointId });
  if (endpoint === undefined || !takesMode(endpoint, livemode)) {
    await moveOn(tx, recovery, { ...recovery, queued: 0, status: "canceled", rest: 0 });
    return 0;
  }
  const settled = clock.now() - settleMs;
  const end = firstIdAt("msg", Math.min(recovery.until.getTime(), settled));
  const { most, rest } = recoveryPace(perSecond, AT_ONCE[kind]);
  const { rows } = await tx.query<{ missed: string[]; last: string | null; seen: number }>({
    text: NEXT_MISSED,
    values: [
      ...[tenantId, livemode, endpointId, recovery.cursor, end, ...typeArrays(endpoint.enabledEvents)],
      ...[LOOKED_AT[kind], most],
    ],
  });
  const { missed = [], last = null, seen = 0 } = rows[0] ?? {};
  const queued = await fanOutTo(tx, { tenantId, livemode, endpointId }, missed, { again: true });
  const full = missed.length >= most;
  const more = full || seen >= LOOKED_AT[kind];
  const over = !more && recovery.until.getTime() <= settled;
  const pause = missed.length === 0 ? 0 : rest;
  await moveOn(tx, recovery, {
    cursor: (full ? missed.at(-1) : last) ?? recovery.cursor,
    queued: queued.length,
    status: over ? "done" : "running",
    rest: more || over ? pause : Math.max(settleMs / 2000, pause),
  });
  return queued.length;
}

interface Step {
  cursor: string;
  queued: number;
  status: RecoveryStatus;
  /** Seconds until the next one. */
  rest: number;
}

async function moveOn(tx: Queryable, { tenantId, livemode, id }: RecoveryKey, step: Step): Promise<void> {
  const { cursor, queued, status, rest } = step;
  await tx.query({ text: MOVE_ON, values: [tenantId, livemode, id, cursor, queued, status, rest] });
}

/** `*` at all, whole types, and what types begin with: as `matchesPattern` reads patterns. */
function typeArrays(patterns: readonly string[]): [boolean, Buffer, Buffer] {
  const families = patterns.filter((pattern) => pattern.endsWith(".*"));
  return [patterns.includes("*"), textArray(patterns), textArray(families.map((pattern) => pattern.slice(0, -1)))];
}

const COLUMNS = `
  tenant_id as "tenantId", livemode, id, endpoint_id as "endpointId", since, until, status, total, queued,
  per_second as "perSecond", created_at as "createdAt", ended_at as "endedAt"`;

const SELECT = `select ${COLUMNS} from recoveries`;
const KEY = "tenant_id = $1 and livemode = $2 and id = $3";
const SOUGHT = "tenant_id = $1 and ($2::boolean is null or livemode = $2) and id = $3";

const MISSED = `
  ($6 or event.type = any ($7::text[]) or exists (select from unnest($8::text[]) as family where starts_with(event.type, family)))
  and not exists (
    select from deliveries as delivery
    where delivery.tenant_id = $1 and delivery.livemode = $2 and delivery.id = ${deliveryIdOf("event.id", "$3")}
      and delivery.status in ('pending', 'delivered'))`;

const COUNT_MISSED = `
  with looked_at as materialized (
    select event.id, event.type from events as event
    where event.tenant_id = $1 and event.livemode = $2 and event.id >= $4 and event.id < $5
    order by event.id limit $9 + 1
  )
  select (select count(*) from (select * from looked_at order by id limit $9) as event where ${MISSED}) as count,
         (select count(*) from looked_at) > $9 as partial`;

const NEXT_MISSED = `
  with looked_at as (
    select event.id, event.type from events as event
    where event.tenant_id = $1 and event.livemode = $2 and event.id > $4 and event.id < $5
    order by event.id limit $9
  ), missed as (
    select event.id from looked_at as event where ${MISSED} order by event.id limit $10
  )
  select coalesce((select array_agg(id order by id) from missed), '{}') as missed,
         (select max(id) from looked_at) as last, (select count(*) from looked_at) as seen`;

const INSERT = `
  insert into recoveries (tenant_id, livemode, id, endpoint_id, since, until, total, per_second, cursor)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
  on conflict (tenant_id, livemode, endpoint_id) where status = 'running' do nothing
  returning ${COLUMNS}`;

const LIST = `
  ${SELECT}
  where ($1::text is null or tenant_id = $1) and ($2::boolean is null or livemode = $2)
    and ($3::text is null or endpoint_id = $3) and ($4::text is null or status = $4) and ($5::text is null or id < $5)
  order by id desc limit $6`;

const CANCEL = "update recoveries set status = 'canceled', ended_at = now() where status = 'running'";

const CLAIM = `
  select ${COLUMNS}, cursor from recoveries
  where status = 'running' and next_at <= now() order by next_at limit 1 for update skip locked`;

// What a late step has missed is not made up for: the receiver may have just come back.
const MOVE_ON = `
  update recoveries
  set cursor = $4, queued = queued + $5, status = $6, ended_at = case when $6 = 'running' then null else now() end,
      next_at = clock_timestamp() + $7::float8 * interval '1 second'
  where ${KEY}`;

const DELETE_OLD = `
  delete from recoveries as recovery using (
    select tenant_id, livemode, id from recoveries
    where status <> 'running' and ended_at < now() - $1::int * interval '1 day' limit $2 for update skip locked) as old
  where recovery.tenant_id = old.tenant_id and recovery.livemode = old.livemode and recovery.id = old.id`;

const PUT_OFF = `update recoveries set next_at = now() + $4::int * interval '1 second' where ${KEY}`;
