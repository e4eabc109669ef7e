// The operator's overview: counts, lag and what needs a look.
import { z } from "zod";

import { queueState } from "../inbox/event-tables.ts";
import { countFlagged } from "../inbox/projection-reads.ts";
import { inboxCounts } from "../inbox/stripe-event-reads.ts";
import { operation } from "./route.ts";

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
  })
  .meta({ id: "Overview" });

export const readOverview = operation({
  tag: "Overview",
  answers: { 200: Overview },
  run: async ({ deps }) => {
    const queue = await queueState(deps.database);
    const counts = await inboxCounts(deps.database, Math.floor(deps.clock.now() / 1000));
    const flagged = await countFlagged(deps.database);
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
    };
  },
});
