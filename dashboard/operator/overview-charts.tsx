// The charts of the overview: events by step, money and credits by day.
import { memo, type ReactNode } from "react";

import { money } from "../../kit/react/money.ts";
import { Chart, type ChartProps, type ChartSeries } from "../parts/chart.tsx";
import { Empty, Section } from "../parts/page-frame.tsx";
import { RelativeTime } from "../parts/relative-time.tsx";
import type { Series } from "./operator-reads.ts";

const HEIGHT = 200;

const minute = new Intl.DateTimeFormat("en", { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
// Days are counted in UTC.
const day = new Intl.DateTimeFormat("en", { month: "short", day: "numeric", timeZone: "UTC" });

/** Drawn in this order: a line of nothing that failed lies below the others. */
const EVENTS: readonly ChartSeries[] = [
  { name: "failed", label: "Failed", tone: "bad" },
  { name: "received", label: "Received", tone: "quiet" },
  { name: "processed", label: "Processed", tone: "accent" },
];
const MONEY: readonly ChartSeries[] = [
  { name: "gross", label: "Paid to the platform", tone: "accent" },
  { name: "connected", label: "Paid to tenants", tone: "quiet" },
  { name: "fees", label: "Fees", tone: "good" },
  { name: "refunded", label: "Given back", tone: "bad" },
];
const CREDITS: readonly ChartSeries[] = [
  { name: "bought", label: "Bought", tone: "accent" },
  { name: "granted", label: "Granted", tone: "good" },
  { name: "spent", label: "Spent", tone: "quiet" },
  { name: "reversed", label: "Taken back", tone: "bad" },
  { name: "expired", label: "Expired", tone: "warn" },
];

type Points = ChartProps["points"];
/** What never was anything takes no place in a chart. */
const moved = (points: Points, series: readonly ChartSeries[]): readonly ChartSeries[] =>
  series.filter(({ name }) => points.some((point) => (point[name] ?? 0) !== 0));
const isQuiet = (points: Points, series: readonly ChartSeries[]): boolean => moved(points, series).length === 0;

export const EventsChart = memo(function EventsChart({
  series: { range, stripe_events: points, step_seconds: step },
}: {
  series: Series;
}): ReactNode {
  const form = range === "month" ? day : minute;
  const each = step === 60 ? "minute" : step === 3600 ? "hour" : "day";
  return (
    <>
      <p className="bh-dim bh-under">By the {each}, of both modes together.</p>
      <Chart
        label={`Stripe events by the ${each}`}
        kind="line"
        points={points}
        series={EVENTS}
        when={(at) => form.format(Date.parse(at))}
        height={HEIGHT}
      />
    </>
  );
});

const whenOf = (at: string): string => day.format(Date.parse(at));

/** Drawn anew only when the figures are others. Money of one currency in a chart, of each currency one. */
export const MonthCharts = memo(function MonthCharts({
  series: { revenue, credits, as_of: asOf },
}: {
  series: Series;
}): ReactNode {
  const paid = revenue.filter(({ points }) => !isQuiet(points, MONEY));
  return (
    <>
      <Section
        title="Money by day"
        actions={
          <span className="bh-dim bh-small">
            {asOf === null ? (
              "Not counted yet: it is every minute"
            ) : (
              <>
                Counted <RelativeTime at={asOf} />
              </>
            )}
          </span>
        }
      >
        {paid.length === 0 && (
          <Empty title="No payment in these 30 days">The first one of this mode starts the chart.</Empty>
        )}
        {paid.map(({ currency, points }) => (
          <Chart
            key={currency}
            label={`Money by day, ${currency.toUpperCase()}`}
            points={points}
            series={moved(points, MONEY)}
            when={whenOf}
            format={(value) => money(value, currency, "en")}
            height={HEIGHT}
          />
        ))}
      </Section>
      <Section title="Credits by day">
        {isQuiet(credits, CREDITS) ? (
          <Empty title="No credits moved in these 30 days">Sales, grants and spends of this mode stand here.</Empty>
        ) : (
          <Chart
            label="Credits by day"
            points={credits}
            series={moved(credits, CREDITS)}
            when={whenOf}
            height={HEIGHT}
          />
        )}
      </Section>
    </>
  );
});
