// `billhook objects show`: one Stripe object as Billhook knows it, and how it came to be so.
import { type Command, Option } from "commander";

import { withCommon } from "./events-command.ts";
import { asRow, rowsIn } from "./fields.ts";
import { throughDoor } from "./open-door.ts";
import { print } from "./output.ts";
import { storyText } from "./story-text.ts";
import { oneLine, pairs } from "./table.ts";
import type { Row } from "./table.ts";

interface Flags {
  account?: string;
  livemode?: string;
  url?: string;
  json?: true;
}

export function addObjects(program: Command): void {
  const objects = program
    .command("objects")
    .summary("show a Stripe object")
    .description("The Stripe objects that the events were about.");
  const show = objects
    .command("show")
    .summary("show one object and its story")
    .description("Shows an object's row, and its story in true order: each event with what it changed, before → after.")
    .argument("<id>", "any Stripe id, such as in_… or cus_…")
    .option("--account <id>", "of this connected account; `platform` for your own")
    .addOption(new Option("--livemode <bool>", "the live or the test object").choices(["true", "false"]));
  withCommon(show).action(showObject);
}

async function showObject(id: string, { account, livemode, url, json }: Flags): Promise<void> {
  const path = `/objects/${encodeURIComponent(id)}/`;
  const answer = await throughDoor(url, (door) => door.call("GET", path, { query: { account, livemode } }));
  print(json === true ? answer.text : objectText(asRow(answer.json)));
}

function objectText(answer: Row): string {
  const story = rowsIn(answer.story, "data").reverse();
  const earlier = asRow(answer.story).has_more === true ? "; the billing log has the earlier ones" : "";
  const others = rowsIn(answer, "others");
  return [
    rowText(answer),
    ...(answer.snapshot === null ? [] : [snapshotText(answer.snapshot)]),
    `Its story, ${story.length} ${story.length === 1 ? "event" : "events"}${earlier}:\n${storyText(story)}`,
    ...(others.length === 0 ? [] : [othersText(others)]),
  ].join("\n\n");
}

/** What only the order of events is about, and what is said elsewhere; --json has it. */
const NOT_SHOWN = /^(id|account|stripe_account|kept|tenant_id|head_\w+)$/;

/** Why there is no row, and what to do. */
const WITHOUT_ROW: Readonly<Record<string, string>> = {
  pending: "it waits to be processed, or to be fetched from Stripe",
  failed:
    "what would have stored it failed. `billhook events list --status failed` says why, `events replay` tries again",
  unrouted: "its account is connected to no tenant. `billhook events list --status unrouted` lists what waits for that",
  unknown: "events named it, and none brought the object itself",
};

/** The columns that say something. */
function rowText({ row, row_status: status, table, object_type: type, id, account }: Row): string {
  if (row === null) return `${oneLine(type)} ${oneLine(id)}: ${WITHOUT_ROW[String(status)] ?? oneLine(status)}.`;
  const empty = (value: unknown): boolean => ["–", "[]", "{}"].includes(oneLine(value));
  const columns = Object.entries(asRow(row)).filter(([name, value]) => !NOT_SHOWN.test(name) && !empty(value));
  return pairs([["id", id], ["account", account ?? "platform"], ["table", table], ...columns]);
}

function snapshotText(snapshot: unknown): string {
  return `Its newest snapshot from Stripe has ${Object.keys(asRow(snapshot)).length} fields: --json prints it.`;
}

function othersText(others: readonly Row[]): string {
  const places = others.map(
    ({ account, livemode }) => `--account ${oneLine(account ?? "platform")} --livemode ${oneLine(livemode)}`,
  );
  return `The same id is also elsewhere:\n${places.map((place) => `    ${place}`).join("\n")}`;
}
