// Stripe events from files: one event, an array or list of events, or one event a line (NDJSON). All are read before one is sent.
import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";

import { readEnvelope } from "../stripe/envelope.ts";
import { failed } from "./command-failure.ts";
import type { CommandFailure } from "./command-failure.ts";

export interface EventToSend {
  id: string;
  type: string;
  /** "" for the platform's own. */
  account: string;
  /** As the file has it, byte for byte behind a byte order mark, where the file is the event. */
  body: string;
  /** Which file it came from. */
  file: string;
}

const EVENT_FILE = /\.(json|jsonl|ndjson)$/i;

/** In the order of the arguments; a folder's files by name, its subfolders too. Throws a CommandFailure that names the file and the reason. */
export async function readEventFiles(paths: readonly string[]): Promise<EventToSend[]> {
  const events: EventToSend[] = [];
  for (const path of paths) {
    for (const file of await filesOf(path)) {
      for (const event of eventsOf(file, await textOf(file))) events.push(event);
    }
  }
  return events;
}

async function filesOf(path: string): Promise<string[]> {
  if (!(await isFolder(path))) return [path];
  const names = await readdir(path, { recursive: true });
  const files: string[] = [];
  for (const name of names.filter((one) => EVENT_FILE.test(one)).sort()) {
    const file = join(path, name);
    if (!(await isFolder(file))) files.push(file);
  }
  if (files.length === 0) throw badFile(path, "the folder has no .json, .jsonl or .ndjson file");
  return files;
}

/** Through links. */
async function isFolder(path: string): Promise<boolean> {
  const found = await stat(path).catch((error: unknown) => {
    throw badFile(path, "it cannot be read; check the path", error);
  });
  return found.isDirectory();
}

/** Without the byte order mark that some editors write. */
async function textOf(file: string): Promise<string> {
  const text = await readFile(file, "utf8").catch((error: unknown) => {
    throw badFile(file, "it cannot be read; check the path", error);
  });
  return text.startsWith("\ufeff") ? text.slice(1) : text;
}

function eventsOf(file: string, text: string): EventToSend[] {
  if (text.trim() === "") throw badFile(file, "it is empty");
  const whole = parsed(text);
  if (whole === undefined) {
    const lines = text.split("\n").map((line, index) => ({ line: line.trim(), number: index + 1 }));
    return lines
      .filter(({ line }) => line !== "")
      .map(({ line, number }) => checkedEvent(file, line, lines.length > 1 ? `line ${number}: ` : ""));
  }
  const list = listOf(whole.value);
  if (list === undefined) return [checkedEvent(file, text, "")];
  if (list.length === 0) throw badFile(file, "it holds no event");
  return list.map((event, index) => checkedEvent(file, JSON.stringify(event), `event ${index + 1}: `));
}

/** An array, or what Stripe's API answers to a list request. */
function listOf(value: unknown): unknown[] | undefined {
  if (Array.isArray(value)) return value as unknown[];
  if (typeof value !== "object" || value === null || !("object" in value) || value.object !== "list") return undefined;
  return "data" in value && Array.isArray(value.data) ? value.data : undefined;
}

function checkedEvent(file: string, body: string, where: string): EventToSend {
  const reading = readEnvelope(body);
  if (!reading.ok) throw badFile(file, `${where}${reading.detail}`);
  const { id, type, account } = reading.envelope;
  return { id, type, account, body, file };
}

function parsed(text: string): { value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) };
  } catch {
    // Not one JSON value: perhaps one a line, which says better what is wrong.
    return undefined;
  }
}

function badFile(file: string, reason: string, cause?: unknown): CommandFailure {
  return failed("bad_file", "Bad file", `${file}: ${reason}. Nothing was sent.`, cause);
}
