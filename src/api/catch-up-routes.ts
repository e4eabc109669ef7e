// Catching up over HTTP: what happened at Stripe and no webhook brought, with progress as lines of JSON.
import { z } from "zod";

import type { Clock } from "../base/clock.ts";
import { newId } from "../base/ids.ts";
import { catchUpNow, type CatchUpProgress } from "../operations/catch-up.ts";
import type { CatchUpStanding } from "../operations/catch-up-table.ts";
import { answerInLines, LINES, type ProgressLines } from "./progress-lines.ts";
import { time } from "./query-fields.ts";
import { operation } from "./route.ts";

const DESCRIPTION =
  "One JSON object a line: `{progress}` every few hundred milliseconds, `{account}` for each Stripe account, `{done}` at the end, `{error}` if it fails half way (before the first line it is an error status). Closing the connection stops it; another call goes on from there.";

export const accountField = z
  .string()
  .regex(/^[\w-]{1,255}$/, "must be a Stripe account id, or `platform`")
  .transform((account) => (account === "platform" ? "" : account))
  .optional()
  .meta({ description: "Only this connected account; `platform` for the platform's own." });

export const modeField = z.boolean().optional().meta({ description: "Only live mode, or only test mode." });

export const catchUpRoute = operation({
  tag: "Operations",
  body: z.strictObject({
    since: time.meta({
      description:
        "ISO 8601 or Unix seconds, at most 30 days ago; of a connected account not before its connection. Default: where the last catch-up ended.",
    }),
    account: accountField,
    livemode: modeField,
  }),
  answers: { 200: { description: DESCRIPTION, contentType: LINES } },
  run: async ({ deps, body, reply, requestId }) => {
    const { database, stripe, log, platformTenant, wake, clock, catchUpEverySeconds, pagesPerSecond } = deps;
    const context = {
      ...{ database, stripe, log, platformTenant, wake, pagesPerSecond },
      everySeconds: catchUpEverySeconds ?? DEFAULT_EVERY_SECONDS,
      newLease: () => newId("node"),
    };
    const byAccount = new Map<string, CatchUpProgress>();
    const run = async ({ progress, tell, signal }: ProgressLines) => {
      const rate = rated(clock);
      const standing = await catchUpNow(context, body, {
        signal,
        onProgress: (one) => {
          byAccount.set(`${one.livemode} ${one.account}`, one);
          const all = [...byAccount.values()];
          rate({ done: sum(all, ({ read }) => read), total: sum(all, ({ estimate }) => estimate) }, progress);
        },
      });
      for (const one of standing) await tell({ account: wireStanding(one) });
      const done = totals(standing);
      const duplicates = done.events - done.new_events - done.skipped;
      return { done, log: { count: done.accounts, events: done.events, duplicates, skipped: done.skipped } };
    };
    return answerInLines({ deps, reply, requestId }, { event: "catch_up.finished", run }).answer;
  },
});

const TELL_EVERY_MS = 300;

/** Tells how far something is, with its rate since it began, and not more often than anyone looks. */
export function rated(
  clock: Pick<Clock, "monotonic">,
): (made: { done: number; total: number }, progress: (progress: object) => void) => void {
  const started = clock.monotonic();
  let told = started;
  return ({ done, total }, progress) => {
    const now = clock.monotonic();
    if (now - told < TELL_EVERY_MS) return;
    told = now;
    progress({ total, done, per_second: Math.round(done / ((now - started) / 1000)) });
  };
}

const DEFAULT_EVERY_SECONDS = 600;

function totals(standing: readonly CatchUpStanding[]) {
  return {
    accounts: standing.length,
    pages: sum(standing, ({ pages }) => pages),
    events: sum(standing, ({ events }) => events),
    new_events: sum(standing, ({ newEvents }) => newEvents),
    skipped: sum(standing, ({ skipped }) => skipped),
    missed: standing.filter(({ missedSince }) => missedSince !== null).length,
    failed: standing.filter(({ lastError }) => lastError !== null).length,
  };
}

function wireStanding(one: CatchUpStanding): Record<string, unknown> {
  const { livemode, account, pages, events, newEvents, skipped, lastError } = one;
  return {
    account: account === "" ? null : account,
    livemode,
    covered_since: isoOf(one.coveredSince),
    covered_until: isoOf(one.coveredUntil),
    missed_since: isoOf(one.missedSince),
    missed_until: isoOf(one.missedUntil),
    pages,
    events,
    new_events: newEvents,
    skipped,
    error: lastError,
  };
}

const isoOf = (seconds: number | null): string | null =>
  seconds === null ? null : new Date(seconds * 1000).toISOString();

const sum = <T>(all: readonly T[], of: (one: T) => number): number => all.reduce((total, one) => total + of(one), 0);
