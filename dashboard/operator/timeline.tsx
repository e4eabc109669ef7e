// One customer's story on one page: what Stripe said, what tenants were told of it, credits, purchases and mails.
import type { ReactNode } from "react";

import { useList } from "../frame/hooks.ts";
import { FilterBar, type FilterSpec, useFilters } from "../parts/filters.tsx";
import { Figure, MoneyText } from "../parts/figures.tsx";
import { shortened } from "../parts/id-text.tsx";
import { type Column, DataTable } from "../parts/list-table.tsx";
import { Empty } from "../parts/page-frame.tsx";
import { RelativeTime } from "../parts/relative-time.tsx";
import { StatusDot, wordOf } from "../parts/status-dot.tsx";
import { dash, LinkedId } from "./cells.tsx";
import { pathOf } from "./object-paths.ts";
import type { TimelineItem } from "./operator-reads.ts";

import "./operator.css";

const KINDS: Record<TimelineItem["kind"], string> = {
  stripe_event: "Stripe event",
  event: "Told the tenant",
  delivery: "Delivery",
  credit_entry: "Credits",
  purchase: "Purchase",
  mail: "Mail",
};

const FILTERS = [
  {
    name: "kinds",
    label: "Kind",
    kind: "choice",
    choices: Object.entries(KINDS).map(([value, label]) => ({ value, label })),
  },
] as const satisfies readonly FilterSpec[];

const COLUMNS: readonly Column<TimelineItem>[] = [
  { label: "What", cell: titleOf },
  { label: "Kind", cell: ({ kind }) => <span className="bh-dim">{KINDS[kind]}</span>, width: 145 },
  { label: "Status", cell: statusOf, width: 150 },
  { label: "Amount", cell: amountOf, width: 130, align: "right" },
  {
    label: "Object",
    cell: ({ id, object_id: object, kind, stripe_account: account }) => (
      <LinkedId id={kind === "stripe_event" ? (object ?? id) : id} account={account} />
    ),
    width: 205,
  },
  { label: "When", cell: ({ at }) => <RelativeTime at={at} />, width: 125 },
];

/** What stands above its cause stands under it in meaning: it is set in. */
function titleOf({ kind, title }: TimelineItem): ReactNode {
  if (kind === "event" || kind === "delivery")
    return <span className="bh-told">{kind === "event" ? title : shortened(title)}</span>;
  return kind === "stripe_event" || kind === "purchase" ? title : wordOf(title);
}

function statusOf({ status, outcome }: TimelineItem): ReactNode {
  if (outcome === "failed" || outcome === "unrouted") return <StatusDot status={outcome} label={`Event ${outcome}`} />;
  return status === null ? dash : <StatusDot status={status} />;
}

function amountOf({ amount, currency, credits, kind }: TimelineItem): ReactNode {
  if (credits !== null && kind === "credit_entry") return <Figure value={credits} withSign unit="credits" />;
  return <MoneyText amount={amount} currency={currency} />;
}

/** The page of the first thing that it leads to and that has one. */
function linkOf({ links, stripe_account: account }: TimelineItem): string | undefined {
  return links.map(({ id }) => pathOf(id, { account })).find((to) => to !== undefined);
}

export interface TimelineProps {
  /** `cus_…` or `acc_…`. */
  id: string;
  query?: { account?: string; livemode?: "true" | "false" };
}

export function Timeline({ id, query = {} }: TimelineProps): ReactNode {
  const filters = useFilters(FILTERS);
  const asked = { ...filters.values, ...query };
  const list = useList(["timeline", id, asked], (api, page, signal) =>
    api.get("/api/v1/admin/customers/{id}/timeline/", {
      params: { path: { id }, query: { ...asked, ...page } },
      signal,
    }),
  );
  return (
    <>
      <FilterBar filters={filters} />
      <DataTable
        label="Timeline"
        list={list}
        columns={COLUMNS}
        rowKey={(item) => `${item.kind} ${item.id}`}
        rowLink={linkOf}
        minWidth={920}
        maxHeight="max(20rem, calc(100dvh - 19rem))"
        empty={<Empty title="Nothing of this kind">Choose another kind, or clear the filter.</Empty>}
      />
    </>
  );
}
