// A list of any length as a table: pages are fetched as they are scrolled to, and only the rows in sight are in the document.
import { Button, Loader, Skeleton } from "@mantine/core";
import type { InfiniteData, UseInfiniteQueryResult } from "@tanstack/react-query";
import { useVirtualizer } from "@tanstack/react-virtual";
import {
  type KeyboardEvent,
  memo,
  type MouseEvent,
  type ReactNode,
  useCallback,
  useEffect,
  useMemo,
  useRef,
} from "react";

import { ErrorNote } from "./error-note.tsx";
import { isPlain, PageLink, useGo } from "./page-link.tsx";

const ROW_HEIGHT = 41;
/** Rows kept beyond both ends of what is seen. */
const BEYOND = 8;
/** The next page is asked for when so few rows are left below. */
const AHEAD = 25;
const SKELETON_ROWS = 8;

export interface Column<Row> {
  /** Of the column's head; also for screen readers. */
  label: string;
  cell: (row: Row) => ReactNode;
  /** Any CSS width; left out: its share of what is left. */
  width?: string | number;
  align?: "right";
}

interface ListPage<Row> {
  data: Row[];
}

export interface DataTableProps<Row> {
  /** What the table lists: its name for screen readers. */
  label: string;
  /** Of `useList`. */
  list: UseInfiniteQueryResult<InfiniteData<ListPage<Row>>>;
  /** The first one carries the row's link. */
  columns: readonly Column<Row>[];
  rowKey: (row: Row) => string;
  /** Where a row leads; the whole row can be clicked. */
  rowLink?: (row: Row) => string | undefined;
  /** An `<Empty title=…>` that says what to do. */
  empty: ReactNode;
  /** As high as its rows, at most this; left out: as high as the window leaves room. */
  maxHeight?: number | string;
  /** Narrower windows scroll the table sideways inside itself. */
  minWidth?: number;
}

export function DataTable<Row>(props: DataTableProps<Row>): ReactNode {
  const { list, empty } = props;
  const rows = useMemo(() => list.data?.pages.flatMap(({ data }) => data) ?? [], [list.data]);
  if (list.data === undefined && list.error !== null) {
    return <ErrorNote error={list.error} retry={() => void list.refetch()} />;
  }
  if (list.data !== undefined && rows.length === 0 && !list.hasNextPage) return empty;
  return <Rows {...props} rows={rows} />;
}

function Rows<Row>(props: DataTableProps<Row> & { rows: Row[] }): ReactNode {
  const {
    label,
    list,
    columns,
    rowKey,
    rowLink,
    rows,
    maxHeight = "max(20rem, calc(100dvh - 15rem))",
    minWidth = 640,
  } = props;
  const box = useRef<HTMLDivElement>(null);
  // The same one at each step of scrolling: with another one all rows' places would be reckoned anew.
  const keyAt = useCallback((index: number) => rowKey(rows[index] as Row), [rows, rowKey]);
  const virtual = useVirtualizer({
    count: rows.length,
    getScrollElement: () => box.current,
    estimateSize: () => ROW_HEIGHT,
    overscan: BEYOND,
    getItemKey: keyAt,
    // The sticky head covers the box's upper edge.
    scrollPaddingStart: ROW_HEIGHT,
  });
  const seen = virtual.getVirtualItems();
  const last = seen.at(-1)?.index ?? 0;
  const { hasNextPage, isFetchingNextPage, isFetchNextPageError, fetchNextPage } = list;
  useEffect(() => {
    if (hasNextPage && !isFetchingNextPage && !isFetchNextPageError && last >= rows.length - AHEAD)
      void fetchNextPage();
  }, [last, rows.length, hasNextPage, isFetchingNextPage, isFetchNextPageError, fetchNextPage]);
  const before = seen[0]?.start ?? 0;
  const after = virtual.getTotalSize() - (seen.at(-1)?.end ?? 0);
  return (
    <div className="bh-list">
      <div ref={box} className="bh-table-box" style={{ maxHeight }} tabIndex={0} role="region" aria-label={label}>
        <table
          className="bh-table"
          style={{ minWidth }}
          aria-label={label}
          aria-rowcount={hasNextPage ? -1 : rows.length + 1}
          aria-busy={list.isFetching}
          onKeyDown={moveBetweenRows}
        >
          <Head columns={columns} />
          <tbody>
            {list.data === undefined && <SkeletonRows columns={columns.length} />}
            {before > 0 && <Gap height={before} columns={columns.length} />}
            {seen.map(({ index, key }) => (
              <OneRow
                key={key}
                columns={columns}
                row={rows[index] as Row}
                index={index}
                {...(rowLink === undefined ? {} : { rowLink })}
              />
            ))}
            {after > 0 && <Gap height={after} columns={columns.length} />}
          </tbody>
        </table>
      </div>
      <Foot list={list} count={rows.length} />
    </div>
  );
}

