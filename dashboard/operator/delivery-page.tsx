// One delivery to any tenant's endpoint, with every attempt. Only its tenant tries it again.
import type { ReactNode } from "react";

import { useRead } from "../frame/hooks.ts";
import { DeliveryDetail } from "../parts/delivery-detail.tsx";
import { IdText } from "../parts/id-text.tsx";
import { Loaded } from "../parts/loaded.tsx";
import { Empty, PageHeader } from "../parts/page-frame.tsx";
import { usePathPart } from "../parts/page-link.tsx";
import { StatusDot } from "../parts/status-dot.tsx";
import { LinkedId } from "./cells.tsx";
import { pathOf } from "./object-paths.ts";

/** The next attempt is seen without a reload. */
const REFRESH_MS = 3000;

export default function DeliveryPage(): ReactNode {
  const id = usePathPart("id");
  const delivery = useRead(
    ["operator-delivery", id],
    (api, signal) => api.get("/api/v1/admin/deliveries/{id}/", { params: { path: { id } }, signal }),
    { every: REFRESH_MS, whileIt: ({ status }) => status === "pending" },
  );
  return (
    <>
      <PageHeader
        title={<IdText id={id} whole />}
        crumbs={[{ label: "Tenants", to: "/operator/tenants" }]}
        beside={delivery.data !== undefined && <StatusDot status={delivery.data.status} />}
      >
        {delivery.data?.event_type ?? "\u00a0"}
      </PageHeader>
      <Loaded
        of={delivery}
        lines={10}
        absent={<Empty title="There is no such delivery">Check the id: what retention has removed is gone.</Empty>}
      >
        {(found) => <DeliveryDetail delivery={found} pathOf={pathOf} tenant={<LinkedId id={found.tenant_id} />} />}
      </Loaded>
    </>
  );
}
