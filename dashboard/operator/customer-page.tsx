// One customer of Stripe's on one page: the timeline first, then what they have, and how Stripe knows them.
import type { ReactNode } from "react";

import { KindTable } from "./kind-table.tsx";
import { ObjectView, useScopeQuery } from "./object-page.tsx";
import { disputes, invoices, payments, refunds, subscriptions } from "./stripe-kinds.tsx";
import { Timeline } from "./timeline.tsx";

const TABLE_HEIGHT = 520;
const THEIRS = [subscriptions, invoices, payments, refunds, disputes];

export default function CustomerPage(): ReactNode {
  const query = useScopeQuery();
  return (
    <ObjectView
      list={{ label: "Stripe customers", to: "/operator/customers" }}
      tabsOf={({ id, account }) => [
        { name: "timeline", label: "Timeline", content: () => <Timeline id={id} query={query} /> },
        ...THEIRS.map((kind) => ({
          name: kind.name,
          label: kind.title,
          content: () => (
            <KindTable kind={kind} given={{ customer: id, account: account ?? "platform" }} maxHeight={TABLE_HEIGHT} />
          ),
        })),
      ]}
    />
  );
}
