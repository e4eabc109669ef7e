// The operator's first page: what comes in, what became of it, what waits for a person, and the money of the month.
import { SegmentedControl } from "@mantine/core";
import type { ReactNode } from "react";

import type { components } from "../../kit/client/client.ts";
import { useRead, useStanding } from "../frame/hooks.ts";
import { Figure } from "../parts/figures.tsx";
import { type FilterSpec, useFilters } from "../parts/filters.tsx";
import { Loaded } from "../parts/loaded.tsx";
import { FigureRow, FigureTile, PageHeader, Section } from "../parts/page-frame.tsx";
import { PageLink } from "../parts/page-link.tsx";
import { EventsChart, MonthCharts } from "./overview-charts.tsx";
import type { Series } from "./operator-reads.ts";

import "./operator.css";

type Overview = components["schemas"]["Overview"];
type Range = Series["range"];

const REFRESH_MS = 5000;
/** Its step is a minute. */
const CHART_MS = 15_000;
const RANGES: readonly { value: Range; label: string }[] = [
  { value: "hour", label: "Hour" },
  { value: "day", label: "Day" },
  { value: "month", label: "Month" },
];
const RANGE = [{ name: "range", label: "Range", kind: "choice" }] as const satisfies readonly FilterSpec[];

export default function OverviewPage(): ReactNode {
  const overview = useRead(["overview"], (api, signal) => api.get("/api/v1/admin/overview/", { signal }), {
    every: REFRESH_MS,
  });
  return (
    <>
      <PageHeader title="Overview" />
      <Loaded of={overview} lines={7}>
        {(answer) => <Figures overview={answer} />}
      </Loaded>
      <Events />
      <Month />
    </>
  );
}

function Figures({ overview }: { overview: Overview }): ReactNode {
  const { received, deliveries, unmatched_purchases: unmatched } = overview;
  const flagged = overview.ambiguous_rows + overview.rows_with_unread_fields;
  return (
    <div className="bh-stack">
      <FigureRow>
        <FigureTile label="Events, last hour">
          <Figure value={received.last_hour} />
        </FigureTile>
        <FigureTile label="Events, last day">
          <Figure value={received.last_day} />
        </FigureTile>
        <FigureTile label="Waiting">
          <Count value={overview.pending} to="/operator/stripe-events?status=pending" />
        </FigureTile>
        <FigureTile label="Lag">
          <Seconds value={overview.lag_seconds} />
        </FigureTile>
        <FigureTile label="Oldest waits">
          <Seconds value={overview.oldest_unprocessed_age_seconds} />
        </FigureTile>
      </FigureRow>
      <FigureRow>
        <FigureTile label="Failed events">
          <Count value={overview.failed} to="/operator/queue" bad />
        </FigureTile>
        <FigureTile label="Unrouted events">
          <Count value={overview.unrouted} to="/operator/queue?tab=unrouted" />
        </FigureTile>
        <FigureTile label="Unmatched purchases">
          <Count value={unmatched.open} to="/operator/unmatched-purchases" bad />
        </FigureTile>
        <FigureTile label="Rows that need a look">
          <Count value={flagged} to="/operator/invoices?flagged=true" />
        </FigureTile>
        <FigureTile label="Disabled endpoints">
          <Figure value={deliveries.disabled_endpoints} />
        </FigureTile>
      </FigureRow>
      <FigureRow>
        <FigureTile label="Delivered, last hour">
          <Figure value={deliveries.delivered} {...(deliveries.counts_are_partial ? { unit: "or more" } : {})} />
        </FigureTile>
        <FigureTile label="Given up, last hour">
          <Figure value={deliveries.failed} />
        </FigureTile>
        <FigureTile label="Deliveries waiting">
          <Figure value={deliveries.pending} />
        </FigureTile>
        <FigureTile label="Oldest delivery waits">
          <Seconds value={deliveries.oldest_pending_age_seconds} />
        </FigureTile>
      </FigureRow>
    </div>
  );
}

/** A figure that leads to what it counts; a bad one stands out while there is one. */
function Count({ value, to, bad = false }: { value: number; to: string; bad?: boolean }): ReactNode {
  return (
    <PageLink to={to} className="bh-count" data-bad={(bad && value > 0) || undefined}>
      <Figure value={value} />
    </PageLink>
  );
}

const STEPS: [unit: string, seconds: number][] = [
  ["d", 86_400],
  ["h", 3600],
  ["min", 60],
];

function Seconds({ value }: { value: number }): ReactNode {
  const [unit, length] = STEPS.find(([, seconds]) => value >= 2 * seconds) ?? ["s", 1];
  return <Figure value={Math.round(value / length)} unit={unit} />;
}

function useSeries(range: Range) {
  const { mode } = useStanding();
  const livemode = mode === "live" ? "true" : "false";
  return useRead(
    ["series", range, livemode],
    (api, signal) => api.get("/api/v1/admin/overview/series/", { params: { query: { range, livemode } }, signal }),
    { every: range === "hour" ? CHART_MS : 60_000, keepsLast: true },
  );
}

function Events(): ReactNode {
  const filters = useFilters(RANGE);
  const range = RANGES.find(({ value }) => value === filters.values.range)?.value ?? "hour";
  const series = useSeries(range);
  return (
    <Section
      title="Stripe events"
      actions={
        <SegmentedControl
          size="xs"
          aria-label="Range"
          data={[...RANGES]}
          value={range}
          onChange={(value) => filters.change("range", value === "hour" ? undefined : value)}
        />
      }
    >
      <Loaded of={series} lines={8}>
        {(answer) => <EventsChart series={answer} />}
      </Loaded>
    </Section>
  );
}

function Month(): ReactNode {
  const series = useSeries("month");
  return (
    <Loaded of={series} lines={12}>
      {(answer) => <MonthCharts series={answer} />}
    </Loaded>
  );
}
