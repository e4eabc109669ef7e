// One event of any tenant's, as its endpoints are told it. Only its tenant sends it again.
import type { ReactNode } from "react";

import { useRead } from "../frame/hooks.ts";
import { EventDetail } from "../parts/event-detail.tsx";
import { Empty } from "../parts/page-frame.tsx";
import { usePathPart } from "../parts/page-link.tsx";
import { LinkedId } from "./cells.tsx";
import { pathOf } from "./object-paths.ts";
import { OnePage, TENANTS } from "./one-page.tsx";

const REFRESH_MS = 3000;

export default function EventPage(): ReactNode {
  const id = usePathPart("id");
  const event = useRead(
    ["operator-event", id],
    (api, signal) => api.get("/api/v1/admin/events/{id}/", { params: { path: { id } }, signal }),
    { every: REFRESH_MS, whileIt: ({ deliveries }) => deliveries.some(({ status }) => status === "pending") },
  );
  return (
    <OnePage
      id={id}
      of={event}
      list={TENANTS}
      lead={({ type }) => type}
      absent={{ title: "There is no such event", help: "Check the id: what retention has removed is gone." }}
      lines={12}
    >
      {(found) => (
        <EventDetail
          event={found}
          pathOf={(one) => pathOf(one, { account: one === found.object_id ? found.stripe_account : null })}
          tenant={<LinkedId id={found.tenant_id} />}
          untold={<Empty title="Nobody was told">No endpoint of the tenant took this type when it happened.</Empty>}
        />
      )}
    </OnePage>
  );
}
