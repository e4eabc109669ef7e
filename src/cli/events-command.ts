// `billhook events list | show | replay`: what arrived, what became of it, and processing it again.
import { type Command, Option } from "commander";

import { systemClock } from "../base/clock.ts";
import { misused } from "./command-failure.ts";
import { asRow, numberIn, rowsIn } from "./fields.ts";
import { throughDoor } from "./open-door.ts";
import type { Answer, OperatorDoor, Sent } from "./operator-door.ts";
import { countArgument, timeArgument } from "./option-values.ts";
import { note, print } from "./output.ts";
import { changeLines } from "./story-text.ts";
import { pairs, printable, table } from "./table.ts";
import type { Column, Row } from "./table.ts";

interface Common {
  url?: string;
  json?: true;
}

interface Filters {
  type?: string;
  account?: string;
  objectId?: string;
  since?: string;
  until?: string;
}

interface ListFlags extends Common, Filters {
  status?: string;
  customer?: string;
  livemode?: string;
  text?: string;
  limit: number;
  cursor?: string;
}

interface ReplayFlags extends Common, Filters {
  status?: string;
  livemode?: "true" | "false";
  all?: true;
  dryRun?: true;
}

const STATUSES = ["pending", "processed", "failed", "ignored", "unrouted"];
const REPLAYABLE = ["failed", "ignored", "unrouted"];

export function addEvents(program: Command): void {
  const events = program
    .command("events")
    .summary("list, show and replay Stripe events")
    .description("The stored Stripe events.");
  const list = withFilters(
    events
      .command("list")
      .summary("list events, newest first")
      .description("Lists the stored Stripe events, newest first."),
    "event types, separated by commas; `invoice.*` for all that begin so",
  );
  list
    .addOption(new Option("--status <status>", "what became of it").choices(STATUSES))
    .option("--customer <id>", "of this Stripe customer")
    .addOption(livemodeOption("live or test events only"))
    .option("--text <text>", "an exact id or e-mail address")
    .option("--limit <n>", "how many", countArgument(1, 100), 20)
    .option("--cursor <cursor>", "go on where the page before ended");
  withCommon(list).action(listEvents);

  const show = events
    .command("show")
    .summary("show one event")
    .description("Shows one event: what became of it, what it changed, and its payload.");
  withCommon(show.argument("<id>", "the event's id, evt_…")).action(showEvent);

  const replay = events
    .command("replay")
    .summary("process events again")
    .description(
      "Processes one event, or all events of a range, again. State comes out the same, and nothing is published twice.",
    )
    .argument("[id]", "one event's id, evt_…; without it give filters, or --all");
  withFilters(replay, "event types, separated by commas")
    .addOption(new Option("--status <status>", "events that ended so").choices(REPLAYABLE))
    .addOption(livemodeOption("of them live or test events only; without it both"))
    .option("--all", "every stored event")
    .option("--dry-run", "only count them");
  withCommon(replay).action(replayEvents);
}

function livemodeOption(doc: string): Option {
  return new Option("--livemode <bool>", doc).choices(["true", "false"]);
}

function withFilters(command: Command, typeDoc: string): Command {
  const time = timeArgument(systemClock);
  return command
    .option("--type <types>", typeDoc)
    .option("--account <id>", "of this connected account; `platform` for your own")
    .option("--object-id <id>", "about this object")
    .option("--since <time>", "from then on: Unix seconds, ISO 8601, or an age such as 24h", time)
    .option("--until <time>", "before then", time);
}

export function withCommon(command: Command): Command {
  return command
    .option("--url <url>", "a running server (default: BILLHOOK_URL, else whoever holds the database)")
    .option("--json", "print the API's JSON");
}

async function listEvents(flags: ListFlags): Promise<void> {
  const { status, customer, livemode, text, limit, cursor } = flags;
  const query = { ...filterFields(flags), status, customer, livemode, text, limit, cursor };
  const page = await throughDoor(flags.url, (door) => firstPageWithRows(door, query));
  if (flags.json === true) {
    print(page.text);
    return;
  }
  const rows = rowsIn(page.json, "data");
  if (rows.length === 0) {
    note("No events match.");
    return;
  }
  print(table(LIST_COLUMNS, rows));
  const next = asRow(page.json).next_cursor;
  if (typeof next === "string") note(`There are more: add --cursor ${next}`);
}

