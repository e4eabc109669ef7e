// Makes connections stand as the heads of their accounts say, in the commit that wrote those, and tells the audit log.
import { audit } from "../audit/audit-log.ts";
import type { Queryable } from "../db/database.ts";
import { publishConnection } from "./connection-events.ts";
import type { AccountHeads } from "./connect-status.ts";
import { NOTHING_KNOWN, standingOf } from "./connect-status.ts";
import type { Connection } from "./connection-table.ts";
import { lockConnections, writeStanding } from "./connection-table.ts";
import { type AccountInMode, accountKey } from "./routing.ts";

/** The heads of these connections' accounts, by `accountKey`. Asked in a later statement than the one that locks. */
export type ReadAccountHeads = (connections: readonly Connection[]) => Promise<ReadonlyMap<string, AccountHeads>>;

/** Accounts that nobody owns are left alone: they are looked at when somebody connects them. */
export async function settleConnections(
  tx: Queryable,
  accounts: readonly AccountInMode[],
  readHeads: ReadAccountHeads,
): Promise<void> {
  const distinct = [...new Map(accounts.map((one) => [accountKey(one), one])).values()];
  if (distinct.length === 0) return;
  const connections = await lockConnections(tx, distinct);
  if (connections.length === 0) return;
  const heads = await readHeads(connections);
  for (const connection of connections)
    await settle(tx, connection, heads.get(accountKey(connection)) ?? NOTHING_KNOWN);
}

async function settle(tx: Queryable, connection: Connection, heads: AccountHeads): Promise<void> {
  const { tenantId, account, livemode, status, end } = connection;
  const standing = standingOf(connection, heads);
  if (standing.status === status && standing.end?.at === end?.at && standing.end?.reason === end?.reason) return;
  await writeStanding(tx, connection, standing);
  if (standing.status === status) return;
  await publishConnection(tx, connection, {
    ...{ before: status, status: standing.status },
    ...(standing.end === undefined ? {} : { end: standing.end }),
  });
  await audit(tx, {
    tenantId,
    actor: { kind: "system", id: null },
    action: "stripe.status_changed",
    target: account,
    source: null,
    before: { status },
    after: {
      status: standing.status,
      livemode,
      ...(standing.end === undefined ? {} : { reason: standing.end.reason }),
    },
  });
}
