// One plan or credit pack of a tenant, with how it stands at Stripe.
import type { ReactNode } from "react";

import type { BillhookClient, components } from "../../kit/client/client.ts";
import { useRead } from "../frame/hooks.ts";
import { Figure, MoneyText } from "../parts/figures.tsx";
import { IdText } from "../parts/id-text.tsx";
import { KeyValue } from "../parts/page-frame.tsx";
import { usePathPart } from "../parts/page-link.tsx";
import { RelativeTime } from "../parts/relative-time.tsx";
import { StatusDot } from "../parts/status-dot.tsx";
import { LinkedId } from "./cells.tsx";
import { OnePage } from "./one-page.tsx";

type Plan = components["schemas"]["ListedPlan"];
type Pack = components["schemas"]["ListedPack"];
type Offer = Plan | Pack;

type Read = (api: BillhookClient, params: { path: { id: string } }, signal: AbortSignal) => Promise<Offer>;

const READS: Record<"plans" | "credit-packs", Read> = {
  plans: (api, params, signal) => api.get("/api/v1/admin/plans/{id}/", { params, signal }),
  "credit-packs": (api, params, signal) => api.get("/api/v1/admin/credit-packs/{id}/", { params, signal }),
};

export function offerPage(name: keyof typeof READS, list: string): () => ReactNode {
  const what = name === "plans" ? "plan" : "credit pack";
  return function OfferPage() {
    const id = usePathPart("id");
    const offer = useRead([`operator-${name}`, id], (api, signal) => READS[name](api, { path: { id } }, signal));
    return (
      <OnePage
        id={id}
        of={offer}
        list={{ label: list, to: `/operator/${name}` }}
        title={(found) => found.name}
        status={(found) => <Active offer={found} />}
        absent={{ title: `There is no such ${what}`, help: "Check the id, or find it in the list of its tenant." }}
      >
        {(found) => <Facts offer={found} />}
      </OnePage>
    );
  };
}

const isPlan = (offer: Offer): offer is Plan => "billing_interval" in offer;

function Active({ offer }: { offer: Offer }): ReactNode {
  return <StatusDot status={(isPlan(offer) ? offer.is_active : offer.active) ? "active" : "inactive"} />;
}

function Facts({ offer }: { offer: Offer }): ReactNode {
  const { id, key, amount, currency, price_id: price, product_id: product, sync_error: failed, drift } = offer;
  return (
    <KeyValue
      facts={[
        ["Id", <IdText key="id" id={id} whole />],
        ["Key", key],
        ["Tenant", <LinkedId key="tenant" id={offer.tenant_id} />],
        ["Mode", offer.livemode ? "Live" : "Test"],
        ["Price", <MoneyText key="amount" amount={amount} currency={currency} />],
        ...(isPlan(offer)
          ? ([
              ["Interval", `Every ${offer.interval_count} ${offer.billing_interval}`],
              ["Group", offer.plan_group],
              ["Trial", offer.trial_days === null ? null : `${offer.trial_days} days`],
              ["Features", offer.features.join(", ")],
            ] as const)
          : ([["Credits", <Figure key="credits" value={offer.credits} />]] as const)),
        ["Price at Stripe", <LinkedId key="price" id={price} />],
        ["Product at Stripe", <LinkedId key="product" id={product} />],
        ["Differs at Stripe", drift.length === 0 ? undefined : `${drift.join(", ")}: ours is right, a sync mends it`],
        ["Waits to be told", offer.sync_pending ? "Yes: until then it is sold on its former terms" : undefined],
        ["Last error", failed === null ? undefined : failed.message],
        ["Made", <RelativeTime key="made" at={offer.created_at} />],
        ["Changed", <RelativeTime key="changed" at={offer.updated_at} />],
      ]}
    />
  );
}
