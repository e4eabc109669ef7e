// `billhook drift [--repair]`: local rows held against Stripe's objects, with what differs as a table.
import type { Command } from "commander";

import { followLines, targetIn, withTarget } from "./catch-up-command.ts";
import { EXIT } from "./command-failure.ts";
import { withCommon } from "./events-command.ts";
import { asRow, numberIn, rowsIn } from "./fields.ts";
import { namesIn } from "./import-command.ts";
import { throughDoor } from "./open-door.ts";
import { countArgument } from "./option-values.ts";
import { note, print } from "./output.ts";
import { changeLine } from "./story-text.ts";
import { type Column, oneLine, type Row, table } from "./table.ts";

interface Flags {
  repair?: true;
  types?: string[];
  sample?: number;
  account?: string;
  livemode?: string;
  url?: string;
  json?: true;
}

const MOST_PAGES = 1000;

export function addDrift(program: Command): void {
  const command = program
    .command("drift")
    .summary("compare local rows with Stripe's objects")
    .description(
      "Reads Stripe's objects and compares them with the local rows, field by field. Exit code 1 when something differs and is\n" +
        "not repaired. A server looks at a sample by itself every DRIFT_EVERY_SECONDS.",
    )
    .option("--repair", "take what differs anew from Stripe")
    .option("--types <types>", "Stripe's names of kinds, separated by commas, such as customer,invoice", namesIn)
    .option(
      "--sample <pages>",
      "only so many pages of 100 objects of each kind, by chance",
      countArgument(1, MOST_PAGES),
    );
  withCommon(withTarget(command)).action(runDrift);
}

async function runDrift({ repair, types, sample, url, json, ...target }: Flags): Promise<void> {
  const compared: Row[] = [];
  await throughDoor(url, async (door) => {
    const body = {
      ...targetIn(target),
      repair: repair === true,
      ...(types === undefined ? {} : { types }),
      ...(sample === undefined ? {} : { sample_pages: sample }),
    };
    const done = await followLines(door, "/drift/", body, {
      what: "The comparison",
      json: json === true,
      onLine: (line, above) => {
        if (line.difference !== undefined) above(differenceText(asRow(line.difference)));
        if (line.compared !== undefined) compared.push(asRow(line.compared));
      },
    });
    const [checked, differing, repaired] = [
      numberIn(done, "checked"),
      numberIn(done, "differing"),
      numberIn(done, "repaired"),
    ];
    if (json !== true) {
      const rows = compared.filter((one) => numberIn(one, "checked") > 0 || one.error !== null);
      if (rows.length > 0) print(table(COLUMNS, rows));
      print(
        `${checked} objects compared: ${differing === 0 ? "no differences" : `${differing} differ, ${repaired} repaired`}.`,
      );
      if (door.queueWaits && repaired > 0) note("They are processed when the server starts: `billhook serve`.");
    }
    if (differing > repaired || numberIn(done, "failed") > 0) process.exitCode = EXIT.failed;
  });
}

const COLUMNS: readonly Column[] = [
  { title: "ACCOUNT", cell: (one) => one.account ?? "platform" },
  { title: "MODE", cell: (one) => (one.livemode === true ? "live" : "test") },
  { title: "TENANT", cell: (one) => one.tenant_id },
  { title: "KIND", cell: (one) => one.kind },
  { title: "CHECKED", cell: (one) => one.checked },
  { title: "DIFFERING", cell: (one) => one.differing },
  { title: "REPAIRED", cell: (one) => one.repaired },
  { title: "ERROR", cell: (one) => one.error },
];

function differenceText(difference: Row): string {
  const columns = rowsIn(difference, "columns").map(({ column, local, stripe }) => changeLine(column, local, stripe));
  return [`${oneLine(difference.kind)} ${oneLine(difference.object_id)}`, ...columns].join("\n");
}
