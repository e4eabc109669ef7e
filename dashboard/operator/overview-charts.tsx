// The charts of the overview: events, waits and deliveries by step, money and credits by day.
import { memo, type ReactNode } from "react";

import { money } from "../../kit/react/money.ts";
import { Chart, ChartPlace, type ChartProps, type ChartSeries } from "../parts/chart.tsx";
import { Empty, Section } from "../parts/page-frame.tsx";
import { RelativeTime } from "../parts/relative-time.tsx";
import { lengthText, roundLength } from "./lengths.ts";
import type { Series } from "./operator-reads.ts";

const minute = new Intl.DateTimeFormat("en", { hour: "2-digit", minute: "2-digit", hourCycle: "h23" });
// Days are counted in UTC.
const day = new Intl.DateTimeFormat("en", { month: "short", day: "numeric", timeZone: "UTC" });

/** Drawn in this order: a line of nothing that failed lies below the others. */
const EVENTS: readonly ChartSeries[] = [
  { name: "failed", label: "Failed", tone: "bad" },
  { name: "received", label: "Received", tone: "quiet" },
  { name: "processed", label: "Processed", tone: "accent" },
];
const WAITS: readonly ChartSeries[] = [
  { name: "oldest_unprocessed_age_seconds", label: "Oldest waited", tone: "warn" },
  { name: "lag_seconds", label: "Lag", tone: "accent" },
];
const DELIVERIES: readonly ChartSeries[] = [
  { name: "delivered", label: "Delivered", tone: "good" },
  { name: "failed", label: "Given up", tone: "bad" },
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

const NONE: Points = [];

/** Without `series` yet: as high as with it. */
export const StepCharts = memo(function StepCharts({ series }: { series: Series | undefined }): ReactNode {
  const { range = "hour", step_seconds: step = 60 } = series ?? {};
  const form = range === "month" ? day : minute;
  const each = step === 60 ? "minute" : step === 3600 ? "hour" : "day";
  const when = (at: string): string => form.format(Date.parse(at));
  return (
    <>
      <p className="bh-dim bh-under">By the {each}, of both modes together. Of waits the longest that was seen.</p>
      <ChartPlace isThere={series !== undefined}>
        <Chart
          title="Stripe events"
          label={`Stripe events by the ${each}`}
          kind="line"
          points={series?.stripe_events ?? NONE}
          series={EVENTS}
          when={when}
        />
      </ChartPlace>
      <div className="bh-charts">
        <ChartPlace isThere={series !== undefined}>
          <Chart
            title="Waits"
            label={`Longest waits by the ${each}`}
            kind="line"
            points={series?.waits ?? NONE}
            series={WAITS}
            when={when}
            format={lengthText}
            axis={lengthText}
            stepOf={roundLength}
          />
        </ChartPlace>
        <ChartPlace isThere={series !== undefined}>
          <Chart
            title="Deliveries"
            label={`Deliveries that ended by the ${each}`}
            points={series?.deliveries ?? NONE}
            series={DELIVERIES}
            when={when}
          />
        </ChartPlace>
      </div>
    </>
  );
});

const whenOf = (at: string): string => day.format(Date.parse(at));

/** Drawn anew only when the figures are others; without `series` yet as high as with it. */
export const MonthCharts = memo(function MonthCharts({ series }: { series: Series | undefined }): ReactNode {
  return (
    <>
      <Section title="Money by day" actions={series !== undefined && <Counted asOf={series.as_of} />}>
        <ChartPlace isThere={series !== undefined}>
          <MoneyCharts revenue={series?.revenue ?? []} />
        </ChartPlace>
      </Section>
      <Section title="Credits by day">
        <ChartPlace isThere={series !== undefined}>
          <CreditsChart credits={series?.credits ?? NONE} />
        </ChartPlace>
      </Section>
    </>
  );
});

function Counted({ asOf }: { asOf: string | null }): ReactNode {
  return (
    <span className="bh-dim bh-small">
      {asOf === null ? (
        "Not counted yet: it is every minute"
      ) : (
        <>
          Counted <RelativeTime at={asOf} />
        </>
      )}
    </span>
  );
}

/** Money of one currency in a chart, of each currency one. */
function MoneyCharts({ revenue }: Pick<Series, "revenue">): ReactNode {
  const paid = revenue.filter(({ points }) => !isQuiet(points, MONEY));
  if (paid.length === 0)
    return <Empty title="No payment in these 30 days">The first one of this mode starts the chart.</Empty>;
  return paid.map(({ currency, points }) => (
    <Chart
      key={currency}
      label={`Money by day, ${currency.toUpperCase()}`}
      points={points}
      series={moved(points, MONEY)}
      when={whenOf}
      format={(value) => money(value, currency, "en")}
      axis={(value) => money(value, currency, "en")}
    />
  ));
}

function CreditsChart({ credits }: { credits: Points }): ReactNode {
  if (isQuiet(credits, CREDITS))
    return <Empty title="No credits moved in these 30 days">Sales, grants and spends of this mode stand here.</Empty>;
  return <Chart label="Credits by day" points={credits} series={moved(credits, CREDITS)} when={whenOf} />;
}
