// What changed, for the terminal: one line an event, below it each field before → after. Pure.
import { rowsIn } from "./fields.ts";
import { oneLine } from "./table.ts";
import type { Row } from "./table.ts";

const LONGEST_VALUE = 80;

/** An object's story, oldest first. */
export function storyText(entries: readonly Row[]): string {
  return entries
    .map((entry) => {
      const mark = entry.head === true ? "  ← its state now" : "";
      const line = `${oneLine(entry.created)}  ${oneLine(entry.type)}  ${oneLine(entry.event_id)}${mark}`;
      return [line, ...changeLines(entry)].join("\n");
    })
    .join("\n");
}

/** One line a change, indented; nothing where nothing changed. */
export function changeLines(entry: Row): string[] {
  return rowsIn(entry, "changes").map(({ field, before, after }) => changeLine(field, before, after));
}

export function changeLine(field: unknown, before: unknown, after: unknown): string {
  return `    ${oneLine(field)}: ${short(before)} → ${short(after)}`;
}

function short(value: unknown): string {
  const text = oneLine(value);
  return text.length > LONGEST_VALUE ? `${text.slice(0, LONGEST_VALUE - 1)}…` : text;
}
