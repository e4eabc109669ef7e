// The operator's route of background work that keeps rows: imports, catch-ups, and scheduled work with its last outcome.
import { z } from "zod";

import { isoOfSeconds } from "../inbox/list-query.ts";
import { everyCatchUp } from "../operations/catch-up-table.ts";
import { everyImport } from "../operations/import-table.ts";
import { readScheduledRuns } from "../work/scheduled-runs.ts";
import { isoTime } from "./query-fields.ts";
import { operation } from "./route.ts";

/** Of imports and of catch-ups: what moved last. */
const MOST = 200;

const count = z.int();
const time = isoTime.nullable();
const text = z.string().nullable();
const scope = { livemode: z.boolean(), account: text.meta({ description: "null: the platform's own." }) };

const BackgroundWork = z
  .strictObject({
    imports: z.array(
      z.strictObject({
        ...scope,
        object_type: z.string(),
        running: z.boolean(),
        complete_since: time.meta({ description: "Objects made from then on are here as of `complete_as_of`." }),
        complete_as_of: time,
        ...{ objects: count, pages: count, last_error: text, updated_at: isoTime },
      }),
    ),
    catch_ups: z.array(
      z.strictObject({
        ...scope,
        covered_since: time,
        covered_until: isoTime,
        missed_since: time.meta({ description: "What Stripe no longer had: only an import brings it." }),
        missed_until: time,
        running: z.boolean(),
        ...{ pages: count, events: count, new_events: count, skipped: count, last_error: text },
        ...{ last_run_at: time, next_run_at: time },
      }),
    ),
    scheduled: z.array(
      z.strictObject({
        name: z.string(),
        every_seconds: z.int(),
        last_started_at: time,
        last_ended_at: time,
        next_run_at: time,
        outcome: z.enum(["done", "failed"]).nullable(),
        error: text,
        runs: count.meta({ description: "Of all nodes together." }),
        failures: count,
      }),
    ),
  })
  .meta({ id: "BackgroundWork" });

const at = (seconds: number | null): string | null => (seconds === null ? null : isoOfSeconds(seconds));
const iso = (date: Date | null): string | null => date?.toISOString() ?? null;
const named = (account: string): string | null => (account === "" ? null : account);

export const readBackground = operation({
  tag: "Operator",
  answers: { 200: BackgroundWork },
  run: async ({ deps: { database } }) => ({
    imports: (await everyImport(database, MOST)).map(
      ({ livemode, account, kind, running, objects, pages, ...one }) => ({
        ...{ livemode, account: named(account), object_type: kind, running, objects, pages },
        ...{ complete_since: at(one.completeSince), complete_as_of: at(one.completeAsOf) },
        ...{ last_error: one.lastError, updated_at: one.updatedAt.toISOString() },
      }),
    ),
    catch_ups: (await everyCatchUp(database, MOST)).map(
      ({ livemode, account, running, pages, events, skipped, ...one }) => ({
        ...{ livemode, account: named(account), running, pages, events, skipped },
        ...{ covered_since: at(one.coveredSince), covered_until: isoOfSeconds(one.coveredUntil) },
        ...{ missed_since: at(one.missedSince), missed_until: at(one.missedUntil) },
        ...{ new_events: one.newEvents, last_error: one.lastError },
        ...{ last_run_at: iso(one.lastRunAt), next_run_at: iso(one.nextRunAt) },
      }),
    ),
    scheduled: (await readScheduledRuns(database)).map(({ name, outcome, error, runs, failures, ...one }) => ({
      ...{ name, every_seconds: one.everySeconds, outcome, error, runs, failures },
      ...{ last_started_at: iso(one.lastStartedAt), last_ended_at: iso(one.lastEndedAt) },
      next_run_at: iso(one.nextRunAt),
    })),
  }),
});
