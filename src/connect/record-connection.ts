// A connection that Stripe has made becomes ours, with all that was known of its account, in one commit.
import { audit } from "../audit/audit-log.ts";
import { type ConnectMethod, NOTHING_KNOWN, type Standing, standingOf } from "../connections/connect-status.ts";
import { connectAccount, findConnection } from "../connections/connection-table.ts";
import type { Connection } from "../connections/connection-table.ts";
import { lockOwner } from "../connections/owner-locks.ts";
import { type AccountInMode, accountKey } from "../connections/routing.ts";
import { type ReadAccountHeads, settleConnections } from "../connections/settle-connections.ts";
import type { Queryable } from "../db/database.ts";
import { fetchedAccountHead, readAccountHeads } from "../inbox/account-heads.ts";
import { followInvoicesOf } from "../inbox/connected-invoice-heads.ts";
import { enqueueRoutable } from "../inbox/event-tables.ts";
import { queueFetches } from "../inbox/fetch-table.ts";
import { observe } from "../inbox/observe.ts";
import { giveAccountRows } from "../inbox/projection-tables.ts";
import type { Paused } from "../stripe/access.ts";
import type { StripeObject } from "../stripe/envelope.ts";
import type { Retrieved } from "../stripe/retrieve.ts";
import type { Act } from "../tenants/people-context.ts";
import type { ConnectContext, TenantInMode } from "./connect-context.ts";

type RecordContext = Pick<ConnectContext, "database" | "platformTenant" | "wake">;

export interface FetchedAccount {
  object: StripeObject;
  text?: string;
  asOf: number;
  apiVersion: string | null;
  replayedAt?: number | undefined;
}

export interface MadeConnection extends TenantInMode {
  account: string;
  method: ConnectMethod;
  /** The second of Stripe's answer. */
  connectedAt: number;
  /** Undefined: Stripe did not say how the account stands; it is asked again in the background. */
  fetched: FetchedAccount | undefined;
  /** What the audit log calls it. */
  action: "stripe.account_created" | "stripe.connected";
}

/**
 * Throws `stripe_account_taken` and `stripe_already_connected`: then nothing is changed.
 * `also` runs in the same commit.
 */
export async function recordConnection(
  context: RecordContext,
  made: MadeConnection,
  act: Act,
  also: (tx: Queryable) => Promise<void> = async () => undefined,
): Promise<Connection> {
  const { tenantId, livemode, account, method, connectedAt, fetched, action } = made;
  const connection = await context.database.transaction(async (tx) => {
    await lockOwner(tx, context.database.kind, account);
    // Rows before records before connections, as the reducer locks them.
    if (await giveAccountRows(tx, { livemode, account, tenantId })) await followInvoicesOf(tx, { livemode, account });
    await connectAccount(tx, tenantId, { livemode, account }, { method, connectedAt });
    await observeAccount(tx, context, made);
    await settleConnections(tx, [{ livemode, account }], headsWith(tx, { livemode, account }, fetched));
    // In this commit: what comes of the account from now on is worked on together with what was nobody's.
    await enqueueRoutable(tx, ROUTED_AT_ONCE);
    await also(tx);
    const after = { account, livemode, method };
    await audit(tx, { tenantId, ...act, action, target: account, after });
    return asFetched(tx, { tenantId, livemode }, fetched);
  });
  await routeNow(context);
  return connection;
}

/** What Stripe says of a connected account now, in one commit with the standing that follows from it. */
export async function recordAccount(
  context: RecordContext,
  told: TenantInMode & { account: string; fetched: FetchedAccount },
): Promise<Connection> {
  const { tenantId, livemode, account, fetched } = told;
  const connection = await context.database.transaction(async (tx) => {
    await observeAccount(tx, context, { ...told, connectedAt: fetched.asOf });
    await settleConnections(tx, [{ livemode, account }], headsWith(tx, { livemode, account }, fetched));
    return asFetched(tx, { tenantId, livemode }, fetched);
  });
  context.wake();
  return connection;
}

async function observeAccount(
  tx: Queryable,
  { platformTenant }: RecordContext,
  { livemode, account, fetched, connectedAt }: Pick<MadeConnection, "livemode" | "account" | "fetched" | "connectedAt">,
): Promise<void> {
  if (fetched !== undefined) await observe(tx, [{ livemode, account, ...fetched }], platformTenant);
  else {
    const wanted = { livemode, account, objectType: "account", objectId: account };
    await queueFetches(tx, [{ ...wanted, since: connectedAt, reason: "connected" }]);
  }
}

/** The stored heads, with what was fetched just now in the place of an older account. */
function headsWith(tx: Queryable, of: AccountInMode, fetched: FetchedAccount | undefined): ReadAccountHeads {
  return async (connections) => {
    const heads = await readAccountHeads(tx, connections);
    const known = heads.get(accountKey(of));
    if (known === undefined || fetched === undefined || (known.account?.created ?? 0) > fetched.asOf) return heads;
    return heads.set(accountKey(of), { ...known, account: fetchedAccountHead(fetched.object, fetched.asOf) });
  };
}

/**
 * For who asked: what was fetched just now is newer than all that we knew, also where Stripe's seconds cannot say so, and
 * the reducer waits for the event.
 */
async function asFetched(
  tx: Queryable,
  tenant: TenantInMode,
  fetched: FetchedAccount | undefined,
): Promise<Connection> {
  const found = await findConnection(tx, tenant);
  if (found === undefined) throw new Error("a connection was made and is not there");
  return fetched === undefined ? found : { ...found, ...(await standingAsFetched(tx, found, fetched)) };
}

export async function standingAsFetched(
  tx: Queryable,
  connection: Connection,
  { object, asOf }: FetchedAccount,
): Promise<Standing> {
  const heads = (await readAccountHeads(tx, [connection])).get(accountKey(connection));
  const { deauthorized } = heads ?? NOTHING_KNOWN;
  return standingOf(connection, { account: fetchedAccountHead(object, asOf), capabilities: [], deauthorized });
}

const ROUTED_AT_ONCE = 1000;

async function routeNow({ database, wake }: RecordContext): Promise<void> {
  // The connection is made: what is not routed now the next sweep routes, so that a failure here is none of the caller's.
  await enqueueRoutable(database, ROUTED_AT_ONCE).catch(() => undefined);
  wake();
}

export function fetchedOf(answer: Retrieved | Paused): FetchedAccount | undefined {
  if (answer.outcome !== "found") return undefined;
  const { object, text, asOf, apiVersion } = answer;
  return { object, text, asOf, apiVersion };
}
