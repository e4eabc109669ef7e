// The operator's overview: counts, lag and what needs a look.
import { z } from "zod";

import { countUnmatched } from "../accounts/unmatched-purchase-table.ts";
import { queueState } from "../inbox/queue-state.ts";
import { countFlagged } from "../inbox/projection-reads.ts";
import { inboxCounts } from "../inbox/stripe-event-reads.ts";
import { deliveryQueueState } from "../outbox/delivery-reads.ts";
import { endedDeliveries } from "../outbox/delivery-statistics.ts";
import { type ApiDependencies, operation } from "./route.ts";

const seconds = z.number().nonnegative();

const Overview = z
  .strictObject({
    received: z.strictObject({
      total: z.int(),
      total_is_estimate: z.boolean(),
      last_hour: z.int().meta({ description: "By the events' own time." }),
      last_day: z.int(),
    }),
    pending: z.int(),
    failed: z.int(),
    unrouted: z.int(),
    ignored: z.int(),
    oldest_unprocessed_age_seconds: seconds.meta({
      description: "Of everything in the queue, also what waits for a retry.",
    }),
    lag_seconds: seconds.meta({ description: "How long the oldest event that was tried at most once has waited." }),
    ambiguous_rows: z.int(),
    rows_with_unread_fields: z.int(),
    unmatched_purchases: z
      .strictObject({
        open: z
          .int()
          .meta({ description: "Wait for a person's decision: see `GET /api/v1/admin/unmatched-purchases/`." }),
        resolving: z.int(),
      })
      .meta({ description: "Paid sessions that belong to no purchase of ours." }),
    deliveries: z
      .strictObject({
        delivered: z.int().meta({ description: "Within the last hour." }),
        failed: z.int().meta({ description: "Given up within the last hour." }),
        counts_are_partial: z.boolean().meta({ description: "More than 100,000 have ended: the latest were counted." }),
        pending: z.int(),
        oldest_pending_age_seconds: seconds.meta({ description: "Since the one that waits the longest was queued." }),
        disabled_endpoints: z.int(),
      })
      .meta({ description: "Of webhooks to tenants." }),
  })
  .meta({ id: "Overview" });

export const readOverview = operation({
  tag: "Overview",
  answers: { 200: Overview },
  run: async ({ deps }) => {
    // No more than two at a time: webhooks need the connections.
    const [counts, { queue, flagged, ended, waiting, unmatched }] = await Promise.all([
      inboxCounts(deps.database, Math.floor(deps.clock.now() / 1000)),
      readOthers(deps),
    ]);
    const { total, total_is_estimate, last_hour, last_day } = counts;
    return {
      received: { total, total_is_estimate, last_hour, last_day },
      pending: queue.pending,
      failed: queue.failed,
      unrouted: queue.unrouted,
      ignored: counts.ignored,
      oldest_unprocessed_age_seconds: Math.max(queue.oldestAge, 0),
      lag_seconds: Math.max(counts.lag, 0),
      ambiguous_rows: flagged.ambiguous,
      rows_with_unread_fields: flagged.unread,
      unmatched_purchases: unmatched,
      deliveries: {
        delivered: ended.delivered,
        failed: ended.failed,
        counts_are_partial: ended.partial,
        pending: waiting.pending,
        oldest_pending_age_seconds: waiting.oldestAge,
        disabled_endpoints: ended.disabledEndpoints,
      },
    };
  },
});

async function readOthers({ database, clock }: Pick<ApiDependencies, "database" | "clock">) {
  return {
    queue: await queueState(database),
    flagged: await countFlagged(database),
    ended: await endedDeliveries(database),
    waiting: await deliveryQueueState(database, clock.now()),
    unmatched: await countUnmatched(database),
  };
}
