// One plan or credit pack of a tenant, with how it stands at Stripe.
import type { ReactNode } from "react";

import type { BillhookClient, components } from "../../kit/client/client.ts";
import { useRead, useStanding } from "../frame/hooks.ts";
import { type FilterSpec, useFilters } from "../parts/filters.tsx";
import { Figure, MoneyText } from "../parts/figures.tsx";
import { IdText } from "../parts/id-text.tsx";
import { Loaded } from "../parts/loaded.tsx";
import { Empty, KeyValue, PageHeader } from "../parts/page-frame.tsx";
import { usePathPart } from "../parts/page-link.tsx";
import { RelativeTime } from "../parts/relative-time.tsx";
import { StatusDot } from "../parts/status-dot.tsx";
import { LinkedId } from "./cells.tsx";
import { readList } from "./operator-reads.ts";

type Plan = components["schemas"]["ListedPlan"];
type Pack = components["schemas"]["ListedPack"];
type Offer = Plan | Pack;

const OF = [{ name: "tenant", label: "Tenant", kind: "text" }] as const satisfies readonly FilterSpec[];
/** A tenant has few: no route reads one of them for operators. */
const MOST_PAGES = 10;

export function offerPage(name: "plans" | "credit-packs", title: string): () => ReactNode {
  return function OfferPage() {
    const id = usePathPart("id");
    const { tenant } = useFilters(OF).values;
    const { mode } = useStanding();
    const query = { ...(tenant === undefined ? {} : { tenant }), livemode: mode === "live" ? "true" : "false" };
    const offer = useRead([name, id, query], (api, signal) => find(api, name, id, query, signal));
    return (
      <>
        <PageHeader
          title={offer.data?.name ?? <IdText id={id} whole />}
          crumbs={[{ label: title, to: `/operator/${name}` }]}
          beside={offer.data !== undefined && offer.data !== null && <Active offer={offer.data} />}
        />
        <Loaded of={offer} lines={10}>
          {(found) =>
            found === null ? (
              <Empty title={`It is not in ${mode} mode`}>Look in the other mode, or in the list of its tenant.</Empty>
            ) : (
              <Facts offer={found} />
            )
          }
        </Loaded>
      </>
    );
  };
}

async function find(
  api: BillhookClient,
  name: "plans" | "credit-packs",
  id: string,
  query: Record<string, string>,
  signal: AbortSignal,
): Promise<Offer | null> {
  let cursor: string | undefined;
  for (let page = 0; page < MOST_PAGES; page += 1) {
    const { data, next_cursor: next } = await readList<Offer>(api, name, { ...query, limit: 100, cursor }, signal);
    const found = data.find((one) => one.id === id);
    if (found !== undefined || next === null) return found ?? null;
    cursor = next;
  }
  return null;
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
