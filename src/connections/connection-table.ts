// Tenants and the Stripe accounts that they connect: at most one at a time in each mode. Table: connections
import { publicError } from "../base/errors.ts";
import { booleanArray, textArray } from "../db/arrays.ts";
import type { Queryable } from "../db/database.ts";
import { publishConnection } from "./connection-events.ts";
import type { ConnectMethod, ConnectStatus, EndReason, Standing } from "./connect-status.ts";
import type { AccountInMode } from "./routing.ts";

export interface Connection extends AccountInMode {
  tenantId: string;
  method: ConnectMethod;
  status: Exclude<ConnectStatus, "not_connected">;
  /** Unix seconds, Stripe's: of the answer that connected it. */
  connectedAt: number;
  end: { at: number; reason: EndReason } | undefined;
}

interface ConnectionRow extends Omit<Connection, "end"> {
  endedAt: number | null;
  endReason: EndReason | null;
}

/** The tenant's connection in this mode: the one that stands, else the one that ended last; undefined: there was none. */
export async function findConnection(
  tx: Queryable,
  { tenantId, livemode }: { tenantId: string; livemode: boolean },
): Promise<Connection | undefined> {
  const { rows } = await tx.query<ConnectionRow>({ text: FIND, values: [tenantId, livemode] });
  return rows.map(connectionOf)[0];
}

/** The connected account of a tenant, or undefined when none is connected in this mode. */
export async function connectedAccountOf(
  tx: Queryable,
  tenant: { tenantId: string; livemode: boolean },
): Promise<string | undefined> {
  const found = await findConnection(tx, tenant);
  return found === undefined || found.end !== undefined ? undefined : found.account;
}

/** Whether that account is the tenant's now. What a tenant once made on an account is no right to act on it later. */
export async function isConnected(
  tx: Queryable,
  { account, ...tenant }: { tenantId: string; livemode: boolean; account: string },
): Promise<boolean> {
  return (await connectedAccountOf(tx, tenant)) === account;
}

export interface NewConnection {
  method?: ConnectMethod;
  /** Stripe's second; ours when it is left out. */
  connectedAt?: number | undefined;
}

/**
 * Makes a tenant the owner of a Stripe account; an account whose former owner has disconnected it moves. Another account of
 * the tenant's that never was finished gives way. Throws `stripe_account_taken` and `stripe_already_connected`. Its
 * unrouted events are queued by the next sweep.
 */
export async function connectAccount(
  tx: Queryable,
  tenantId: string,
  { livemode, account }: AccountInMode,
  { method = "oauth", connectedAt }: NewConnection = {},
): Promise<void> {
  // Of two flows of one tenant that end at once, the second sees what the first did.
  await tx.query({ text: ONE_AT_A_TIME, values: [`connection|${tenantId}|${String(livemode)}`] });
  const { rows } = await tx.query<ConnectionRow>({ text: LOCK_RIVALS, values: [livemode, account, tenantId] });
  const rival = rows.map(connectionOf).find((one) => one.account !== account);
  if (rival !== undefined) {
    if (!isUnfinished(rival)) throw publicError("stripe_already_connected");
    await endConnection(tx, rival, "replaced");
  }
  const known = rows.map(connectionOf).find((one) => one.account === account && one.end === undefined);
  const values = [livemode, account, tenantId, method, connectedAt ?? null];
  const [made] = (await tx.query<{ connectedAt: number }>({ text: CONNECT, values })).rows;
  if (made === undefined) throw publicError("stripe_account_taken");
  // One that stands is only confirmed.
  if (known !== undefined) return;
  await publishConnection(tx, { tenantId, livemode, account, method, ...made }, { before: null, status: "pending" });
}

/** An account that we made and that has told nothing yet: nothing is lost when it gives way. */
export function isUnfinished({ method, status, end }: Connection): boolean {
  return method === "account_link" && status === "pending" && end === undefined;
}

/** Ends the connection that was made at that second; does nothing when it is not there any more. Returns whether it was. */
export async function endConnection(tx: Queryable, connection: Connection, reason: EndReason): Promise<boolean> {
  const { livemode, account, tenantId, connectedAt } = connection;
  const values = [livemode, account, tenantId, connectedAt, reason];
  const [ended] = (await tx.query<{ at: number; stood: boolean }>({ text: END, values })).rows;
  // Of an end by Stripe it was told before.
  if (ended?.stood === true) {
    const change = { before: connection.status, status: "disconnected", end: { at: ended.at, reason } } as const;
    await publishConnection(tx, connection, change);
  }
  return ended !== undefined;
}