function Head<Row>({ columns }: { columns: readonly Column<Row>[] }): ReactNode {
  return (
    <thead>
      <tr>
        {columns.map(({ label, width, align }) => (
          <th key={label} scope="col" style={{ width }} data-align={align}>
            {label}
          </th>
        ))}
      </tr>
    </thead>
  );
}

interface RowProps<Row> extends Pick<DataTableProps<Row>, "columns" | "rowLink"> {
  row: Row;
  index: number;
}

function RowOf<Row>({ columns, row, rowLink, index }: RowProps<Row>): ReactNode {
  const go = useGo();
  const to = rowLink?.(row);
  const clicked = (event: MouseEvent): void => {
    // What is in the row, and text that is being selected, come first.
    const inside = event.target instanceof Element && event.target.closest("a, button, input, label") !== null;
    if (to === undefined || inside || !isPlain(event) || getSelection()?.isCollapsed === false) return;
    go(to);
  };
  return (
    <tr aria-rowindex={index + 2} data-link={to !== undefined || undefined} onClick={clicked}>
      {columns.map(({ label, cell, align }, column) => (
        <td key={label} data-align={align}>
          {column === 0 && to !== undefined ? (
            <PageLink to={to} className="bh-row-link">
              {cell(row)}
            </PageLink>
          ) : (
            cell(row)
          )}
        </td>
      ))}
    </tr>
  );
}

/** Drawn once: a step of scrolling draws the rows that come into sight, not all of them anew. */
const OneRow = memo(RowOf) as typeof RowOf;

/** Stands for the rows that are not in the document. */
function Gap({ height, columns }: { height: number; columns: number }): ReactNode {
  return (
    <tr aria-hidden className="bh-gap">
      <td colSpan={columns} style={{ height }} />
    </tr>
  );
}

function SkeletonRows({ columns }: { columns: number }): ReactNode {
  return Array.from({ length: SKELETON_ROWS }, (_, row) => (
    <tr key={row} aria-hidden>
      {Array.from({ length: columns }, (_unused, column) => (
        <td key={column}>
          <Skeleton height={12} width={`${80 - (((row + column) * 23) % 45)}%`} />
        </td>
      ))}
    </tr>
  ));
}

function Foot<Row>({ list, count }: { list: DataTableProps<Row>["list"]; count: number }): ReactNode {
  // No paragraph: the one below the rows comes anew, and does not leap there from below the skeleton.
  if (list.data === undefined) return <div className="bh-foot">Loading…</div>;
  if (list.isFetchNextPageError) return <ErrorNote error={list.error} retry={() => void list.fetchNextPage()} />;
  return (
    <p className="bh-foot">
      <span className="bh-figure">{count.toLocaleString("en")}</span> {list.hasNextPage ? "shown so far" : "in all"}
      {list.hasNextPage && (
        <Button
          size="compact-xs"
          variant="subtle"
          disabled={list.isFetchingNextPage}
          onClick={() => void list.fetchNextPage()}
        >
          {list.isFetchingNextPage ? <Loader size={12} aria-label="Loading" /> : "Load more"}
        </Button>
      )}
    </p>
  );
}

/** Arrow keys lead from row to row, once one is focused. */
function moveBetweenRows(event: KeyboardEvent<HTMLTableElement>): void {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step === undefined || !(event.target instanceof Element) || !event.target.matches(".bh-row-link")) return;
  const links = [...event.currentTarget.querySelectorAll<HTMLElement>(".bh-row-link")];
  const next = links[links.indexOf(event.target as HTMLElement) + step];
  if (next === undefined) return;
  event.preventDefault();
  next.focus();
}
