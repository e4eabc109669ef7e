// Cells that the operator's tables share.
import type { ReactNode } from "react";

import { MoneyText } from "../parts/figures.tsx";
import { IdText } from "../parts/id-text.tsx";
import type { Column } from "../parts/list-table.tsx";
import { PageLink } from "../parts/page-link.tsx";
import { RelativeTime } from "../parts/relative-time.tsx";
import { StatusDot } from "../parts/status-dot.tsx";
import { pathOf } from "./object-paths.ts";

export const dash = <span className="bh-dim">–</span>;

/** An id that leads to its page, where there is one. */
export function LinkedId({ id, account }: { id: string | null; account?: string | null }): ReactNode {
  if (id === null) return dash;
  const to = pathOf(id, { account: account ?? null });
  return <IdText id={id} {...(to === undefined ? {} : { to })} />;
}

export const text = (value: string | null): ReactNode => (value === null || value === "" ? dash : value);

interface Timed {
  created_at: string | null;
}

export const createdAt: Column<Timed> = {
  label: "Created",
  cell: ({ created_at: at }) => <RelativeTime at={at} />,
  width: 120,
};

export const status: Column<{ status: string | null }> = {
  label: "Status",
  cell: ({ status: word }) => <StatusDot status={word} />,
  width: 150,
};

export const amount: Column<{ amount: number | null; currency: string | null }> = {
  label: "Amount",
  cell: ({ amount: minor, currency }) => <MoneyText amount={minor} currency={currency} />,
  width: 130,
  align: "right",
};

/** Whose it is: a customer's address, or at least the customer. */
export const customer: Column<{ customer_email: string | null; customer_id: string | null; account: string | null }> = {
  label: "Customer",
  cell: ({ customer_email: email, customer_id: id, account }) => {
    const to = id === null ? undefined : pathOf(id, { account });
    if (email === null || to === undefined) return <LinkedId id={id} account={account} />;
    return <PageLink to={to}>{email}</PageLink>;
  },
};

/** A connected account; the platform's own is not named. */
export const stripeAccount: Column<{ account: string | null }> = {
  label: "Stripe account",
  cell: ({ account }) => (account === null ? <span className="bh-dim">Platform</span> : <LinkedId id={account} />),
  width: 200,
};
