// A customer's history: credit entries, purchases of credits, invoices.
import type { ReactNode } from "react";

import type { BillhookClient } from "../../kit/client/client.ts";
import { type Page, useList } from "../frame/hooks.ts";
import { Figure, MoneyText } from "../parts/figures.tsx";
import { Icon } from "../parts/icons.tsx";
import { IdText } from "../parts/id-text.tsx";
import { type Column, DataTable } from "../parts/list-table.tsx";
import { Empty } from "../parts/page-frame.tsx";
import { RelativeTime } from "../parts/relative-time.tsx";
import { StatusDot, wordOf } from "../parts/status-dot.tsx";
import type { Schemas } from "./tenant-reads.ts";

type Entry = Schemas["CreditEntry"];
type Purchase = Schemas["CreditPurchase"];
type Invoice = Schemas["OwnInvoice"];

/** As openapi-fetch takes it, for one page of one customer's. */
interface Asked {
  params: { path: { id: string }; query: { limit: number; cursor?: string } };
  signal: AbortSignal;
}

interface History<Row> {
  name: string;
  label: string;
  columns: readonly Column<Row>[];
  read: (api: BillhookClient, asked: Asked) => Promise<Page<Row>>;
  minWidth: number;
  empty: ReactNode;
}

const MAX_HEIGHT = "max(18rem, calc(100dvh - 24rem))";

/** The table of one kind of history, for the customer with this id. */
function historyTable<Row extends { id: string }>({ name, read, ...table }: History<Row>) {
  return function HistoryTable({ id }: { id: string }): ReactNode {
    const list = useList(["account", id, name], (api, query, signal) =>
      read(api, { params: { path: { id }, query }, signal }),
    );
    return <DataTable {...table} list={list} rowKey={(row) => row.id} maxHeight={MAX_HEIGHT} />;
  };
}

const idOf = (label: string): Column<{ id: string }> => ({
  label,
  cell: ({ id }) => <IdText id={id} />,
  width: 220,
});
const when: Column<{ created_at: string | null }> = {
  label: "When",
  cell: ({ created_at: at }) => <RelativeTime at={at} />,
  width: 125,
};

export const Ledger = historyTable<Entry>({
  name: "ledger",
  label: "Credit entries",
  columns: [
    { label: "What", cell: ({ kind }) => wordOf(kind), width: 120 },
    { label: "Credits", cell: ({ amount }) => <Figure value={amount} withSign />, width: 110, align: "right" },
    {
      label: "Balance after",
      cell: ({ balance_after: after }) => <Figure value={after} />,
      width: 120,
      align: "right",
    },
    { label: "Cause", cell: ({ reason, reference }) => <span title={reference ?? undefined}>{reason}</span> },
    idOf("Entry"),
    when,
  ],
  read: (api, asked) => api.get("/api/v1/accounts/{id}/credits/ledger/", asked),
  minWidth: 860,
  empty: <Empty title="No credits yet">They come with a purchase, or when some are granted.</Empty>,
});

export const CustomerPurchases = historyTable<Purchase>({
  name: "purchases",
  label: "Purchases",
  columns: [
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
    idOf("Purchase"),
    when,
  ],
  read: (api, asked) => api.get("/api/v1/accounts/{id}/purchases/", asked),
  minWidth: 860,
  empty: <Empty title="No purchases">This customer has bought no credits.</Empty>,
});

export const CustomerInvoices = historyTable<Invoice>({
  name: "invoices",
  label: "Invoices",
  columns: [
    { label: "Number", cell: ({ number, id }) => <span className="bh-mono">{number ?? id}</span> },
    { label: "Status", cell: ({ status }) => <StatusDot status={status} />, width: 130 },
    {
      label: "Total",
      cell: ({ total, currency }) => <MoneyText amount={total} currency={currency} />,
      ...{ width: 140, align: "right" },
    },
    { label: "Due", cell: ({ due_at: at }) => <RelativeTime at={at} />, width: 125 },
    { label: "Look", cell: lookOf, width: 100 },
    when,
  ],
  read: (api, asked) => api.get("/api/v1/accounts/{id}/invoices/", asked),
  minWidth: 760,
  empty: <Empty title="No invoices">They come with a subscription.</Empty>,
});

function lookOf({ hosted_invoice_url: page, number, id }: Invoice): ReactNode {
  if (page === null) return <span className="bh-dim">–</span>;
  return (
    <a href={page} target="_blank" rel="noreferrer">
      View <Icon name="away" size={11} />
      <span className="bh-hidden">: invoice {number ?? id}</span>
    </a>
  );
}