/** Locked until the transaction ends, in the order of their key. Accounts that nobody owns are absent. */
export async function lockConnections(tx: Queryable, accounts: readonly AccountInMode[]): Promise<Connection[]> {
  const values = [booleanArray(accounts.map((one) => one.livemode)), textArray(accounts.map((one) => one.account))];
  return (await tx.query<ConnectionRow>({ name: "lock_connections", text: LOCK, values })).rows.map(connectionOf);
}

/** Writes the standing of a connection that is locked. */
export async function writeStanding(
  tx: Queryable,
  { livemode, account }: Connection,
  standing: Standing,
): Promise<void> {
  const { status, end } = standing;
  await tx.query({ text: WRITE_STANDING, values: [livemode, account, status, end?.at ?? null, end?.reason ?? null] });
}

function connectionOf({ endedAt, endReason, ...row }: ConnectionRow): Connection {
  return { ...row, end: endedAt === null || endReason === null ? undefined : { at: endedAt, reason: endReason } };
}

const COLUMNS = `
  livemode, stripe_account as account, tenant_id as "tenantId", method, status,
  extract(epoch from connected_at)::float8 as "connectedAt",
  extract(epoch from disconnected_at)::float8 as "endedAt", disconnected_reason as "endReason"`;

const FIND = `
  select ${COLUMNS} from connections where tenant_id = $1 and livemode = $2
  order by disconnected_at desc nulls first, stripe_account limit 1`;

const ONE_AT_A_TIME = "select pg_advisory_xact_lock(hashtextextended($1, 0))";

const LOCK_RIVALS = `
  select ${COLUMNS} from connections
  where (livemode = $1 and stripe_account = $2) or (tenant_id = $3 and livemode = $1 and disconnected_at is null)
  order by livemode, stripe_account for update`;

// A connection that stands keeps its standing, until the heads are looked at; one that ended begins anew. What the same tenant
// is told of does not depend on it.
const CONNECT = `
  insert into connections as known (livemode, stripe_account, tenant_id, method, connected_at, began_at, told_since)
  select $1, $2, $3, $4, at, at, at from coalesce(to_timestamp($5), now()) as at
  on conflict (livemode, stripe_account) do update
  set tenant_id = excluded.tenant_id, method = excluded.method,
      connected_at = case when known.disconnected_at is null then greatest(known.connected_at, excluded.connected_at)
                          else excluded.connected_at end,
      began_at = case when known.disconnected_at is null then coalesce(known.began_at, known.connected_at)
                      else excluded.began_at end,
      told_since = case when known.tenant_id = excluded.tenant_id
                        then least(coalesce(known.told_since, known.connected_at), excluded.told_since)
                        else excluded.told_since end,
      status = case when known.disconnected_at is null then known.status else 'pending' end,
      disconnected_at = null, disconnected_reason = null
  where known.disconnected_at is not null or known.tenant_id = excluded.tenant_id
  returning extract(epoch from connected_at)::float8 as "connectedAt"`;

const END = `
  update connections as connection set status = 'disconnected', disconnected_at = now(), disconnected_reason = $5
  from (
    select livemode, stripe_account, disconnected_at is null as stood from connections
    where livemode = $1 and stripe_account = $2 and tenant_id = $3 and extract(epoch from connected_at)::float8 = $4
      and (disconnected_at is null or disconnected_reason in ('deauthorized', 'account_deleted'))
    for update) as known
  where connection.livemode = known.livemode and connection.stripe_account = known.stripe_account
  returning known.stood, extract(epoch from connection.disconnected_at)::float8 as at`;

const LOCK = `
  select ${COLUMNS} from connections
  where (livemode, stripe_account) in (select * from unnest($1::boolean[], $2::text[]))
  order by livemode, stripe_account for update`;

const WRITE_STANDING = `
  update connections set status = $3, disconnected_at = to_timestamp($4::float8), disconnected_reason = $5
  where livemode = $1 and stripe_account = $2`;
