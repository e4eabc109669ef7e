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
import { lengthOf } from "./lengths.ts";
import { MonthCharts, StepCharts } from "./overview-charts.tsx";
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
      <Loaded of={overview} waiting={<Figures overview={undefined} />}>
        {(answer) => <Figures overview={answer} />}
      </Loaded>
      <OverTime />
      <Month />
    </>
  );
}

type Tile = readonly [label: string, value: (overview: Overview) => ReactNode];

/** Row by row. */
const TILES: readonly (readonly Tile[])[] = [
  [
    ["Events, last hour", ({ received }) => <Figure value={received.last_hour} />],
    ["Events, last day", ({ received }) => <Figure value={received.last_day} />],
    ["Waiting", ({ pending }) => <Count value={pending} to="/operator/stripe-events?status=pending" />],
    ["Lag", ({ lag_seconds: lag }) => <Seconds value={lag} />],
    ["Oldest waits", ({ oldest_unprocessed_age_seconds: age }) => <Seconds value={age} />],
  ],
  [
    ["Failed events", ({ failed }) => <Count value={failed} to="/operator/queue" bad />],
    ["Unrouted events", ({ unrouted }) => <Count value={unrouted} to="/operator/queue?tab=unrouted" />],
    [
      "Unmatched purchases",
      ({ unmatched_purchases: { open } }) => <Count value={open} to="/operator/unmatched-purchases" bad />,
    ],
    [
      "Rows that need a look",
      ({ ambiguous_rows: ambiguous, rows_with_unread_fields: unread }) => (
        <Count value={ambiguous + unread} to="/operator/invoices?flagged=true" />
      ),
    ],
    ["Disabled endpoints", ({ deliveries }) => <Figure value={deliveries.disabled_endpoints} />],
  ],
  [
    [
      "Delivered, last hour",
      ({ deliveries: { delivered, counts_are_partial: isPartial } }) => (
        <Figure value={delivered} {...(isPartial ? { unit: "or more" } : {})} />
      ),
    ],
    ["Given up, last hour", ({ deliveries }) => <Figure value={deliveries.failed} />],
    ["Deliveries waiting", ({ deliveries }) => <Figure value={deliveries.pending} />],
    ["Oldest delivery waits", ({ deliveries }) => <Seconds value={deliveries.oldest_pending_age_seconds} />],
  ],
];

/** Without `overview` yet: the same tiles. */
function Figures({ overview }: { overview: Overview | undefined }): ReactNode {
  return (
    <div className="bh-stack" {...(overview === undefined ? { role: "status", "aria-label": "Loading" } : {})}>
      {TILES.map((row, index) => (
        <FigureRow key={index}>
          {row.map(([label, valueOf]) => (
            <FigureTile key={label} label={label}>
              {overview && valueOf(overview)}
            </FigureTile>
          ))}
        </FigureRow>
      ))}
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

function Seconds({ value }: { value: number }): ReactNode {
  return <Figure {...lengthOf(value)} />;
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

function OverTime(): ReactNode {
  const filters = useFilters(RANGE);
  const range = RANGES.find(({ value }) => value === filters.values.range)?.value ?? "hour";
  const series = useSeries(range);
  return (
    <Section
      title="Over time"
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
      <Loaded of={series} waiting={<StepCharts series={undefined} />}>
        {(answer) => <StepCharts series={answer} />}
      </Loaded>
    </Section>
  );
}

function Month(): ReactNode {
  const series = useSeries("month");
  return (
    <Loaded of={series} waiting={<MonthCharts series={undefined} />}>
      {(answer) => <MonthCharts series={answer} />}
    </Loaded>
  );
}
