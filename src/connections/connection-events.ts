// What a tenant is told of its own Stripe account's connection, in the commit that changes it.
import type { Queryable } from "../db/database.ts";
import type { EventObject } from "../outbox/event-objects.ts";
import { publishEvents } from "../outbox/event-table.ts";
import type { ConnectionEnd, Standing } from "./connect-status.ts";

interface ToldConnection {
  tenantId: string;
  livemode: boolean;
  account: string;
  method: string;
  /** Unix seconds. */
  connectedAt: number;
}

/**
 * `before`: how it stood; null: there was none. What it may do changes as often as Stripe says so, and changes that are
 * learned together are told together; that it began or ended is told once.
 */
export async function publishConnection(
  tx: Queryable,
  { tenantId, livemode, account, method, connectedAt }: ToldConnection,
  { before, status, end }: { before: Standing["status"] | null; status: Standing["status"]; end?: ConnectionEnd },
): Promise<void> {
  const object: EventObject<"connection"> = {
    ...{ id: account, object: "connection", status, previous_status: before, method },
    ...{ connected_at: isoOf(connectedAt), disconnected_at: end === undefined ? null : isoOf(end.at) },
    disconnected_reason: end?.reason ?? null,
  };
  const change = status === "disconnected" ? "disconnected" : before === null ? "connected" : "status_changed";
  await publishEvents(tx, [
    { tenantId, livemode, type: `connected_account.${change}`, objectType: "account", objectId: account, object },
  ]);
}

const isoOf = (seconds: number): string => new Date(seconds * 1000).toISOString();
