// One event of any tenant's, as its endpoints are told it. Only its tenant sends it again.
import type { ReactNode } from "react";

import { useRead } from "../frame/hooks.ts";
import { EventDetail } from "../parts/event-detail.tsx";
import { IdText } from "../parts/id-text.tsx";
import { Loaded } from "../parts/loaded.tsx";
import { Empty, PageHeader } from "../parts/page-frame.tsx";
import { usePathPart } from "../parts/page-link.tsx";
import { LinkedId } from "./cells.tsx";
import { pathOf } from "./object-paths.ts";

const REFRESH_MS = 3000;

export default function EventPage(): ReactNode {
  const id = usePathPart("id");
  const event = useRead(
    ["operator-event", id],
    (api, signal) => api.get("/api/v1/admin/events/{id}/", { params: { path: { id } }, signal }),
    { every: REFRESH_MS, whileIt: ({ deliveries }) => deliveries.some(({ status }) => status === "pending") },
  );
  return (
    <>
      <PageHeader title={<IdText id={id} whole />} crumbs={[{ label: "Tenants", to: "/operator/tenants" }]}>
        {event.data?.type ?? "\u00a0"}
      </PageHeader>
      <Loaded
        of={event}
        lines={12}
        absent={<Empty title="There is no such event">Check the id: what retention has removed is gone.</Empty>}
      >
        {(found) => (
          <EventDetail
            event={found}
            pathOf={(one) => pathOf(one, { account: one === found.object_id ? found.stripe_account : null })}
            tenant={<LinkedId id={found.tenant_id} />}
            untold={<Empty title="Nobody was told">No endpoint of the tenant took this type when it happened.</Empty>}
          />
        )}
      </Loaded>
    </>
  );
}
