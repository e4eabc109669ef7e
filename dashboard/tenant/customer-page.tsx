// One customer: balance, subscription, how the balance came to be, what was bought and invoiced.
import { Button } from "@mantine/core";
import { type ReactNode, useState } from "react";

import { useRead } from "../frame/hooks.ts";
import { Figure } from "../parts/figures.tsx";
import { IdText } from "../parts/id-text.tsx";
import { Loaded } from "../parts/loaded.tsx";
import { FigureRow, FigureTile, KeyValue, PageHeader, Section } from "../parts/page-frame.tsx";
import { PageLink, usePathPart } from "../parts/page-link.tsx";
import { RelativeTime } from "../parts/relative-time.tsx";
import { StatusDot } from "../parts/status-dot.tsx";
import { UrlTabs } from "../parts/url-tabs.tsx";
import { CustomerInvoices, CustomerPurchases, Ledger } from "./customer-lists.tsx";
import { GrantCredits } from "./grant-credits.tsx";
import { type Schemas, useIsAdmin, usePlans } from "./tenant-reads.ts";

import "./tenant.css";

type Detail = Schemas["AccountDetail"];

const REFRESH_MS = 10_000;

export default function CustomerPage(): ReactNode {
  const id = usePathPart("id");
  const isAdmin = useIsAdmin();
  const [isOpen, setOpen] = useState(false);
  const account = useRead(
    ["account", id],
    (api, signal) => api.get("/api/v1/accounts/{id}/", { params: { path: { id } }, signal }),
    { every: REFRESH_MS },
  );
  const found = account.data;
  return (
    <>
      <PageHeader
        title={found?.email ?? found?.name ?? <IdText id={id} whole />}
        crumbs={[{ label: "Customers", to: "/tenant/customers" }]}
        beside={found !== undefined && <StatusDot status={found.status} />}
        actions={isAdmin && found !== undefined && <Button onClick={() => setOpen(true)}>Grant credits</Button>}
      >
        {found?.name ?? "\u00a0"}
      </PageHeader>
      <Loaded of={account} lines={12}>
        {(shown) => (
          <>
            <Figures of={shown} />
            <Section title="History">
              <Tabs of={shown} />
            </Section>
          </>
        )}
      </Loaded>
      {isOpen && <GrantCredits id={id} close={() => setOpen(false)} />}
    </>
  );
}

function Figures({
  of: { credit_balance: balance, subscription, default_payment_method: card },
}: {
  of: Detail;
}): ReactNode {
  return (
    <FigureRow>
      <FigureTile label="Balance">
        <Figure value={balance} unit="credits" />
      </FigureTile>
      <FigureTile label="Subscription">
        {subscription === null ? <span className="bh-dim">None</span> : <StatusDot status={subscription.status} />}
      </FigureTile>
      <FigureTile label="Plan">
        <span className="bh-tile-text">
          <PlanOf price={subscription?.price_id ?? null} />
        </span>
      </FigureTile>
      <FigureTile label={subscription !== null && subscription.cancel_at !== null ? "Ends" : "Renews"}>
        <RelativeTime at={subscription?.cancel_at ?? subscription?.current_period_end ?? null} />
      </FigureTile>
      <FigureTile label="Pays with">
        <span className="bh-tile-text">
          {card === null ? <span className="bh-dim">Nothing saved</span> : cardOf(card)}
        </span>
      </FigureTile>
    </FigureRow>
  );
}

/** A price of none of them, as after a change of a plan's price, is named by its id. */
function PlanOf({ price }: { price: string | null }): ReactNode {
  const plans = usePlans();
  const plan = plans.data?.find(({ price_id: sold }) => sold === price);
  if (price === null) return <span className="bh-dim">–</span>;
  if (plan !== undefined) return <PageLink to={`/tenant/plans/${plan.id}`}>{plan.name}</PageLink>;
  return plans.isPending ? "\u00a0" : <IdText id={price} />;
}

function cardOf({ brand, type, last4 }: NonNullable<Detail["default_payment_method"]>): string {
  return `${brand ?? type ?? "Method"}${last4 === null ? "" : ` ending in ${last4}`}`;
}

function Tabs({ of }: { of: Detail }): ReactNode {
  const { id } = of;
  return (
    <UrlTabs
      tabs={[
        { name: "ledger", label: "Credits", content: () => <Ledger id={id} /> },
        { name: "purchases", label: "Purchases", content: () => <CustomerPurchases id={id} /> },
        { name: "invoices", label: "Invoices", content: () => <CustomerInvoices id={id} /> },
        { name: "details", label: "Details", content: () => <Details of={of} /> },
      ]}
    />
  );
}

function Details({ of }: { of: Detail }): ReactNode {
  const { subscription, stripe_customer_id: customer, metadata } = of;
  const price = subscription?.price_id ?? null;
  return (
    <KeyValue
      facts={[
        ["Account", <IdText key="id" id={of.id} whole />],
        ["E-mail address", of.email],
        ["Name", of.name],
        ["Your own id", of.external_id],
        ["On trial credits", of.is_trial_user ? "Yes" : "No"],
        ["Stripe’s customer", customer === null ? null : <IdText key="customer" id={customer} whole />],
        ["Subscription", subscription === null ? undefined : <IdText key="subscription" id={subscription.id} whole />],
        ["Price", price === null ? undefined : <IdText key="price" id={price} whole />],
        [
          "Told when credits fall below",
          of.credit_low_threshold === null ? "Never" : <Figure key="low" value={of.credit_low_threshold} />,
        ],
        ["Made", <RelativeTime key="made" at={of.created_at} />],
        ...Object.entries(metadata).map(([name, value]) => [`metadata.${name}`, value] as const),
      ]}
    />
  );
}
