// The balance after each of the latest ledger entries, as a line.
import type { ReactNode } from "react";

import type { List } from "../frame/hooks.ts";
import { Chart, ChartPlace } from "../parts/chart.tsx";
import { Empty, Section } from "../parts/page-frame.tsx";
import type { Entry } from "./credits-page.tsx";

/** As many as are read at once. */
const POINTS = 50;
const SERIES = [{ name: "balance", label: "Balance", tone: "accent" }] as const;
const day = new Intl.DateTimeFormat("en", { month: "short", day: "numeric" });
const when = new Intl.DateTimeFormat("en", { dateStyle: "medium", timeStyle: "short" });

const HEIGHT = 150;

export function BalanceChart({ ledger }: { ledger: List<Entry> }): ReactNode {
  const entries = ledger.data?.pages[0]?.data.slice(0, POINTS) ?? [];
  const points = entries
    .map(({ created_at: at, balance_after: balance }) => ({ at, balance }))
    .sort((one, other) => (one.at < other.at ? -1 : 1));
  return (
    <Section title="Balance over the latest entries">
      <ChartPlace isThere={!ledger.isPending} height={HEIGHT}>
        {points.length < 2 ? (
          <Empty title="No line to draw yet">It begins with the second entry of the ledger.</Empty>
        ) : (
          <Chart
            label="Balance over the latest entries"
            kind="line"
            points={points}
            series={SERIES}
            when={(at) => when.format(Date.parse(at))}
            tick={(at) => day.format(Date.parse(at))}
            height={HEIGHT}
          />
        )}
      </ChartPlace>
    </Section>
  );
}
