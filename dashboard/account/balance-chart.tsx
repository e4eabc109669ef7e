// The balance after each of the latest ledger entries, as a line.
import type { ReactNode } from "react";

import type { List } from "../frame/hooks.ts";
import { Chart } from "../parts/chart.tsx";
import { Section } from "../parts/page-frame.tsx";
import type { Entry } from "./credits-page.tsx";

/** As many as are read at once. */
const POINTS = 50;
const SERIES = [{ name: "balance", label: "Balance", tone: "accent" }] as const;
const when = new Intl.DateTimeFormat("en", { dateStyle: "medium", timeStyle: "short" });

/** Nothing below two entries: there is no line to draw yet. */
export function BalanceChart({ ledger }: { ledger: List<Entry> }): ReactNode {
  const entries = ledger.data?.pages[0]?.data.slice(0, POINTS) ?? [];
  if (entries.length < 2) return null;
  const points = entries
    .map(({ created_at: at, balance_after: balance }) => ({ at, balance }))
    .sort((one, other) => (one.at < other.at ? -1 : 1));
  return (
    <Section title="Balance over the latest entries">
      <Chart
        label="Balance over the latest entries"
        kind="line"
        points={points}
        series={SERIES}
        when={(at) => when.format(Date.parse(at))}
        height={150}
      />
    </Section>
  );
}
