// `billhook import`: every object that Stripe has, with a progress bar.
import { type Command, InvalidArgumentError } from "commander";

import { systemClock } from "../base/clock.ts";
import { followLines, targetIn, withTarget } from "./catch-up-command.ts";
import { EXIT } from "./command-failure.ts";
import { withCommon } from "./events-command.ts";
import { asRow, numberIn } from "./fields.ts";
import { throughDoor } from "./open-door.ts";
import { timeArgument } from "./option-values.ts";
import { note, print } from "./output.ts";
import { oneLine, type Row } from "./table.ts";

interface Flags {
  types?: string[];
  since?: string;
  account?: string;
  livemode?: string;
  url?: string;
  json?: true;
}

export function addImport(program: Command): void {
  const command = program
    .command("import")
    .summary("fetch every object that Stripe has")
    .description(
      "Reads every object of the platform's Stripe account and of each connected one from Stripe's lists. Nothing of it is\n" +
        "published or mailed. What was imported in the last 29 days is not read again: events tell what has changed. A run that\n" +
        "was stopped goes on where it was.",
    )
    .option("--types <types>", "Stripe's names of kinds, separated by commas, such as customer,invoice", namesIn)
    .option("--since <time>", "only objects made since then: an ISO time, Unix seconds or an age", timeOf);
  withCommon(withTarget(command)).action(runImport);
}

const timeOf = timeArgument(systemClock);

/** Names of kinds, separated by commas. */
export function namesIn(text: string): string[] {
  const names = text.split(",").map((name) => name.trim());
  if (names.some((name) => name === "")) throw new InvalidArgumentError("give names separated by commas.");
  return names;
}

async function runImport({ types, since, url, json, ...target }: Flags): Promise<void> {
  await throughDoor(url, async (door) => {
    const body = {
      ...targetIn(target),
      ...(types === undefined ? {} : { types }),
      ...(since === undefined ? {} : { since: Number(since) }),
    };
    const done = await followLines(door, "/import/", body, {
      what: "The import",
      json: json === true,
      onLine: ({ imported }, above) => {
        if (imported !== undefined) tellKind(asRow(imported), above);
      },
    });
    if (json !== true) {
      print(
        `${numberIn(done, "objects")} objects of ${numberIn(done, "kinds")} kinds in ${numberIn(done, "pages")} pages.`,
      );
      if (numberIn(done, "followed") > 0)
        print(`${numberIn(done, "followed")} kinds were imported lately: events have told what changed.`);
      if (door.queueWaits) note("They are processed when the server starts: `billhook serve`.");
    }
    if (numberIn(done, "failed") > 0) process.exitCode = EXIT.failed;
  });
}

function tellKind(one: Row, above: (text: string) => void): void {
  const objects = numberIn(one, "objects");
  if (one.error === null && objects === 0) return;
  const name = `${oneLine(one.account ?? "platform")} (${one.livemode === true ? "live" : "test"}): ${oneLine(one.kind)}`;
  above(one.error === null ? `${name}: ${objects}` : `${name}: failed: ${oneLine(one.error)} Run it again to go on.`);
}
