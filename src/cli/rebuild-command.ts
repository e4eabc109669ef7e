// `billhook rebuild [--check]`: every projection computed anew from the stored events, with a progress bar.
import type { Command } from "commander";

import { systemClock } from "../base/clock.ts";
import { EXIT, failed } from "./command-failure.ts";
import type { CommandFailure } from "./command-failure.ts";
import { withCommon } from "./events-command.ts";
import { asRow, numberIn, rowsIn } from "./fields.ts";
import { throughDoor } from "./open-door.ts";
import { print, printJsonLine } from "./output.ts";
import { progressDisplay } from "./progress-display.ts";
import { untilBroken } from "./server-trouble.ts";
import { changeLine } from "./story-text.ts";
import { oneLine } from "./table.ts";
import type { Row } from "./table.ts";

interface Flags {
  check?: true;
  url?: string;
  json?: true;
}

export function addRebuild(program: Command): void {
  const rebuild = program
    .command("rebuild")
    .summary("compute every projection anew from the stored events")
    .description(
      "Computes every row anew from the stored events, object by object, prints where the live row differs, and mends it.\n" +
        "Nothing is published, granted or mailed again. It may run beside a server that works, and again after a stop.",
    )
    .option("--check", "only compare; exit code 1 when something differs");
  withCommon(rebuild).action(runRebuild);
}

async function runRebuild(flags: Flags): Promise<void> {
  const check = flags.check === true;
  const display = progressDisplay(systemClock, flags.json === true ? "none" : "bar");
  let done: Row | undefined;
  let broken: unknown;
  await throughDoor(flags.url, async (door) => {
    const lines = door.stream("POST", "/rebuild/", { body: { check } });
    for await (const line of untilBroken(lines, (error) => (broken = error))) {
      const { progress, difference, done: end, error } = asRow(line);
      if (flags.json === true) printJsonLine(line);
      if (progress !== undefined) display.show(asRow(progress));
      if (difference !== undefined && flags.json !== true) display.above(differenceText(asRow(difference)));
      if (end !== undefined) done = asRow(end);
      if (error !== undefined) throw stopped(asRow(error));
    }
  }).finally(() => display.end());
  if (done === undefined) {
    throw failed(
      "rebuild_interrupted",
      "Rebuild interrupted",
      "The rebuild ended half way: run it again, it goes over everything.",
      broken,
    );
  }
  if (flags.json !== true) print(summary(done, check));
  if (check && numberIn(done, "differing") > 0) process.exitCode = EXIT.failed;
}

/** The API's own words, from the last line of its answer. */
function stopped(error: Row): CommandFailure {
  return failed(oneLine(error.code), oneLine(error.error), `The rebuild stopped half way. ${oneLine(error.message)}`);
}

function differenceText(difference: Row): string {
  const columns = rowsIn(difference, "columns").map(({ column, live, rebuilt }) => changeLine(column, live, rebuilt));
  return [`${oneLine(difference.table)} ${oneLine(difference.object_id)}`, ...columns].join("\n");
}

function summary(done: Row, check: boolean): string {
  const [objects, differing, pending] = [
    numberIn(done, "done"),
    numberIn(done, "differing"),
    numberIn(done, "pending"),
  ];
  const found = differing === 0 ? "no differences" : `${differing} ${check ? "differ" : "differed and were mended"}`;
  const left = pending === 0 ? "" : `, ${pending} left alone because events of theirs are waiting`;
  return `${objects} objects ${check ? "compared" : "rebuilt"}: ${found}${left}.`;
}
