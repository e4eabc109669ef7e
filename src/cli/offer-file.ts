// A file of packs or plans, YAML or JSON: what it says, and on which line each of it stands.
import { readFile } from "node:fs/promises";

import { isCollection, isNode, LineCounter, type Node, parseDocument } from "yaml";

import { failed } from "./command-failure.ts";
import type { CommandFailure } from "./command-failure.ts";

export interface OfferFile {
  items: unknown[];
  /** Of a field of the API's, such as `items.2.amount`: where it stands, or where what lacks it begins; undefined: nowhere. */
  lineOf(param: string): number | undefined;
}

/**
 * A list, or an object with the list under its name: `credit_packs` or `plans`. Throws a CommandFailure that names the line.
 */
export async function readOfferFile(path: string, section: "credit_packs" | "plans"): Promise<OfferFile> {
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    throw badFile(path, undefined, "it cannot be read; check the path", error);
  });
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false });
  const [wrong] = [...document.errors, ...document.warnings];
  if (wrong !== undefined)
    throw badFile(path, lines.linePos(wrong.pos[0]).line, wrong.message.replace(/\.$/, ""), wrong);
  const whole: unknown = document.toJS();
  const [list, before] = Array.isArray(whole) ? [whole, []] : [sectionOf(whole, section), [section]];
  if (list === undefined) {
    throw badFile(path, undefined, `it must be a list, or have a list under \`${section}\``);
  }
  return {
    items: list,
    lineOf: (param) => {
      const [root, ...rest] = param.split(".");
      if (root !== "items") return undefined;
      const steps = [...before, ...rest].map((step) => (/^\d+$/.test(step) ? Number(step) : step));
      const node = nearest(document.contents, steps);
      return node?.range === null || node?.range === undefined ? undefined : lines.linePos(node.range[0]).line;
    },
  };
}

function sectionOf(whole: unknown, section: string): unknown[] | undefined {
  const found =
    typeof whole === "object" && whole !== null
      ? new Map<string, unknown>(Object.entries(whole)).get(section)
      : undefined;
  return Array.isArray(found) ? (found as unknown[]) : undefined;
}

/** The node at the end of the path, or the last one on the way. */
function nearest(root: Node | null, steps: readonly (string | number)[]): Node | undefined {
  let node = root ?? undefined;
  for (const step of steps) {
    const next: unknown = isCollection(node) ? node.get(step, true) : undefined;
    if (!isNode(next)) return node;
    node = next;
  }
  return node;
}

export function badFile(path: string, line: number | undefined, reason: string, cause?: unknown): CommandFailure {
  const place = line === undefined ? path : `${path}, line ${String(line)}`;
  return failed("bad_file", "Bad file", `${place}: ${reason}.`, cause);
}
