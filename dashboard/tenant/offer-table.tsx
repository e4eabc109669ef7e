// Plans or credit packs as a table.
import type { ReactNode } from "react";

import type { List } from "../frame/hooks.ts";
import { Figure, MoneyText } from "../parts/figures.tsx";
import { IdText } from "../parts/id-text.tsx";
import { type Column, DataTable } from "../parts/list-table.tsx";
import { RelativeTime } from "../parts/relative-time.tsx";
import { StatusDot } from "../parts/status-dot.tsx";
import type { Offer } from "./offer.ts";

const COMMON: readonly Column<Offer>[] = [
  { label: "Name", cell: ({ name }) => name },
  { label: "State", cell: (offer) => <OfferState of={offer} />, width: 150 },
  {
    label: "Price",
    cell: ({ amount, currency }) => <MoneyText amount={amount} currency={currency} />,
    ...{ width: 140, align: "right" },
  },
];
const LAST: readonly Column<Offer>[] = [
  {
    label: "Stripe’s price",
    cell: ({ priceId: id }) => (id === null ? <span className="bh-dim">–</span> : <IdText id={id} />),
    width: 220,
  },
  { label: "Made", cell: ({ createdAt: at }) => <RelativeTime at={at} />, width: 125 },
];
const OF_PLANS: readonly Column<Offer>[] = [
  ...COMMON,
  { label: "Billed", cell: ({ every }) => every, width: 140 },
  ...LAST,
];
const OF_PACKS: readonly Column<Offer>[] = [
  ...COMMON,
  { label: "Credits", cell: ({ credits }) => <Figure value={credits} />, width: 120, align: "right" },
  ...LAST,
];

export function OfferState({ of: { isActive, isSyncPending, syncError } }: { of: Offer }): ReactNode {
  if (syncError !== null) return <StatusDot status="failed" label="Not at Stripe yet" />;
  if (isSyncPending) return <StatusDot status="pending" label="On its way" />;
  return <StatusDot status={isActive ? "active" : "inactive"} label={isActive ? "On sale" : "Not sold"} />;
}

export interface OfferTableProps {
  kind: Offer["kind"];
  label: string;
  path: string;
  list: List<Offer>;
  empty: ReactNode;
}

export function OfferTable({ kind, path, ...table }: OfferTableProps): ReactNode {
  return (
    <DataTable
      {...table}
      columns={kind === "plan" ? OF_PLANS : OF_PACKS}
      rowKey={({ id }) => id}
      rowLink={({ id }) => `${path}/${id}`}
      minWidth={940}
    />
  );
}