/** The server looks through so many events for a page; of a rare one a page may be empty, and not the last. */
async function firstPageWithRows(door: OperatorDoor, query: NonNullable<Sent["query"]>): Promise<Answer> {
  for (let cursor = query.cursor; ;) {
    const page = await door.call("GET", "/stripe-events/", { query: { ...query, cursor } });
    const { has_more: more, next_cursor: next } = asRow(page.json);
    if (rowsIn(page.json, "data").length > 0 || more !== true || typeof next !== "string") return page;
    cursor = next;
  }
}

const LIST_COLUMNS: readonly Column[] = [
  { title: "CREATED", cell: (row) => row.created },
  { title: "EVENT", cell: eventId },
  { title: "TYPE", cell: (row) => row.type },
  { title: "STATUS", cell: (row) => row.status },
  { title: "OBJECT", cell: (row) => row.object_id },
  { title: "ACCOUNT", cell: (row) => row.account },
  { title: "ATTEMPTS", cell: (row) => row.attempts },
  { title: "LAST ERROR", cell: (row) => row.last_error },
];

function eventId(row: Row): unknown {
  return row.stripe_event_id ?? row.id;
}

async function showEvent(id: string, flags: Common): Promise<void> {
  const event = await throughDoor(flags.url, (door) => door.call("GET", `/stripe-events/${encodeURIComponent(id)}/`));
  if (flags.json === true) {
    print(event.text);
    return;
  }
  const row = asRow(event.json);
  const plain = Object.entries(row).filter(([name]) => !["payload", "changes", "event_type"].includes(name));
  print(pairs(plain));
  const changes = changeLines(row);
  print(
    changes.length === 0 ? "\nIt changed none of the tracked fields." : `\nWhat it changed:\n${changes.join("\n")}`,
  );
  print(`\nPayload:\n${payloadText(row.payload)}`);
}

/** The API gives the payload as the text that came, or as JSON. */
function payloadText(payload: unknown): string {
  if (typeof payload !== "string") return printable(JSON.stringify(payload, null, 2));
  try {
    return printable(JSON.stringify(JSON.parse(payload), null, 2));
  } catch {
    // Shown as it came.
    return printable(payload);
  }
}

async function replayEvents(id: string | undefined, flags: ReplayFlags): Promise<void> {
  const range = { ...filterFields(flags), status: flags.status };
  const filtered = Object.values(range).some((value) => value !== undefined);
  const { livemode, all, dryRun } = flags;
  if (id !== undefined && (filtered || livemode !== undefined || all === true || dryRun === true)) {
    throw misused("Give an event's id or a range, not both.");
  }
  // A mode alone is no bound.
  if (id === undefined && !filtered && all !== true) {
    throw misused("Give an event's id, filters such as --status failed, or --all.");
  }
  await throughDoor(flags.url, async (door) => {
    const answer = id === undefined ? await replayRange(door, flags, range) : await replayOne(door, id);
    if (flags.json === true) {
      print(answer.text);
      return;
    }
    const count = numberIn(answer.json, "replayed") || numberIn(answer.json, "count");
    print(
      `${count} ${count === 1 ? "event" : "events"} ${flags.dryRun === true ? "would be replayed" : "queued again"}.`,
    );
    if (door.queueWaits && flags.dryRun !== true && count > 0)
      note("No server runs on it: they are processed at the next `billhook serve`.");
  });
}

function replayOne(door: OperatorDoor, id: string): Promise<Answer> {
  return door.call("POST", `/stripe-events/${encodeURIComponent(id)}/replay/`);
}

function replayRange(
  door: OperatorDoor,
  flags: ReplayFlags,
  range: Readonly<Record<string, string | undefined>>,
): Promise<Answer> {
  const { livemode, all, dryRun } = flags;
  return door.call("POST", "/stripe-events/replay/", {
    body: {
      ...range,
      livemode: livemode === undefined ? undefined : livemode === "true",
      since: range.since ?? (all === true ? "0" : undefined),
      dry_run: dryRun === true,
    },
  });
}

function filterFields({
  type,
  account,
  objectId,
  since,
  until,
}: Filters): Readonly<Record<string, string | undefined>> {
  return { type, account, object_id: objectId, since, until };
}
