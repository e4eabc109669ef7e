// `billhook objects show`: one Stripe object as Billhook knows it, and how it came to be so.
import type { Command } from "commander";

import { withCommon } from "./events-command.ts";
import { asRow, rowsIn } from "./fields.ts";
import { throughDoor } from "./open-door.ts";
import { print, printJson } from "./output.ts";
import { storyText } from "./story-text.ts";
import { oneLine, pairs } from "./table.ts";
import type { Row } from "./table.ts";

interface Flags {
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
    .description(
      "Shows an object's row, and its story in true order: each event with what it changed, before → after.",
    );
  withCommon(show.argument("<id>", "any Stripe id, such as in_… or cus_…")).action(showObject);
}

async function showObject(id: string, flags: Flags): Promise<void> {
  const answer = await throughDoor(flags.url, (door) => door.call("GET", `/objects/${encodeURIComponent(id)}/`));
  if (flags.json === true) {
    printJson(answer);
    return;
  }
  print(objectText(asRow(answer)));
}

function objectText(answer: Row): string {
  const row = asRow(answer.row);
  const filled = Object.entries(row).filter(([name, value]) => name !== "data" && value !== null && value !== "");
  const story = rowsIn(answer, "story");
  return [
    pairs(filled),
    snapshotLine(answer.snapshot ?? row.data),
    `\nIts story, ${story.length} ${story.length === 1 ? "event" : "events"}:\n${storyText(story)}`,
  ].join("\n");
}

function snapshotLine(snapshot: unknown): string {
  const fields = Object.keys(asRow(snapshot));
  return `\nThe newest snapshot has ${fields.length} fields (--json prints it): ${oneLine(fields.slice(0, 8).join(", "))}${fields.length > 8 ? ", …" : ""}`;
}
