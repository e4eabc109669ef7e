// Invoices on the tenant's connected Stripe account, newest first.
import { Button } from "@mantine/core";
import type { ReactNode } from "react";

import { useList } from "../frame/hooks.ts";
import { FilterBar, type FilterSpec, useFilters } from "../parts/filters.tsx";
import { MoneyText } from "../parts/figures.tsx";
import { type Column, DataTable } from "../parts/list-table.tsx";
import { Empty, PageHeader } from "../parts/page-frame.tsx";
import { PageLink, useGo } from "../parts/page-link.tsx";
import { RelativeTime } from "../parts/relative-time.tsx";
import { StatusDot } from "../parts/status-dot.tsx";
import { type Schemas, useIsAdmin } from "./tenant-reads.ts";

type Invoice = Schemas["ConnectedInvoice"];

const REFRESH_MS = 10_000;
const NEW = "/tenant/invoices/new";

const FILTERS = [
  {
    ...{ name: "status", label: "Status", kind: "choice" },
    choices: ["pending", "paid", "payment_failed", "void", "uncollectible"],
  },
  { name: "customer_email", label: "Customer", kind: "text", placeholder: "Customer’s e-mail address" },
  { name: "created[gte]", label: "Since", kind: "since" },
  { name: "created[lt]", label: "Until", kind: "until" },
] as const satisfies readonly FilterSpec[];

const COLUMNS: readonly Column<Invoice>[] = [
  { label: "Invoice", cell: ({ number, id }) => <span className="bh-mono">{number ?? id}</span> },
  { label: "Status", cell: ({ status }) => <StatusDot status={status} />, width: 140 },
  { label: "Customer", cell: ({ customer_email: email }) => email ?? <span className="bh-dim">–</span>, width: 230 },
  {
    label: "Total",
    cell: ({ amount, currency }) => <MoneyText amount={amount} currency={currency} />,
    ...{ width: 140, align: "right" },
  },
  {
    label: "Platform’s share",
    cell: ({ application_fee_amount: fee, currency }) => <MoneyText amount={fee} currency={currency} />,
    ...{ width: 140, align: "right" },
  },
  { label: "Due", cell: ({ due_date: at }) => <RelativeTime at={at} />, width: 125 },
  { label: "Made", cell: ({ created_at: at }) => <RelativeTime at={at} />, width: 125 },
];

export default function InvoicesPage(): ReactNode {
  const go = useGo();
  const isAdmin = useIsAdmin();
  const filters = useFilters(FILTERS);
  const query = filters.values;
  const list = useList(
    ["connected-invoices", query],
    (api, page, signal) => api.get("/accounts/invoices/", { params: { query: { ...query, ...page } }, signal }),
    { every: REFRESH_MS },
  );
  return (
    <>
      <PageHeader
        title="Connected invoices"
        actions={isAdmin && <Button onClick={() => go(NEW)}>Create an invoice</Button>}
      >
        On your connected Stripe account, made here or there.
      </PageHeader>
      <FilterBar filters={filters} />
      <DataTable
        label="Connected invoices"
        list={list}
        columns={COLUMNS}
        rowKey={({ id }) => id}
        rowLink={({ id }) => `/tenant/invoices/${id}`}
        minWidth={1040}
        empty={
          <Empty title="No invoices">
            None fits these filters in this mode.{" "}
            {isAdmin && (
              <>
                <PageLink to={NEW}>Create one</PageLink>: it is sent to the customer at once.
              </>
            )}
          </Empty>
        }
      />
    </>
  );
}
