// One webhook endpoint of any tenant's: whether it is told anything, and how. Only its tenant changes it.
import type { ReactNode } from "react";

import { useRead } from "../frame/hooks.ts";
import { EndpointState, nameOf } from "../parts/endpoint-cells.tsx";
import { EndpointSettings, EndpointTrouble } from "../parts/endpoint-detail.tsx";
import { usePathPart } from "../parts/page-link.tsx";
import { LinkedId } from "./cells.tsx";
import { OnePage, TENANTS } from "./one-page.tsx";

const REFRESH_MS = 10_000;

export default function EndpointPage(): ReactNode {
  const id = usePathPart("id");
  const endpoint = useRead(
    ["operator-endpoint", id],
    (api, signal) => api.get("/api/v1/admin/webhook-endpoints/{id}/", { params: { path: { id } }, signal }),
    { every: REFRESH_MS },
  );
  return (
    <OnePage
      id={id}
      of={endpoint}
      list={TENANTS}
      title={(found) => <span className="bh-breaks">{nameOf(found)}</span>}
      status={(found) => <EndpointState of={found} />}
      lead={({ description }) => description ?? "\u00a0"}
      absent={{ title: "There is no such endpoint", help: "Check the id: its tenant may have deleted it." }}
    >
      {(found) => (
        <>
          <EndpointTrouble endpoint={found} />
          <EndpointSettings endpoint={found} tenant={<LinkedId id={found.tenant_id} />} />
        </>
      )}
    </OnePage>
  );
}
