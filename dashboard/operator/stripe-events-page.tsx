// Every event that came from Stripe, with what became of it; newest first, as they come.
import type { ReactNode } from "react";

import { useList, useStanding } from "../frame/hooks.ts";
import { FilterBar, type FilterSpec, useFilters } from "../parts/filters.tsx";
import { IdText } from "../parts/id-text.tsx";
import { type Column, DataTable } from "../parts/list-table.tsx";
import { Empty, PageHeader } from "../parts/page-frame.tsx";
import { RelativeTime } from "../parts/relative-time.tsx";
import { StatusDot } from "../parts/status-dot.tsx";
import { LinkedId } from "./cells.tsx";
import type { StripeEvent } from "./operator-reads.ts";
import { ReplayMany, type ReplayRange } from "./replay.tsx";

const STATUSES = ["pending", "processed", "ignored", "unrouted", "failed"] as const;
const REPLAYED = ["failed", "ignored", "unrouted"] as const;
const REFRESH_MS = 10_000;

const FILTERS = [
  { name: "text", label: "Search", kind: "text", placeholder: "A whole id or e-mail address" },
  { name: "status", label: "Status", kind: "choice", choices: STATUSES },
  { name: "type", label: "Type", kind: "text", placeholder: "Type, such as invoice.*" },
  { name: "object_id", label: "Object", kind: "text", placeholder: "Object, such as in_…" },
  { name: "account", label: "Stripe account", kind: "text", placeholder: "Account, or platform" },
  { name: "since", label: "Since", kind: "since" },
  { name: "until", label: "Until", kind: "until" },
] as const satisfies readonly FilterSpec[];

const COLUMNS: readonly Column<StripeEvent>[] = [
  { label: "Type", cell: ({ type }) => type },
  { label: "Status", cell: ({ status }) => <StatusDot status={status} />, width: 120 },
  { label: "Object", cell: ({ object_id: id, account }) => <LinkedId id={id} account={account} />, width: 230 },
  { label: "Event", cell: ({ id }) => <IdText id={id} />, width: 230 },
  { label: "Happened", cell: ({ created }) => <RelativeTime at={created} />, width: 120 },
];

export default function StripeEventsPage(): ReactNode {
  const filters = useFilters(FILTERS);
  const { mode } = useStanding();
  const { status, ...others } = filters.values;
  const known = STATUSES.find((one) => one === status);
  const query = {
    ...others,
    ...(known === undefined ? {} : { status: known }),
    livemode: mode === "live" ? "true" : "false",
  } as const;
  const list = useList(
    ["stripe-events", query],
    (api, page, signal) =>
      api.get("/api/v1/admin/stripe-events/", { params: { query: { ...query, ...page } }, signal }),
    { every: REFRESH_MS },
  );
  const range = replayRange(filters.values, mode === "live");
  return (
    <>
      <PageHeader title="Stripe events" actions={range !== undefined && <ReplayMany range={range} />} />
      <FilterBar filters={filters} />
      <DataTable
        label="Stripe events"
        list={list}
        columns={COLUMNS}
        rowKey={({ id }) => id}
        rowLink={({ id }) => `/operator/stripe-events/${id}`}
        minWidth={860}
        empty={
          <Empty title="No events">
            None has arrived that fits these filters. Clear them, or make something happen at Stripe.
          </Empty>
        }
      />
    </>
  );
}

/** What is seen as a range to replay; undefined where a filter says what a range cannot. */
function replayRange(
  { text, status, ...bounds }: Partial<Record<string, string>>,
  livemode: boolean,
): ReplayRange | undefined {
  const known = REPLAYED.find((one) => one === status);
  if (text !== undefined || known !== status || bounds.type?.includes("*") === true) return undefined;
  return { ...bounds, livemode, ...(known === undefined ? {} : { status: known }) };
}
