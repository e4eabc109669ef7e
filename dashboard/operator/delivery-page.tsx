// One delivery to any tenant's endpoint, with every attempt. Only its tenant tries it again.
import type { ReactNode } from "react";

import { useRead } from "../frame/hooks.ts";
import { DeliveryDetail } from "../parts/delivery-detail.tsx";
import { usePathPart } from "../parts/page-link.tsx";
import { StatusDot } from "../parts/status-dot.tsx";
import { LinkedId } from "./cells.tsx";
import { pathOf } from "./object-paths.ts";
import { OnePage, TENANTS } from "./one-page.tsx";

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
    <OnePage
      id={id}
      of={delivery}
      list={TENANTS}
      status={({ status }) => <StatusDot status={status} />}
      lead={({ event_type: type }) => type ?? "\u00a0"}
      absent={{ title: "There is no such delivery", help: "Check the id: what retention has removed is gone." }}
    >
      {(found) => <DeliveryDetail delivery={found} pathOf={pathOf} tenant={<LinkedId id={found.tenant_id} />} />}
    </OnePage>
  );
}
