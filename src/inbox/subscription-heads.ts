// Which subscriptions that were asked for, and which payment methods that are set up, a batch's rows belong to.
import { followSubscriptionRequests, type RequestLink } from "../accounts/subscription-request-table.ts";
import { type SetupLink, settleSetups } from "../accounts/payment-method-table.ts";
import { isId } from "../base/ids.ts";
import type { Queryable } from "../db/database.ts";
import type { FoldedRow } from "../projections/fold.ts";
import type { ColumnValue } from "../projections/projection.ts";

/** In a subscription's metadata: the request that it was made for. */
export const REQUEST_FIELD = "billhook_subscription";

/** Behind the statements that write these rows. Those of other kinds cost nothing. */
export async function followRequests(
  tx: Queryable,
  rows: readonly FoldedRow[],
  tenantOf: (row: FoldedRow) => string | null,
): Promise<void> {
  await Promise.all([
    followSubscriptionRequests(
      tx,
      rows.flatMap((row) => requestOf(row, tenantOf(row)) ?? []),
    ),
    settleSetups(
      tx,
      rows.flatMap((row) => setupOf(row, tenantOf(row)) ?? []),
    ),
  ]);
}

function requestOf({ key, projection, columns }: FoldedRow, tenantId: string | null): RequestLink | null {
  if (tenantId === null) return null;
  const scope = {
    tenantId,
    livemode: key.livemode,
    stripeAccount: key.account,
    customerId: textOf(columns.customer_id),
  };
  switch (projection.table) {
    case "checkout_sessions":
      if (columns.mode !== "subscription") return null;
      return { ...scope, sessionId: key.objectId, subscriptionId: textOf(columns.subscription_id), claim: null };
    case "subscriptions": {
      const { metadata } = columns;
      const named = typeof metadata === "object" && metadata !== null && !Array.isArray(metadata) ? metadata : {};
      const claim = claimOf((named as Record<string, unknown>)[REQUEST_FIELD]);
      return { ...scope, sessionId: null, subscriptionId: key.objectId, claim };
    }
    default:
      return null;
  }
}

function setupOf({ key, projection, columns }: FoldedRow, tenantId: string | null): SetupLink | null {
  if (tenantId === null || projection.table !== "setup_intents") return null;
  const { status } = columns;
  if (status !== "succeeded" && status !== "canceled") return null;
  return {
    ...{ tenantId, livemode: key.livemode, stripeAccount: key.account, setupIntentId: key.objectId },
    paymentMethodId: status === "succeeded" ? textOf(columns.payment_method_id) : null,
  };
}

const claimOf = (value: unknown): string | null => (typeof value === "string" && isId(value, "subr") ? value : null);

function textOf(value: ColumnValue | undefined): string | null {
  return typeof value === "string" ? value : null;
}
