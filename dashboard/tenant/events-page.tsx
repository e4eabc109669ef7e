// What happened in the tenant's billing, as its endpoints are told it.
import type { ReactNode } from "react";

import { useList } from "../frame/hooks.ts";
import { FilterBar, type FilterSpec, useFilters } from "../parts/filters.tsx";
import { IdText } from "../parts/id-text.tsx";
import { type Column, DataTable } from "../parts/list-table.tsx";
import { Empty, PageHeader } from "../parts/page-frame.tsx";
import { RelativeTime } from "../parts/relative-time.tsx";
import { objectPath } from "./object-paths.ts";
import { type Schemas, useEventTypes } from "./tenant-reads.ts";

const REFRESH_MS = 10_000;

const COLUMNS: readonly Column<Schemas["Event"]>[] = [
  { label: "Type", cell: ({ type }) => type },
  {
    label: "Object",
    cell: ({ object_id: id }) =>
      id === null ? <span className="bh-dim">–</span> : <IdText id={id} to={objectPath(id)} />,
    width: 240,
  },
  { label: "Event", cell: ({ id }) => <IdText id={id} />, width: 240 },
  { label: "Happened", cell: ({ created }) => <RelativeTime at={created} />, width: 120 },
];

export default function EventsPage(): ReactNode {
  const types = useEventTypes().data ?? [];
  const filters = useFilters([
    { name: "type", label: "Type", kind: "choice", choices: types.map(({ type }) => type) },
    { name: "object_id", label: "Object", kind: "text", placeholder: "Object, such as cinv_…" },
    { name: "since", label: "Since", kind: "since" },
    { name: "until", label: "Until", kind: "until" },
  ] as const satisfies readonly FilterSpec[]);
  const query = filters.values;
  const list = useList(
    ["events", query],
    (api, page, signal) => api.get("/api/v1/events/", { params: { query: { ...query, ...page } }, signal }),
    { every: REFRESH_MS },
  );
  return (
    <>
      <PageHeader title="Events">What happened in your billing, kept whether or not somebody was told.</PageHeader>
      <FilterBar filters={filters} />
      <DataTable
        label="Events"
        list={list}
        columns={COLUMNS}
        rowKey={({ id }) => id}
        rowLink={({ id }) => `/tenant/events/${id}`}
        minWidth={760}
        empty={
          <Empty title="No events">
            Nothing has happened that fits these filters in this mode. Clear them, or wait until something does.
          </Empty>
        }
      />
    </>
  );
}
