// Which accounts the platform may act for. Accounts stand in the platform's scope; each has a scope of its own besides.
import type Stripe from "stripe";

import { noAccess } from "../core/errors.ts";
import { type Connection, type Kinds, PLATFORM_ACCOUNT } from "../core/kinds.ts";
import type { Transaction } from "../core/transaction.ts";

/** The platform's own application: what connected accounts let in, and what `ca_…` of events means. */
export const APPLICATION: Stripe.Application = {
  id: "ca_SandboxPlatform00000000000000000",
  object: "application",
  name: "Sandbox platform",
};

/** The same call, looking at the platform of its mode. */
export function platformOf(tx: Transaction): Transaction {
  return tx.in({ ...tx.scope, account: PLATFORM_ACCOUNT });
}

/** The same call, looking at that account's own objects; events about the account belong there. */
export function ownOf(tx: Transaction, account: string): Transaction {
  return tx.in({ ...tx.scope, account });
}

/** The account, when it is connected to the platform of this mode. */
export function connectedAccount(tx: Transaction, id: string): Stripe.Account | undefined {
  return mayActFor(tx, id) ? platformOf(tx).find("account", id) : undefined;
}

/** Whether the platform may act for the account: it made it or was let in, and was not shut out since. */
export function mayActFor(tx: Transaction, account: string): boolean {
  return connectionOf(tx, account)?.connected === true;
}

export function connectionOf(tx: Transaction, account: string): Kinds["_connection"] | undefined {
  return platformOf(tx).find("_connection", account);
}

/** Keeps what is given of how the account stands to the platform, and the rest as it was. */
export function keepConnection(tx: Transaction, account: string, given: Partial<Connection>): void {
  const platform = platformOf(tx);
  const old = platform.find("_connection", account) ?? {
    id: account,
    object: "_connection",
    created: tx.now,
    connected: false,
    client_id: APPLICATION.id,
    still_due: [],
    rejected: null,
  };
  platform.put("_connection", { ...old, ...given });
}

/** Ends the call as Stripe does when the account is not there, not connected or not the caller's: one answer for all. */
export function accountOf(tx: Transaction, id: string): Stripe.Account {
  const account = connectedAccount(tx, id);
  const isOthers = tx.scope.account !== PLATFORM_ACCOUNT && tx.scope.account !== id;
  if (account === undefined || isOthers) throw noAccess(id);
  return account;
}

/** The connected account that a token from OAuth stands for; undefined for every other key. */
export function accountOfAccessToken(tx: Transaction, token: string): string | undefined {
  const grant = platformOf(tx).find("_grant", token);
  return grant?.use === "access" && mayActFor(tx, grant.account) ? grant.account : undefined;
}

/** The account lets the platform in. Says so with account.application.authorized, unless it had already. */
export function authorize(tx: Transaction, account: string, clientId: string): void {
  if (mayActFor(tx, account)) return;
  keepConnection(tx, account, { connected: true, client_id: clientId });
  ownOf(tx, account).raise("account.application.authorized", { ...APPLICATION, id: clientId });
}

/** The account shuts the platform out: its tokens end, and the platform is told once more, of the application alone. */
export function deauthorize(tx: Transaction, account: string): void {
  const connection = connectionOf(tx, account);
  if (connection?.connected !== true) return;
  // Raised while the platform is still connected: it is the last event that it hears of the account.
  ownOf(tx, account).raise("account.application.deauthorized", { ...APPLICATION, id: connection.client_id });
  endConnection(tx, account);
}

/** The platform may no longer act for the account; nothing is said. */
export function endConnection(tx: Transaction, account: string): void {
  keepConnection(tx, account, { connected: false });
  const platform = platformOf(tx);
  for (const { id } of platform.where("_grant", (grant) => grant.account === account)) platform.remove("_grant", id);
}
