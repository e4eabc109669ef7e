// The months of a partitioned table while it is filled on a server: each is made before its first row comes.
import { manualClock } from "../base/clock.ts";
import type { Database } from "../db/database.ts";
import type { TableShape } from "../db/table-copy.ts";
import { ensurePartitions } from "../inbox/partitions.ts";

/** Seconds of events that say something else are a mistake, and stay in the default partition: 2011 until two years from 2026. */
const EARLIEST = Date.UTC(2011, 0) / 1000;
const LATEST = Date.UTC(2028, 0) / 1000;

/** Called with each batch before it is inserted. Does nothing where there are no partitions. */
export function monthsOf(
  target: Database,
  { name, columns }: TableShape,
): (rows: (string | null)[][]) => Promise<void> {
  if (target.kind === "embedded" || name !== "stripe_events") return () => Promise.resolve();
  const created = columns.findIndex((column) => column.name === "created");
  const made = new Set<string>();
  return async (rows) => {
    for (const row of rows) {
      const seconds = Number(row[created]);
      if (!(seconds >= EARLIEST && seconds < LATEST)) continue;
      const month = new Date(seconds * 1000).toISOString().slice(0, 7);
      if (made.has(month)) continue;
      made.add(month);
      await ensurePartitions(target, manualClock(seconds * 1000));
    }
  };
}
