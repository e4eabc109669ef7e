// A table of rows that are all there at once: for the short answers that come whole.
import type { ReactNode } from "react";

import type { Column } from "../parts/list-table.tsx";

export interface PlainTableProps<Row> {
  label: string;
  rows: readonly Row[];
  columns: readonly Column<Row>[];
  rowKey: (row: Row) => string;
  empty: ReactNode;
}

const MIN_WIDTH = 880;

export function PlainTable<Row>({ label, rows, columns, rowKey, empty }: PlainTableProps<Row>): ReactNode {
  if (rows.length === 0) return empty;
  return (
    <div className="bh-table-box" tabIndex={0} role="region" aria-label={label}>
      <table className="bh-table" style={{ minWidth: MIN_WIDTH }} aria-label={label}>
        <thead>
          <tr>
            {columns.map(({ label: name, width, align }) => (
              <th key={name} scope="col" style={{ width }} data-align={align}>
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={rowKey(row)}>
              {columns.map(({ label: name, cell, align }) => (
                <td key={name} data-align={align}>
                  {cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
