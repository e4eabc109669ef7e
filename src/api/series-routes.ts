// The operator's figures over time: Stripe events, deliveries and waits of the last hour, day or month, and money and credits by day.
import { z } from "zod";

import { CREDIT_FIGURES, type DailyFigure, DAYS_SHOWN, MONEY_FIGURES, readDays } from "../billing/daily-figures.ts";
import { DAY, HOUR, MINUTE, readActivity } from "../inbox/activity-counts.ts";
import { isoOfSeconds } from "../inbox/list-query.ts";
import { isoTime, scopeFields } from "./query-fields.ts";
import { operation } from "./route.ts";

const RANGES = {
  hour: { step: MINUTE, steps: 60 },
  day: { step: HOUR, steps: 24 },
  month: { step: DAY, steps: DAYS_SHOWN },
} as const;

const count = z.int();
const waited = z.number().nonnegative().nullable();
const money = count.meta({ description: "Minor units." });

const Series = z
  .strictObject({
    range: z.enum(["hour", "day", "month"]),
    step_seconds: z.int(),
    since: isoTime,
    until: isoTime,
    livemode: z.boolean(),
    as_of: isoTime.nullable().meta({ description: "When money and credits of today were counted." }),
    stripe_events: z
      .array(z.strictObject({ at: isoTime, received: count, processed: count, failed: count }))
      .meta({ description: "Of both modes, by when we did so; the last seconds may be missing." }),
    deliveries: z
      .array(z.strictObject({ at: isoTime, delivered: count, failed: count.meta({ description: "Given up." }) }))
      .meta({
        description: "Of webhooks to tenants, of both modes, by when they ended; the last seconds may be missing.",
      }),
    waits: z.array(z.strictObject({ at: isoTime, lag_seconds: waited, oldest_unprocessed_age_seconds: waited })).meta({
      description:
        "Of both modes: the greatest of each step of what `GET /api/v1/admin/overview/` calls so. Every process looks every 5 seconds; null: none did.",
    }),
    revenue: z
      .array(
        z.strictObject({
          currency: z.string(),
          points: z.array(
            z.strictObject({
              at: isoTime,
              gross: money.meta({ description: "Paid on the platform's own account, before refunds." }),
              refunded: money.meta({ description: "Given back there on that day." }),
              fees: money.meta({ description: "The platform's share of what was paid on connected accounts." }),
              connected: money.meta({ description: "Paid on connected accounts." }),
              payments: count,
            }),
          ),
        }),
      )
      .meta({
        description: "By day, of the month only: counted every minute for today and yesterday, else every hour.",
      }),
    credits: z
      .array(
        z.strictObject({ at: isoTime, granted: count, bought: count, spent: count, reversed: count, expired: count }),
      )
      .meta({ description: "As `revenue`." }),
  })
  .meta({ id: "OverviewSeries" });

export const readSeries = operation({
  tag: "Overview",
  query: z.strictObject({ range: z.enum(["hour", "day", "month"]).default("hour"), livemode: scopeFields.livemode }),
  answers: { 200: Series },
  run: async ({ deps, query }) => {
    const { range, livemode = deps.livemode } = query;
    const { step, steps } = RANGES[range];
    const now = Math.floor(deps.clock.now() / 1000);
    // The step that is going on is the last one.
    const until = (Math.floor(now / step) + 1) * step;
    const times = Array.from({ length: steps }, (_, index) => until - (steps - index) * step);
    const since = until - steps * step;
    const counted = new Map((await readActivity(deps.database, step, since)).map((point) => [point.at, point]));
    const days = range === "month" ? await readDays(deps.database, livemode, dayOf(since)) : undefined;
    return {
      ...{ range, step_seconds: step, since: isoOfSeconds(since), until: isoOfSeconds(until), livemode },
      as_of: days?.countedAt?.toISOString() ?? null,
      stripe_events: times.map((at) => {
        const { received = 0, processed = 0, failed = 0 } = counted.get(at) ?? {};
        return { at: isoOfSeconds(at), received, processed, failed };
      }),
      deliveries: times.map((at) => {
        const { delivered = 0, given_up: failed = 0 } = counted.get(at) ?? {};
        return { at: isoOfSeconds(at), delivered, failed };
      }),
      waits: times.map((at) => {
        const { lag = null, oldest = null } = counted.get(at) ?? {};
        return { at: isoOfSeconds(at), lag_seconds: secondsOf(lag), oldest_unprocessed_age_seconds: secondsOf(oldest) };
      }),
      revenue: days === undefined ? [] : revenueOf(days.figures, times),
      credits: days === undefined ? [] : pointsOf(days.figures, "", CREDIT_FIGURES, times),
    };
  },
});

const secondsOf = (milliseconds: number | null): number | null => (milliseconds === null ? null : milliseconds / 1000);

const dayOf = (seconds: number): string => isoOfSeconds(seconds).slice(0, 10);

function revenueOf(figures: readonly DailyFigure[], times: readonly number[]) {
  const currencies = [...new Set(figures.map(({ currency }) => currency))].filter((one) => one !== "").sort();
  return currencies.map((currency) => ({ currency, points: pointsOf(figures, currency, MONEY_FIGURES, times) }));
}

function pointsOf(
  figures: readonly DailyFigure[],
  wanted: string,
  names: readonly DailyFigure["figure"][],
  times: readonly number[],
) {
  const known = new Map(
    figures.filter(({ currency }) => currency === wanted).map((one) => [`${one.day} ${one.figure}`, one.amount]),
  );
  return times.map((at) => ({
    at: isoOfSeconds(at),
    ...Object.fromEntries(names.map((name) => [name, known.get(`${dayOf(at)} ${name}`) ?? 0])),
  }));
}
