// One purchase of credits: who bought what, and the objects of Stripe's that say whether it was paid.
import type { ReactNode } from "react";

import { useRead } from "../frame/hooks.ts";
import { Figure, MoneyText } from "../parts/figures.tsx";
import { KeyValue } from "../parts/page-frame.tsx";
import { PageLink, usePathPart } from "../parts/page-link.tsx";
import { RelativeTime } from "../parts/relative-time.tsx";
import { StatusDot } from "../parts/status-dot.tsx";
import { LinkedId } from "./cells.tsx";
import { pathOf } from "./object-paths.ts";
import { OnePage } from "./one-page.tsx";
import type { ListedPurchase } from "./operator-reads.ts";

export default function PurchasePage(): ReactNode {
  const id = usePathPart("id");
  const purchase = useRead(["credit-purchase", id], (api, signal) =>
    api.get("/api/v1/admin/credit-purchases/{id}/", { params: { path: { id } }, signal }),
  );
  return (
    <OnePage
      id={id}
      of={purchase}
      list={{ label: "Credit purchases", to: "/operator/credit-purchases" }}
      status={({ state }) => <StatusDot status={state} />}
      absent={{ title: "There is no such purchase", help: "Check the id, or look it up by its session or payment." }}
    >
      {(found) => <Facts purchase={found} />}
    </OnePage>
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
        ["Pack", packOf(purchase)],
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

/** By its name, which leads to it. */
function packOf({ pack_id: id, credit_pack: name }: ListedPurchase): ReactNode {
  const to = id === null ? undefined : pathOf(id);
  return to === undefined ? name : <PageLink to={to}>{name ?? id}</PageLink>;
}
