// The own credits: the balance and how it came to be, what can be bought, and the ledger with the cause of each entry.
import { type ReactNode, useEffect, useRef } from "react";

import type { components } from "../../kit/client/client.ts";
import { type List, useList, useOwnApi } from "../frame/hooks.ts";
import { Figure } from "../parts/figures.tsx";
import { type Column, DataTable } from "../parts/list-table.tsx";
import { Loaded } from "../parts/loaded.tsx";
import { Empty, FigureRow, FigureTile, PageHeader, Section } from "../parts/page-frame.tsx";
import { PageLink } from "../parts/page-link.tsx";
import { RelativeTime } from "../parts/relative-time.tsx";
import { StatusDot, wordOf } from "../parts/status-dot.tsx";
import { BalanceChart } from "./balance-chart.tsx";
import { CreditPackList } from "./credit-pack-list.tsx";
import { useOwnAccount } from "./own-reads.ts";
import { TopUp } from "./top-up.tsx";

/** Credits are also spent, and bought by themselves, while somebody looks. */
const LOOK_MS = 5000;

export type Entry = components["schemas"]["CreditEntry"];

export default function CreditsPage(): ReactNode {
  const own = useOwnApi();
  const ledger = useList(["account", "ledger"], (_api, page, signal) =>
    own.get("/account/credits/ledger/", { params: { query: page }, signal }),
  );
  useFreshLedger(ledger);
  return (
    <>
      <PageHeader title="Credits" />
      <Balance />
      <Section title="Buy credits" actions={<PageLink to="/dashboard/purchases">All purchases</PageLink>}>
        <CreditPackList />
      </Section>
      <Section title="Automatic top-up">
        <TopUp />
      </Section>
      <BalanceChart ledger={ledger} />
      <Section title="Ledger">
        <Ledger list={ledger} />
      </Section>
    </>
  );
}

/** A balance that has changed has an entry that says why. */
function useFreshLedger({ refetch }: List<Entry>): void {
  const balance = useOwnAccount(LOOK_MS).data?.credit_balance;
  const before = useRef(balance);
  useEffect(() => {
    if (before.current !== undefined && before.current !== balance) void refetch();
    before.current = balance;
  }, [balance, refetch]);
}

function Balance(): ReactNode {
  const account = useOwnAccount(LOOK_MS);
  return (
    <Loaded of={account} waiting={<BalanceOnItsWay />}>
      {({ credit_balance: balance, status, is_trial_user: isTrial, default_payment_method: method }) => (
        <FigureRow>
          <FigureTile label="Balance">
            <Figure value={balance} unit="credits" />
          </FigureTile>
          <FigureTile label="Account">
            <StatusDot status={status} {...(isTrial ? { label: "Trial" } : {})} />
          </FigureTile>
          <FigureTile label="Payment method">
            <PageLink to="/dashboard/payment-method" className="bh-tile-link">
              {method === null ? "Add a card" : `•••• ${method.last4 ?? ""}`}
            </PageLink>
          </FigureTile>
        </FigureRow>
      )}
    </Loaded>
  );
}

function BalanceOnItsWay(): ReactNode {
  return (
    <div role="status" aria-label="Loading">
      <FigureRow>
        <FigureTile label="Balance" />
        <FigureTile label="Account" />
        <FigureTile label="Payment method" />
      </FigureRow>
    </div>
  );
}

const COLUMNS: readonly Column<Entry>[] = [
  { label: "What", cell: ({ kind }) => wordOf(kind), width: 120 },
  { label: "Why", cell: ({ reason }) => reason },
  { label: "Credits", cell: ({ amount }) => <Figure value={amount} withSign />, width: 110, align: "right" },
  { label: "Balance", cell: ({ balance_after: after }) => <Figure value={after} />, width: 110, align: "right" },
  { label: "Expires", cell: ({ expires_at: at }) => <RelativeTime at={at} />, width: 110 },
  { label: "When", cell: ({ created_at: at }) => <RelativeTime at={at} />, width: 130 },
];

function Ledger({ list }: { list: List<Entry> }): ReactNode {
  return (
    <DataTable
      label="Ledger"
      list={list}
      columns={COLUMNS}
      rowKey={({ id }) => id}
      maxHeight={480}
      minWidth={720}
      empty={<Empty title="No entries yet">Buy a pack, and its credits are the first entry here.</Empty>}
    />
  );
}
