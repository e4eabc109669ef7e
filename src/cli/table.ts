// Tables and pairs for the terminal: columns aligned, nothing that a payload says can move the cursor. Pure.

/** What a cell shows for null, undefined and the empty text. */
const NOTHING = "–";
const LONGEST_CELL = 60;

/** An answer of the API, read field by field. */
export type Row = Readonly<Record<string, unknown>>;

export interface Column {
  title: string;
  cell: (row: Row) => unknown;
}

export function table(columns: readonly Column[], rows: readonly Row[]): string {
  const cells = rows.map((row) => columns.map(({ cell }) => shorten(oneLine(cell(row)))));
  const lines = [columns.map(({ title }) => title), ...cells];
  const widths = columns.map((_, index) => Math.max(...lines.map((line) => line[index]?.length ?? 0)));
  return lines
    .map((line) =>
      line
        .map((text, index) => text.padEnd(widths[index] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}

/** `name  value`, one below the other. */
export function pairs(entries: readonly (readonly [string, unknown])[], indent = ""): string {
  const width = Math.max(0, ...entries.map(([name]) => name.length));
  return entries.map(([name, value]) => `${indent}${name.padEnd(width)}  ${oneLine(value)}`.trimEnd()).join("\n");
}

/** On one line, without control characters: a name may hold escape sequences that a terminal would obey. */
export function oneLine(value: unknown): string {
  if (value === null || value === undefined || value === "") return NOTHING;
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return printable(text).replaceAll("\n", " ");
}

/** Text as it is but for control characters, which become U+FFFD; line breaks stay. */
export function printable(text: string): string {
  return text.replace(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, "\ufffd");
}

function shorten(text: string): string {
  return text.length > LONGEST_CELL ? `${text.slice(0, LONGEST_CELL - 1)}…` : text;
}
