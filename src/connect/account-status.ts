// How a tenant's Stripe account stands: asked from Stripe, taken in by the reducer, and read from our rows.
import { setTimeout as sleep } from "node:timers/promises";

import type { ConnectStatus } from "../connections/connect-status.ts";
import { type Connection, findConnection } from "../connections/connection-table.ts";
import type { TenantScope } from "../db/tenant-scope.ts";
import {
  type AccountDetails,
  fetchedAccountDetails,
  readStoredAccount,
  type StoredAccount,
} from "../inbox/account-heads.ts";
import { observe } from "../inbox/observe.ts";
import type { ConnectContext, TenantInMode } from "./connect-context.ts";
import { fetchAccount } from "./fetch-account.ts";
import { type FetchedAccount, fetchedOf, standingAsFetched } from "./record-connection.ts";

export type AccountStatus =
  | { connected: false; status: ConnectStatus }
  | {
      connected: true;
      account: string;
      status: ConnectStatus;
      /** Undefined: Stripe never said anything of it that reached us. */
      details: AccountDetails | undefined;
      /** False: Stripe did not answer, or does not let us at the account; this is what we knew. */
      refreshed: boolean;
    };

/** How long the reducer is waited for. */
const PROCESSING_MS = 2000;
const LOOK_EVERY_MS = 20;

/** Throws `stripe_not_configured`. What Stripe fails with is not thrown: then the answer is what we knew. */
export async function accountStatus(
  context: ConnectContext,
  scope: TenantScope,
  tenant: TenantInMode,
): Promise<AccountStatus> {
  const connection = await findConnection(scope, tenant);
  if (connection === undefined || connection.end !== undefined) return notConnected(connection);
  const before = await readStoredAccount(scope, connection);
  const fetched = fetchedOf(await fetchAccount(context, connection));
  if (fetched === undefined) return told(connection, before, false);
  if (!(await isTakenIn(context, scope, connection, before, fetched))) {
    const { status } = await standingAsFetched(scope, connection, fetched);
    return told({ ...connection, status }, fetchedAccountDetails(fetched.object), true);
  }
  const now = await findConnection(scope, tenant);
  if (now === undefined || now.end !== undefined) return notConnected(now);
  return told(now, await readStoredAccount(scope, now), true);
}

function notConnected(connection: Connection | undefined): AccountStatus {
  return { connected: false, status: connection === undefined ? "not_connected" : connection.status };
}

function told({ account, status }: Connection, details: AccountDetails | undefined, refreshed: boolean): AccountStatus {
  if (status === "disconnected") return { connected: false, status };
  return { connected: true, account, status, details, refreshed };
}

/**
 * Whether our row says what was fetched, at once or after the reducer has had its time; `before` is what it said before Stripe
 * was asked. What changes nothing is not kept.
 */
async function isTakenIn(
  { database, clock, platformTenant, wake }: ConnectContext,
  scope: TenantScope,
  { livemode, account }: Connection,
  before: StoredAccount | undefined,
  fetched: FetchedAccount,
): Promise<boolean> {
  const text = JSON.stringify(fetched.object);
  if (before?.data === text) return true;
  await observe(database, [{ livemode, account, ...fetched }], platformTenant);
  wake();
  // An older word of the last two seconds keeps its place until Stripe's event of the newer one is here.
  if (before !== undefined && before.created >= fetched.asOf) return false;
  const shows = (stored: StoredAccount | undefined): boolean =>
    stored !== undefined && (stored.data === text || stored.created >= fetched.asOf);
  const until = clock.monotonic() + PROCESSING_MS;
  for (;;) {
    if (shows(await readStoredAccount(scope, { livemode, account }))) return true;
    if (clock.monotonic() >= until) return false;
    await sleep(LOOK_EVERY_MS);
  }
}
