// Deliveries as a table, for the whole tenant or one endpoint.
import type { ReactNode } from "react";

import { useList } from "../frame/hooks.ts";
import { Figure } from "../parts/figures.tsx";
import { IdText } from "../parts/id-text.tsx";
import { type Column, DataTable } from "../parts/list-table.tsx";
import { Empty } from "../parts/page-frame.tsx";
import { RelativeTime } from "../parts/relative-time.tsx";
import { StatusDot } from "../parts/status-dot.tsx";
import type { Schemas } from "./tenant-reads.ts";

type Delivery = Schemas["Delivery"];

const REFRESH_MS = 5000;

const COLUMNS: readonly Column<Delivery>[] = [
  { label: "Event", cell: ({ event_type: type, event_id: event }) => type ?? event },
  { label: "Status", cell: ({ status }) => <StatusDot status={status} />, width: 120 },
  { label: "Answer", cell: answerOf, width: 210 },
  { label: "Attempts", cell: ({ attempts }) => <Figure value={attempts} />, width: 90, align: "right" },
  { label: "Endpoint", cell: ({ endpoint_id: id }) => <IdText id={id} to={`/dashboard/webhooks/${id}`} />, width: 220 },
  { label: "Begun", cell: ({ created_at: at }) => <RelativeTime at={at} />, width: 125 },
];

function answerOf({ last_status_code: code, last_error: error }: Delivery): ReactNode {
  if (code === null && error === null) return <span className="bh-dim">–</span>;
  return <span title={error ?? undefined}>{error ?? code}</span>;
}

export type DeliveryQuery = Partial<{
  endpoint_id: string;
  status: Delivery["status"];
  since: string;
  until: string;
}>;

export function DeliveryTable({ query }: { query: DeliveryQuery }): ReactNode {
  const list = useList(
    ["deliveries", query],
    (api, page, signal) => api.get("/api/v1/deliveries/", { params: { query: { ...query, ...page } }, signal }),
    { every: REFRESH_MS },
  );
  return (
    <DataTable
      label="Deliveries"
      list={list}
      columns={COLUMNS}
      rowKey={({ id }) => id}
      rowLink={({ id }) => `/tenant/deliveries/${id}`}
      minWidth={940}
      empty={
        <Empty title="No deliveries">
          None fits in this mode. They begin when something happens that an enabled endpoint takes.
        </Empty>
      }
    />
  );
}
