// Payments that belong to no purchase of ours: whose are they? A person gives their credits to an account, or dismisses them.
import { useLocation } from "@tanstack/react-router";
import type { ReactNode } from "react";

import { useList } from "../frame/hooks.ts";
import { FilterBar, type FilterSpec, useFilters } from "../parts/filters.tsx";
import { Figure, MoneyText } from "../parts/figures.tsx";
import { type Column, DataTable } from "../parts/list-table.tsx";
import { Empty, PageHeader } from "../parts/page-frame.tsx";
import { RelativeTime } from "../parts/relative-time.tsx";
import { wordOf } from "../parts/status-dot.tsx";
import type { Unmatched } from "./operator-reads.ts";
import { choices } from "./stripe-kinds.tsx";
import { UnmatchedStatus } from "./unmatched-status.tsx";

const STATUSES = ["open", "resolving", "matched", "foreign", "assigned", "dismissed"] as const;

const FILTERS = [
  { name: "status", label: "Status: open", kind: "choice", choices: choices(STATUSES.join(" ")) },
  { name: "tenant_id", label: "Tenant", kind: "text", placeholder: "Tenant, ten_…" },
] as const satisfies readonly FilterSpec[];

const COLUMNS: readonly Column<Unmatched>[] = [
  { label: "Paid by", cell: ({ email, name, session_id: id }) => email ?? name ?? id },
  {
    label: "Paid",
    cell: ({ amount_total: paid, currency }) => <MoneyText amount={paid} currency={currency} />,
    width: 140,
    align: "right",
  },
  { label: "Credits", cell: ({ credits }) => <Figure value={credits} />, width: 100, align: "right" },
  { label: "Why", cell: ({ reason }) => (reason === null ? "–" : wordOf(reason)), width: 150 },
  { label: "Status", cell: (purchase) => <UnmatchedStatus of={purchase} />, width: 130 },
  { label: "Mode", cell: ({ livemode }) => (livemode ? "Live" : "Test"), width: 80 },
  { label: "Came", cell: ({ created_at: at }) => <RelativeTime at={at} />, width: 120 },
];

export default function UnmatchedPage(): ReactNode {
  const filters = useFilters(FILTERS);
  const { status, tenant_id: tenant } = filters.values;
  const query = {
    status: STATUSES.find((one) => one === status) ?? "open",
    ...(tenant === undefined ? {} : { tenant_id: tenant }),
  } as const;
  // The page of a row leads back to this list as it was filtered.
  const { searchStr: asked } = useLocation();
  const list = useList(["unmatched-purchases", query], (api, page, signal) =>
    api.get("/api/v1/admin/unmatched-purchases/", { params: { query: { ...query, ...page } }, signal }),
  );
  return (
    <>
      <PageHeader title="Unmatched purchases">
        Paid at Stripe, of both modes, but begun by none of our checkouts: a person says whose they are.
      </PageHeader>
      <FilterBar filters={filters} />
      <DataTable
        label="Unmatched purchases"
        list={list}
        columns={COLUMNS}
        rowKey={({ id }) => id}
        rowLink={({ id }) => `/operator/unmatched-purchases/${id}${asked}`}
        minWidth={900}
        empty={
          <Empty title={`None is ${query.status}`}>
            Payments made at Stripe itself, such as by a payment link, come here when their buyer is not clear.
          </Empty>
        }
      />
    </>
  );
}
