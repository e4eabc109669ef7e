// A customer's history: credit entries, purchases of credits, invoices.
import type { ReactNode } from "react";

import { type Page, useList } from "../frame/hooks.ts";
import { Figure, MoneyText } from "../parts/figures.tsx";
import { Icon } from "../parts/icons.tsx";
import { IdText } from "../parts/id-text.tsx";
import { type Column, DataTable } from "../parts/list-table.tsx";
import { Empty } from "../parts/page-frame.tsx";
import { RelativeTime } from "../parts/relative-time.tsx";
import { StatusDot, wordOf } from "../parts/status-dot.tsx";
import { plain, type Schemas } from "./tenant-reads.ts";

type Entry = Schemas["CreditEntry"];
type Purchase = Schemas["CreditPurchase"];
type Invoice = Schemas["OwnInvoice"];

const MAX_HEIGHT = "max(18rem, calc(100dvh - 24rem))";

const ENTRIES: readonly Column<Entry>[] = [
  { label: "What", cell: ({ kind }) => wordOf(kind), width: 120 },
  { label: "Credits", cell: ({ amount }) => <Figure value={amount} withSign />, width: 110, align: "right" },
  { label: "Balance after", cell: ({ balance_after: after }) => <Figure value={after} />, width: 120, align: "right" },
  { label: "Cause", cell: ({ reason, reference }) => <span title={reference ?? undefined}>{reason}</span> },
  { label: "Entry", cell: ({ id }) => <IdText id={id} />, width: 220 },
  { label: "When", cell: ({ created_at: at }) => <RelativeTime at={at} />, width: 125 },
];

export function Ledger({ id }: { id: string }): ReactNode {
  const list = useList(["account", id, "ledger"], (api, page, signal) =>
    api.get("/api/v1/accounts/{id}/credits/ledger/", { params: { path: { id }, query: page }, signal }),
  );
  return (
    <DataTable
      label="Credit entries"
      list={list}
      columns={ENTRIES}
      rowKey={(entry) => entry.id}
      maxHeight={MAX_HEIGHT}
      minWidth={860}
      empty={<Empty title="No credits yet">They come with a purchase, or when you grant some.</Empty>}
    />
  );
}

const PURCHASES: readonly Column<Purchase>[] = [
  {
    label: "Pack",
    cell: ({ credit_pack: pack, quantity }) => `${pack?.name ?? "Credits"}${quantity > 1 ? ` × ${quantity}` : ""}`,
  },
  { label: "Status", cell: ({ status }) => <StatusDot status={status} />, width: 120 },
  { label: "Credits", cell: ({ credits }) => <Figure value={credits} />, width: 110, align: "right" },
  {
    label: "Amount",
    cell: ({ amount, currency }) => <MoneyText amount={amount} currency={currency} />,
    ...{ width: 130, align: "right" },
  },
  { label: "Purchase", cell: ({ id }) => <IdText id={id} />, width: 220 },
  { label: "When", cell: ({ created_at: at }) => <RelativeTime at={at} />, width: 125 },
];

export function CustomerPurchases({ id }: { id: string }): ReactNode {
  const list = useList(["account", id, "purchases"], (api, page, signal) =>
    plain(api).get<Page<Purchase>>("/api/v1/accounts/{id}/purchases/", {
      params: { path: { id }, query: page },
      signal,
    }),
  );
  return (
    <DataTable
      label="Purchases"
      list={list}
      columns={PURCHASES}
      rowKey={(purchase) => purchase.id}
      maxHeight={MAX_HEIGHT}
      minWidth={860}
      empty={<Empty title="No purchases">This customer has bought no credits.</Empty>}
    />
  );
}

const INVOICES: readonly Column<Invoice>[] = [
  { label: "Number", cell: ({ number, id }) => <span className="bh-mono">{number ?? id}</span> },
  { label: "Status", cell: ({ status }) => <StatusDot status={status} />, width: 130 },
  {
    label: "Total",
    cell: ({ total, currency }) => <MoneyText amount={total} currency={currency} />,
    ...{ width: 140, align: "right" },
  },
  { label: "Due", cell: ({ due_at: at }) => <RelativeTime at={at} />, width: 125 },
  { label: "Look", cell: lookOf, width: 100 },
  { label: "When", cell: ({ created_at: at }) => <RelativeTime at={at} />, width: 125 },
];

function lookOf({ hosted_invoice_url: page, number, id }: Invoice): ReactNode {
  if (page === null) return <span className="bh-dim">–</span>;
  return (
    <a href={page} target="_blank" rel="noreferrer">
      View <Icon name="away" size={11} />
      <span className="bh-hidden">: invoice {number ?? id}</span>
    </a>
  );
}

export function CustomerInvoices({ id }: { id: string }): ReactNode {
  const list = useList(["account", id, "invoices"], (api, page, signal) =>
    plain(api).get<Page<Invoice>>("/api/v1/accounts/{id}/invoices/", { params: { path: { id }, query: page }, signal }),
  );
  return (
    <DataTable
      label="Invoices"
      list={list}
      columns={INVOICES}
      rowKey={(invoice) => invoice.id}
      maxHeight={MAX_HEIGHT}
      minWidth={760}
      empty={<Empty title="No invoices">They come with a subscription.</Empty>}
    />
  );
}
