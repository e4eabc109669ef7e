// One delivery of the tenant's, and trying it again.
import { Button } from "@mantine/core";
import type { ReactNode } from "react";

import { useAct, useRead } from "../frame/hooks.ts";
import { DeliveryDetail } from "../parts/delivery-detail.tsx";
import { ErrorNote } from "../parts/error-note.tsx";
import { IdText } from "../parts/id-text.tsx";
import { Loaded } from "../parts/loaded.tsx";
import { PageHeader } from "../parts/page-frame.tsx";
import { usePathPart } from "../parts/page-link.tsx";
import { StatusDot } from "../parts/status-dot.tsx";
import { objectPath } from "./object-paths.ts";
import { useIsAdmin } from "./tenant-reads.ts";

import "./tenant.css";

/** The next attempt is seen without a reload. */
const REFRESH_MS = 3000;

export default function DeliveryPage(): ReactNode {
  const id = usePathPart("id");
  const isAdmin = useIsAdmin();
  const delivery = useRead(
    ["delivery", id],
    (api, signal) => api.get("/api/v1/deliveries/{id}/", { params: { path: { id } }, signal }),
    { every: REFRESH_MS },
  );
  const retry = useAct((api) => api.post("/api/v1/deliveries/{id}/retry/", { params: { path: { id } } }), {
    done: "It is tried again now.",
  });
  return (
    <>
      <PageHeader
        title={<IdText id={id} whole />}
        crumbs={[{ label: "Deliveries", to: "/tenant/deliveries" }]}
        beside={delivery.data !== undefined && <StatusDot status={delivery.data.status} />}
        actions={
          isAdmin &&
          delivery.data !== undefined && (
            <Button loading={retry.isPending} onClick={() => retry.mutate(undefined)}>
              {delivery.data.status === "pending" ? "Try now" : "Send again"}
            </Button>
          )
        }
      >
        {delivery.data?.event_type ?? "\u00a0"}
      </PageHeader>
      <ErrorNote error={retry.error} />
      <Loaded of={delivery} lines={10}>
        {(found) => <DeliveryDetail delivery={found} pathOf={objectPath} />}
      </Loaded>
    </>
  );
}
