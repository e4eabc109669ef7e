// One purchase of credits: who bought what, and the objects of Stripe's that say whether it was paid.
import type { ReactNode } from "react";

import { useRead } from "../frame/hooks.ts";
import { Figure, MoneyText } from "../parts/figures.tsx";
import { IdText } from "../parts/id-text.tsx";
import { Loaded } from "../parts/loaded.tsx";
import { Empty, KeyValue, PageHeader } from "../parts/page-frame.tsx";
import { usePathPart } from "../parts/page-link.tsx";
import { RelativeTime } from "../parts/relative-time.tsx";
import { StatusDot } from "../parts/status-dot.tsx";
import { LinkedId } from "./cells.tsx";
import type { ListedPurchase } from "./operator-reads.ts";

export default function PurchasePage(): ReactNode {
  const id = usePathPart("id");
  const purchase = useRead(["credit-purchase", id], (api, signal) =>
    api.get("/api/v1/admin/credit-purchases/{id}/", { params: { path: { id } }, signal }),
  );
  return (
    <>
      <PageHeader
        title={<IdText id={id} whole />}
        crumbs={[{ label: "Credit purchases", to: "/operator/credit-purchases" }]}
        beside={purchase.data !== undefined && <StatusDot status={purchase.data.state} />}
      />
      <Loaded
        of={purchase}
        lines={10}
        absent={<Empty title="There is no such purchase">Check the id, or look it up by its session or payment.</Empty>}
      >
        {(found) => <Facts purchase={found} />}
      </Loaded>
    </>
  );
}

function Facts({ purchase }: { purchase: ListedPurchase }): ReactNode {
  const { stripe_account: account, account_email: email, currency, price, quantity, credits } = purchase;
  const linked = (id: string | null) => <LinkedId id={id} account={account} />;
  return (
    <KeyValue
      facts={[
        ["Buyer", email],
        ["Account", linked(purchase.account_id)],
        ["Tenant", linked(purchase.tenant_id)],
        ["Mode", purchase.livemode ? "Live" : "Test"],
        ["Pack", purchase.credit_pack],
        ["Quantity", <Figure key="quantity" value={quantity} />],
        ["Credits", <Figure key="credits" value={credits} />],
        ["Price", <MoneyText key="price" amount={price} currency={currency} />],
        ["Checkout session", linked(purchase.stripe_session_id)],
        ["Payment", linked(purchase.payment_intent_id)],
        ["Charge", linked(purchase.charge_id)],
        ["Stripe account", account === null ? "The platform's own" : linked(account)],
        ["Begun", <RelativeTime key="begun" at={purchase.created_at} />],
        ["Settled", <RelativeTime key="settled" at={purchase.settled_at} />],
      ]}
    />
  );
}
