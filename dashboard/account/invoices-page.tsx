// The own invoices, each with Stripe's page for it and its PDF.
import type { ReactNode } from "react";

import type { components } from "../../kit/client/client.ts";
import { useList, useOwnApi } from "../frame/hooks.ts";
import { MoneyText } from "../parts/figures.tsx";
import { Icon } from "../parts/icons.tsx";
import { type Column, DataTable } from "../parts/list-table.tsx";
import { Empty, PageHeader } from "../parts/page-frame.tsx";
import { PageLink } from "../parts/page-link.tsx";
import { RelativeTime } from "../parts/relative-time.tsx";
import { StatusDot } from "../parts/status-dot.tsx";

type Invoice = components["schemas"]["OwnInvoice"];

const COLUMNS: readonly Column<Invoice>[] = [
  { label: "Number", cell: ({ number, id }) => <span className="bh-mono">{number ?? id}</span> },
  { label: "Status", cell: ({ status }) => <StatusDot status={status} />, width: 130 },
  {
    label: "Total",
    cell: ({ total, currency }) => <MoneyText amount={total} currency={currency} />,
    width: 140,
    align: "right",
  },
  {
    label: "Paid",
    cell: ({ amount_paid: paid, currency }) => <MoneyText amount={paid} currency={currency} />,
    width: 140,
    align: "right",
  },
  { label: "Due", cell: ({ due_at: at }) => <RelativeTime at={at} />, width: 110 },
  { label: "When", cell: ({ created_at: at }) => <RelativeTime at={at} />, width: 120 },
  { label: "Look", cell: linksOf, width: 140 },
];

function linksOf({ hosted_invoice_url: page, invoice_pdf: pdf, number, id }: Invoice): ReactNode {
  const named = number ?? id;
  return (
    <span className="bh-row">
      {page !== null && (
        <a href={page} target="_blank" rel="noreferrer">
          View <Icon name="away" size={11} />
          <span className="bh-hidden">: invoice {named}</span>
        </a>
      )}
      {pdf !== null && (
        <a href={pdf} target="_blank" rel="noreferrer">
          PDF<span className="bh-hidden"> of invoice {named}</span>
        </a>
      )}
      {page === null && pdf === null && <span className="bh-dim">–</span>}
    </span>
  );
}

export default function InvoicesPage(): ReactNode {
  const own = useOwnApi();
  const list = useList(["account", "invoices"], (_api, page, signal) =>
    own.get("/account/invoices/", { params: { query: page }, signal }),
  );
  return (
    <>
      <PageHeader title="Invoices">Of your subscription and your purchases, newest first.</PageHeader>
      <DataTable
        label="Invoices"
        list={list}
        columns={COLUMNS}
        rowKey={({ id }) => id}
        minWidth={900}
        empty={
          <Empty title="No invoices yet">
            The first one comes with a <PageLink to="/dashboard/subscription">subscription</PageLink>.
          </Empty>
        }
      />
    </>
  );
}
