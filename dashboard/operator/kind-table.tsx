// One list of the operator's, whatever its kind: filters, columns and links come from the tables of kinds.
import type { ReactNode } from "react";

import { useList, useStanding } from "../frame/hooks.ts";
import { FilterBar, type FilterSpec, useFilters } from "../parts/filters.tsx";
import { type Column, DataTable } from "../parts/list-table.tsx";
import { Empty } from "../parts/page-frame.tsx";
import { CodeText } from "./code-text.tsx";
import { type ListName, readList } from "./operator-reads.ts";

export interface Kind<Row = ListedRow> {
  /** In the page's address and in the route's: `/api/v1/admin/<name>/`. */
  name: ListName;
  /** Of the table; the page's is the navigation's. */
  title: string;
  /** Its rows belong to a mode: those of the top bar's are shown. */
  byMode: boolean;
  filters: readonly FilterSpec[];
  columns: readonly Column<Row>[];
  /** Where a row leads; undefined: nowhere. */
  link: (row: Row) => string | undefined;
  minWidth: number;
  /** When nothing is there: what makes the first one. */
  empty: string;
}

/** Not asked for its fields: kinds are told apart by their columns, which know them. */
export interface ListedRow {
  id: string;
  livemode?: boolean;
  account?: string | null;
}

/** A kind whose columns know their rows, as one among others. */
export function kind<Row extends ListedRow>(spec: Kind<Row>): Kind {
  return spec as unknown as Kind;
}

export interface KindTableProps {
  kind: Kind;
  /** Filters that are given, not chosen. */
  given?: Readonly<Record<string, string>>;
  maxHeight?: number;
}

const NONE = {};

export function KindTable({ kind: spec, given = NONE, maxHeight }: KindTableProps): ReactNode {
  const { name, title, columns, link, minWidth, empty, byMode } = spec;
  const open = spec.filters.filter((filter) => !Object.hasOwn(given, filter.name));
  const filters = useFilters(open);
  const { mode } = useStanding();
  const query: Record<string, string | undefined> = {
    ...filters.values,
    ...given,
    ...(byMode ? { livemode: mode === "live" ? "true" : "false" } : {}),
  };
  const list = useList([name, query], (api, page, signal) =>
    readList<ListedRow>(api, name, { ...query, ...page }, signal),
  );
  const isFiltered = Object.keys(filters.values).length > 0;
  return (
    <>
      <FilterBar filters={filters} />
      <DataTable
        label={title}
        list={list}
        columns={columns}
        rowKey={({ id, livemode = false, account = "" }) => `${id} ${String(livemode)} ${account ?? ""}`}
        rowLink={link}
        minWidth={minWidth}
        {...(maxHeight === undefined ? {} : { maxHeight })}
        empty={
          isFiltered ? (
            <Empty title="Nothing fits these filters">Clear them, or look in the other mode.</Empty>
          ) : (
            <Empty title={`No ${title.toLowerCase()}${byMode ? ` in ${mode} mode` : ""}`}>
              <CodeText text={empty} />
            </Empty>
          )
        }
      />
    </>
  );
}
