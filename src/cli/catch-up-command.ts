// `billhook catch-up`: what happened at Stripe and no webhook brought, with a progress bar.
import { type Command, Option } from "commander";

import { systemClock } from "../base/clock.ts";
import { EXIT, failed } from "./command-failure.ts";
import { withCommon } from "./events-command.ts";
import { asRow, numberIn } from "./fields.ts";
import { type OperatorDoor } from "./operator-door.ts";
import { throughDoor } from "./open-door.ts";
import { timeArgument } from "./option-values.ts";
import { note, print, printJsonLine } from "./output.ts";
import { progressDisplay } from "./progress-display.ts";
import { untilBroken } from "./server-trouble.ts";
import { oneLine, type Row } from "./table.ts";

interface Flags {
  since?: string;
  account?: string;
  livemode?: string;
  url?: string;
  json?: true;
}

const EVENTS_KEPT_DAYS = 30;

export function addCatchUp(program: Command): void {
  const catchUp = program
    .command("catch-up")
    .summary("fetch the events that no webhook brought")
    .description(
      "Reads Stripe's list of events for the platform and each connected account, from where the last catch-up ended, and takes\n" +
        "in what is new as if it had been delivered. A server does this by itself at its start and every CATCH_UP_EVERY_SECONDS.\n" +
        "Stripe lists events for 30 days: after a longer downtime run `billhook import`.",
    )
    .option("--since <time>", "also what happened since then: an ISO time, Unix seconds or an age such as 7d", timeOf);
  withCommon(withTarget(catchUp)).action(runCatchUp);
}

const timeOf = timeArgument(systemClock);

/** Which Stripe accounts. */
export function withTarget(command: Command): Command {
  return command
    .option("--account <id>", "only this connected account; `platform` for the platform's own")
    .addOption(new Option("--livemode <flag>", "only live mode, or only test mode").choices(["true", "false"]));
}

/** The options of `withTarget` as the routes take them. */
export function targetIn({ account, livemode }: { account?: string; livemode?: string }): Row {
  return {
    ...(account === undefined ? {} : { account }),
    ...(livemode === undefined ? {} : { livemode: livemode === "true" }),
  };
}

export interface LinesShown {
  what: string;
  json: boolean;
  /** A line that is neither progress nor an end. */
  onLine: (line: Row, above: (text: string) => void) => void;
}

/** Follows an operation's lines to their end, and returns its `done`. */
export async function followLines(
  door: OperatorDoor,
  path: string,
  body: Row,
  { what, json, onLine }: LinesShown,
): Promise<Row> {
  const display = progressDisplay(systemClock, json ? "none" : "bar");
  let done: Row | undefined;
  let broken: unknown;
  try {
    for await (const line of untilBroken(door.stream("POST", path, { body }), (error) => (broken = error))) {
      const row = asRow(line);
      if (json) printJsonLine(line);
      if (row.progress !== undefined) display.show(asRow(row.progress));
      else if (row.done !== undefined) done = asRow(row.done);
      else if (row.error !== undefined) {
        const { code, error: title, message } = asRow(row.error);
        throw failed(oneLine(code), oneLine(title), `${what} stopped half way. ${oneLine(message)}`);
      } else if (!json) onLine(row, (text) => display.above(text));
    }
  } finally {
    display.end();
  }
  if (done !== undefined) return done;
  throw failed(
    "operation_interrupted",
    "Interrupted",
    `${what} ended half way: run it again, it goes on where it stopped.`,
    broken,
  );
}

async function runCatchUp({ since, url, json, ...target }: Flags): Promise<void> {
  await throughDoor(url, async (door) => {
    const body = { ...targetIn(target), ...(since === undefined ? {} : { since: Number(since) }) };
    const done = await followLines(door, "/catch-up/", body, {
      what: "The catch-up",
      json: json === true,
      onLine: ({ account }, above) => {
        if (account !== undefined) tellAccount(asRow(account), above);
      },
    });
    if (json !== true) {
      print(
        `${numberIn(done, "accounts")} accounts: ${numberIn(done, "events")} events read, ${numberIn(done, "new_events")} were new.`,
      );
      if (numberIn(done, "skipped") > 0)
        note(
          `${numberIn(done, "skipped")} events could not be read, or were the other mode's: the log names the reason.`,
        );
      if (door.queueWaits && numberIn(done, "new_events") > 0)
        note("They are processed when the server starts: `billhook serve`.");
      if (since !== undefined && Number(since) < systemClock.now() / 1000 - EVENTS_KEPT_DAYS * 86_400)
        note("Stripe lists events for 30 days: for what is older run `billhook import`.");
    }
    if (numberIn(done, "failed") > 0) process.exitCode = EXIT.failed;
  });
}

function tellAccount(account: Row, above: (text: string) => void): void {
  const name = `${oneLine(account.account ?? "platform")} (${account.livemode === true ? "live" : "test"})`;
  if (account.error !== null) above(`${name}: failed, and is tried again later: ${oneLine(account.error)}`);
  if (account.missed_since !== null)
    above(
      `${name}: nothing is known from ${oneLine(account.missed_since)} until ${oneLine(account.missed_until)}, and Stripe lists those events no longer: run \`billhook import\``,
    );
}
