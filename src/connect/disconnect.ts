// The end of a connection: Stripe shuts us out of the account, and the tenant has none any more.
import { audit } from "../audit/audit-log.ts";
import { publicError } from "../base/errors.ts";
import { newId } from "../base/ids.ts";
import type { EndReason } from "../connections/connect-status.ts";
import { type Connection, endConnection, findConnection } from "../connections/connection-table.ts";
import type { TenantScope } from "../db/tenant-scope.ts";
import type { Act } from "../tenants/people-context.ts";
import type { ConnectContext, TenantInMode } from "./connect-context.ts";
import { deauthorize } from "./oauth.ts";

/**
 * Throws `platform_account`, `stripe_not_connected`, and what Stripe fails with: then all is as it was.
 *
 * An account made by an account link in a mode without a client id cannot be deauthorised: only the link here ends.
 */
export async function disconnect(
  context: ConnectContext,
  scope: TenantScope,
  tenant: TenantInMode,
  act: Act,
): Promise<void> {
  if (tenant.tenantId === context.platformTenant) throw publicError("platform_account");
  const connection = await findConnection(scope, tenant);
  if (connection === undefined || connection.end !== undefined) {
    throw publicError("stripe_not_connected", {
      message: "No Stripe account is connected: there is nothing to disconnect.",
    });
  }
  const reason = await endAtStripe(context, connection);
  const { tenantId, livemode, account, status } = connection;
  await context.database.transaction(async (tx) => {
    // Stripe's own word of it may have been faster.
    if (!(await endConnection(tx, connection, reason))) return;
    const change = { before: { account, livemode, status }, after: { livemode, status: "disconnected", reason } };
    await audit(tx, { tenantId, ...act, action: "stripe.disconnected", target: account, ...change });
  });
}

async function endAtStripe(context: ConnectContext, connection: Connection): Promise<EndReason> {
  const { livemode, account } = connection;
  const clientId = livemode ? context.connect.clientIds.live : context.connect.clientIds.test;
  if (clientId === undefined) return "unlinked";
  // Each try is a new one: Stripe would answer an old key with what it failed with.
  const idempotencyKey = `billhook-disconnect-${newId("req")}`;
  await deauthorize(context, { livemode, account, clientId, idempotencyKey });
  return "disconnected";
}
