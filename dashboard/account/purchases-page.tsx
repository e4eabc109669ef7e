// What was bought: each purchase of credits, what it brought and what was taken back.
import type { ReactNode } from "react";

import type { components } from "../../kit/client/client.ts";
import { useList, useOwnApi } from "../frame/hooks.ts";
import { FilterBar, type FilterSpec, useFilters } from "../parts/filters.tsx";
import { Figure, MoneyText } from "../parts/figures.tsx";
import { IdText } from "../parts/id-text.tsx";
import { type Column, DataTable } from "../parts/list-table.tsx";
import { Empty, PageHeader } from "../parts/page-frame.tsx";
import { PageLink } from "../parts/page-link.tsx";
import { RelativeTime } from "../parts/relative-time.tsx";
import { StatusDot } from "../parts/status-dot.tsx";

type Purchase = components["schemas"]["CreditPurchase"];

const FILTERS = [
  { name: "status", label: "Status", kind: "choice", choices: ["pending", "paid", "canceled"] },
] as const satisfies readonly FilterSpec[];

const COLUMNS: readonly Column<Purchase>[] = [
  { label: "Pack", cell: nameOf },
  { label: "Status", cell: ({ status }) => <StatusDot status={status} />, width: 120 },
  { label: "Credits", cell: ({ credits }) => <Figure value={credits} />, width: 100, align: "right" },
  {
    label: "Taken back",
    cell: ({ credits_taken_back: taken }) =>
      taken === 0 ? <span className="bh-dim">–</span> : <Figure value={taken} />,
    width: 100,
    align: "right",
  },
  {
    label: "Amount",
    cell: ({ amount, currency }) => <MoneyText amount={amount} currency={currency} />,
    width: 130,
    align: "right",
  },
  { label: "Purchase", cell: ({ id }) => <IdText id={id} />, width: 220 },
  { label: "When", cell: ({ created_at: at }) => <RelativeTime at={at} />, width: 120 },
];

function nameOf({ credit_pack: pack, quantity }: Purchase): string {
  const name = pack?.name ?? "Credits";
  return quantity === 1 ? name : `${quantity} × ${name}`;
}

export default function PurchasesPage(): ReactNode {
  const own = useOwnApi();
  const filters = useFilters(FILTERS);
  const { status } = filters.values;
  const query = status === undefined ? {} : { status: status as Purchase["status"] };
  const list = useList(["account", "purchases", query], (_api, page, signal) =>
    own.get("/account/purchases/", { params: { query: { ...query, ...page } }, signal }),
  );
  return (
    <>
      <PageHeader title="Purchases">Credits that were bought, newest first.</PageHeader>
      <FilterBar filters={filters} />
      <DataTable
        label="Purchases"
        list={list}
        columns={COLUMNS}
        rowKey={({ id }) => id}
        minWidth={980}
        empty={
          <Empty title={status === undefined ? "Nothing was bought yet" : "No such purchase"}>
            {status === undefined ? <PageLink to="/dashboard/credits">Buy credits</PageLink> : "Clear the filter."}
          </Empty>
        }
      />
    </>
  );
}
