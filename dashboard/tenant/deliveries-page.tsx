// Every delivery to the tenant's endpoints, newest first.
import type { ReactNode } from "react";

import { nameOf } from "../parts/endpoint-cells.tsx";
import { FilterBar, type FilterSpec, useFilters } from "../parts/filters.tsx";
import { PageHeader } from "../parts/page-frame.tsx";
import { DeliveryTable } from "./delivery-table.tsx";
import { useEndpoints } from "./tenant-reads.ts";

const STATUSES = ["pending", "delivered", "failed", "canceled"] as const;

export default function DeliveriesPage(): ReactNode {
  const endpoints = useEndpoints().data ?? [];
  const filters = useFilters([
    { name: "status", label: "Status", kind: "choice", choices: STATUSES },
    {
      ...{ name: "endpoint_id", label: "Endpoint", kind: "choice" },
      choices: endpoints.map((endpoint) => ({ value: endpoint.id, label: nameOf(endpoint) })),
    },
    { name: "since", label: "Since", kind: "since" },
    { name: "until", label: "Until", kind: "until" },
  ] as const satisfies readonly FilterSpec[]);
  const { status, ...others } = filters.values;
  const known = STATUSES.find((one) => one === status);
  return (
    <>
      <PageHeader title="Deliveries">What your endpoints were told, and what they answered.</PageHeader>
      <FilterBar filters={filters} />
      <DeliveryTable query={{ ...others, ...(known === undefined ? {} : { status: known }) }} />
    </>
  );
}
