// Work that goes on in the background: scheduled work, recoveries of endpoints, imports, catch-ups.
import type { ReactNode } from "react";

import type { components } from "../../kit/client/client.ts";
import { useList, useRead } from "../frame/hooks.ts";
import { Figure } from "../parts/figures.tsx";
import { IdText } from "../parts/id-text.tsx";
import { type Column, DataTable } from "../parts/list-table.tsx";
import { Loaded } from "../parts/loaded.tsx";
import { Empty, PageHeader, Section } from "../parts/page-frame.tsx";
import { RelativeTime } from "../parts/relative-time.tsx";
import { StatusDot, wordOf } from "../parts/status-dot.tsx";
import { LinkedId } from "./cells.tsx";
import { CodeText } from "./code-text.tsx";
import type { BackgroundWork } from "./operator-reads.ts";
import { PlainTable } from "./plain-table.tsx";

type Job = components["schemas"]["Job"];
type ScheduledRun = BackgroundWork["scheduled"][number];
type CatchUp = BackgroundWork["catch_ups"][number];
type ImportRun = BackgroundWork["imports"][number];

const REFRESH_MS = 5000;
const JOBS_HEIGHT = 360;

export default function BackgroundPage(): ReactNode {
  const work = useRead(["background"], (api, signal) => api.get("/api/v1/admin/background/", { signal }), {
    every: REFRESH_MS,
  });
  return (
    <>
      <PageHeader title="Background work" />
      <Loaded of={work} lines={12}>
        {({ scheduled, imports, catch_ups: catchUps }) => (
          <>
            <Section title="Scheduled">
              <PlainTable
                label="Scheduled work"
                rows={scheduled}
                columns={SCHEDULED}
                rowKey={({ name }) => name}
                empty={<Empty title="Nothing has run yet">Each runs for the first time soon after the start.</Empty>}
              />
            </Section>
            <Section title="Catch-ups">
              <PlainTable
                label="Catch-ups"
                rows={catchUps}
                columns={CATCH_UPS}
                rowKey={({ account, livemode }) => `${account ?? ""} ${String(livemode)}`}
                empty={
                  <Empty title="None has run">
                    <CodeText text="With a Stripe key, events that no webhook brought are fetched: `billhook catch-up` begins one." />
                  </Empty>
                }
              />
            </Section>
            <Section title="Imports">
              <PlainTable
                label="Imports"
                rows={imports}
                columns={IMPORTS}
                rowKey={({ account, livemode, object_type: type }) => `${type} ${account ?? ""} ${String(livemode)}`}
                empty={
                  <Empty title="None has run">
                    <CodeText text="`billhook import` fetches every object that Stripe has." />
                  </Empty>
                }
              />
            </Section>
          </>
        )}
      </Loaded>
      {/* Below tables of a length that nobody knows before: it comes with them. */}
      {!work.isPending && (
        <Section title="Recoveries of endpoints">
          <Recoveries />
        </Section>
      )}
    </>
  );
}

const SCHEDULED: readonly Column<ScheduledRun>[] = [
  { label: "Work", cell: ({ name }) => wordOf(name.replaceAll("-", "_")) },
  {
    label: "Last outcome",
    cell: ({ outcome, error }) => (
      <span title={error ?? ""}>
        <StatusDot status={outcome ?? "waiting"} label={outcome === null ? "Not run yet" : wordOf(outcome)} />
      </span>
    ),
    width: 130,
  },
  { label: "Error", cell: ({ error }) => <span title={error ?? ""}>{error ?? "–"}</span>, width: 200 },
  { label: "Runs", cell: ({ runs }) => <Figure value={runs} />, width: 90, align: "right" },
  { label: "Failures", cell: ({ failures }) => <Figure value={failures} />, width: 90, align: "right" },
  { label: "Last", cell: ({ last_ended_at: at }) => <RelativeTime at={at} />, width: 120 },
  { label: "Next", cell: ({ next_run_at: at }) => <RelativeTime at={at} />, width: 120 },
];

interface Scoped {
  account: string | null;
  livemode: boolean;
}

const where: Column<Scoped> = {
  label: "Stripe account",
  cell: ({ account, livemode }) => (
    <>
      {account === null ? "Platform" : <LinkedId id={account} />}
      <span className="bh-dim">, {livemode ? "live" : "test"}</span>
    </>
  ),
  width: 240,
};

const running: Column<{ running: boolean; last_error: string | null }> = {
  label: "State",
  cell: ({ running: goesOn, last_error: error }) => {
    if (error !== null)
      return (
        <span title={error}>
          <StatusDot status="failed" />
        </span>
      );
    return <StatusDot status={goesOn ? "running" : "done"} />;
  },
  width: 110,
};

const CATCH_UPS: readonly Column<CatchUp>[] = [
  where,
  running,
  { label: "Covered until", cell: ({ covered_until: at }) => <RelativeTime at={at} /> },
  { label: "Events", cell: ({ events }) => <Figure value={events} />, width: 100, align: "right" },
  { label: "New", cell: ({ new_events: fresh }) => <Figure value={fresh} />, width: 90, align: "right" },
  { label: "Last run", cell: ({ last_run_at: at }) => <RelativeTime at={at} />, width: 120 },
  { label: "Next run", cell: ({ next_run_at: at }) => <RelativeTime at={at} />, width: 120 },
];

const IMPORTS: readonly Column<ImportRun>[] = [
  { label: "Objects", cell: ({ object_type: type }) => wordOf(type) },
  where,
  running,
  { label: "Fetched", cell: ({ objects }) => <Figure value={objects} />, width: 110, align: "right" },
  { label: "Complete as of", cell: ({ complete_as_of: at }) => <RelativeTime at={at} />, width: 140 },
  { label: "Moved", cell: ({ updated_at: at }) => <RelativeTime at={at} />, width: 120 },
];

const JOBS: readonly Column<Job>[] = [
  { label: "Recovery", cell: ({ id }) => <IdText id={id} /> },
  { label: "Status", cell: ({ status }) => <StatusDot status={status} />, width: 120 },
  {
    label: "Delivered",
    cell: ({ queued, total }) => (
      <>
        <Figure value={queued} /> of <Figure value={total} />
      </>
    ),
    width: 140,
    align: "right",
  },
  { label: "Tenant", cell: ({ tenant_id: id }) => <LinkedId id={id} />, width: 205 },
  { label: "Endpoint", cell: ({ endpoint_id: id }) => <IdText id={id} />, width: 205 },
  { label: "Begun", cell: ({ created_at: at }) => <RelativeTime at={at} />, width: 120 },
];

function Recoveries(): ReactNode {
  const list = useList(
    ["jobs"],
    (api, page, signal) => api.get("/api/v1/admin/jobs/", { params: { query: page }, signal }),
    { every: REFRESH_MS },
  );
  return (
    <DataTable
      label="Recoveries"
      list={list}
      columns={JOBS}
      rowKey={({ id }) => id}
      maxHeight={JOBS_HEIGHT}
      minWidth={920}
      empty={<Empty title="None">A tenant begins one when its endpoint has missed events.</Empty>}
    />
  );
}
