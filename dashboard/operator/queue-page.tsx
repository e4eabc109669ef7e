// What waits for a person: events that failed, and events whose Stripe account no tenant has connected.
import type { ReactNode } from "react";

import { useList, useRead } from "../frame/hooks.ts";
import { FilterBar, type FilterSpec, useFilters } from "../parts/filters.tsx";
import { Figure } from "../parts/figures.tsx";
import { IdText } from "../parts/id-text.tsx";
import { type Column, DataTable } from "../parts/list-table.tsx";
import { Empty, PageHeader } from "../parts/page-frame.tsx";
import { RelativeTime } from "../parts/relative-time.tsx";
import { UrlTabs } from "../parts/url-tabs.tsx";
import { LinkedId } from "./cells.tsx";
import type { StripeEvent } from "./operator-reads.ts";
import { ReplayMany } from "./replay.tsx";

import "./operator.css";

const REFRESH_MS = 10_000;

type QueueName = "failed" | "unrouted";

const FILTERS = [
  { name: "type", label: "Type", kind: "text", placeholder: "Type, such as invoice.paid" },
  { name: "account", label: "Stripe account", kind: "text", placeholder: "Account, or platform" },
] as const satisfies readonly FilterSpec[];

const SAYS: Record<QueueName, string> = {
  failed: "Each of these was tried several times. Mend the cause that the error names, then replay them.",
  unrouted:
    "They came for a Stripe account that no tenant has connected. They are processed by themselves when one does.",
};

const type: Column<StripeEvent> = { label: "Type", cell: ({ type: name }) => name };
const event: Column<StripeEvent> = { label: "Event", cell: ({ id }) => <IdText id={id} />, width: 205 };
const stored: Column<StripeEvent> = {
  label: "Stored",
  cell: ({ created_at: at }) => <RelativeTime at={at} />,
  width: 120,
};

const COLUMNS: Record<QueueName, readonly Column<StripeEvent>[]> = {
  failed: [
    { ...type, width: 180 },
    { label: "Last error", cell: ({ last_error: error }) => <span title={error ?? ""}>{error ?? "–"}</span> },
    { label: "Attempts", cell: ({ attempts }) => <Figure value={attempts} />, width: 90, align: "right" },
    event,
    stored,
  ],
  unrouted: [
    type,
    { label: "Stripe account", cell: ({ account }) => <LinkedId id={account} />, width: 230 },
    { label: "Object", cell: ({ object_id: id, account }) => <LinkedId id={id} account={account} />, width: 230 },
    event,
    stored,
  ],
};

export default function QueuePage(): ReactNode {
  const counts = useRead(["overview"], (api, signal) => api.get("/api/v1/admin/overview/", { signal }), {
    every: REFRESH_MS,
  });
  const label = (word: string, many: number | undefined): string =>
    many === undefined ? word : `${word} (${many.toLocaleString("en")})`;
  return (
    <>
      <PageHeader title="Failed and unrouted">
        Events of both modes that Billhook cannot go on with by itself.
      </PageHeader>
      <UrlTabs
        tabs={[
          { name: "failed", label: label("Failed", counts.data?.failed), content: () => <Queue name="failed" /> },
          {
            name: "unrouted",
            label: label("Unrouted", counts.data?.unrouted),
            content: () => <Queue name="unrouted" />,
          },
        ]}
      />
    </>
  );
}

function Queue({ name }: { name: QueueName }): ReactNode {
  const filters = useFilters(FILTERS);
  const query = { ...filters.values, status: name } as const;
  const list = useList(
    ["stripe-events", query],
    (api, page, signal) =>
      api.get("/api/v1/admin/stripe-events/", { params: { query: { ...query, ...page } }, signal }),
    { every: REFRESH_MS },
  );
  const isEmpty = list.data?.pages.every(({ data }) => data.length === 0) === true;
  return (
    <>
      <p className="bh-dim bh-under">{SAYS[name]}</p>
      <FilterBar filters={filters}>{!isEmpty && <ReplayMany range={query} size="xs" />}</FilterBar>
      <DataTable
        label={name === "failed" ? "Failed events" : "Unrouted events"}
        list={list}
        columns={COLUMNS[name]}
        rowKey={({ id }) => id}
        rowLink={({ id }) => `/operator/stripe-events/${id}`}
        minWidth={900}
        maxHeight="max(20rem, calc(100dvh - 20rem))"
        empty={<Empty title={`No event is ${name}`}>There is nothing to do here.</Empty>}
      />
    </>
  );
}
