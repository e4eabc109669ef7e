// `billhook ledger verify`: the proof that every balance is what its lots and its entries say.
import type { Command } from "commander";

import { EXIT, failed } from "./command-failure.ts";
import { withCommon } from "./events-command.ts";
import { asRow, numberIn } from "./fields.ts";
import { throughDoor } from "./open-door.ts";
import { print, printJsonLine } from "./output.ts";
import { untilBroken } from "./server-trouble.ts";
import { oneLine } from "./table.ts";
import type { Row } from "./table.ts";

interface Flags {
  url?: string;
  json?: true;
  after?: string;
}

export function addLedger(program: Command): void {
  const ledger = program
    .command("ledger")
    .summary("prove the credit ledger")
    .description("The credit ledger: balances, lots and entries.");
  const verify = ledger
    .command("verify")
    .summary("compare every balance with its lots and its entries")
    .description(
      "Looks at every account: its balance must be the sum of its entries, and what is left in its lots less its debt; and\n" +
        "each purchase must have the entries that it was paid, refunded and disputed for. Exit code 1 when something differs.",
    );
  verify.option("--after <place>", "go on with a proof that was stopped, behind the place that it told");
  withCommon(verify).action(verifyLedger);
}

async function verifyLedger({ url, json, after }: Flags): Promise<void> {
  let done: Row | undefined;
  let broken: unknown;
  let place = after;
  const goOn = (): string => (place === undefined ? "run it again" : `go on with \`--after ${place}\``);
  await throughDoor(url, async (door) => {
    const lines = door.stream("POST", "/ledger/verify/", { body: after === undefined ? {} : { after } });
    for await (const line of untilBroken(lines, (error) => (broken = error))) {
      const { progress, difference, done: end, error } = asRow(line);
      if (progress !== undefined) place = oneLine(asRow(progress).after);
      if (json === true) printJsonLine(line);
      else if (difference !== undefined) print(differenceText(asRow(difference)));
      if (end !== undefined) done = asRow(end);
      if (error !== undefined) {
        const { code, error: title, message } = asRow(error);
        throw failed(oneLine(code), oneLine(title), `${oneLine(message)} The proof stopped half way: ${goOn()}.`);
      }
    }
  });
  if (done === undefined) {
    throw failed("verify_interrupted", "Proof interrupted", `The proof ended half way: ${goOn()}.`, broken);
  }
  const [accounts, differences] = [numberIn(done, "accounts"), numberIn(done, "differences")];
  if (json !== true) print(`${accounts} accounts: ${differences === 0 ? "no" : differences} differences.`);
  if (differences > 0) process.exitCode = EXIT.failed;
}

function differenceText({ tenant_id: tenant, livemode, account_id: account, what, stored, computed }: Row): string {
  const place = `${oneLine(account)} (${oneLine(tenant)}, ${livemode === true ? "live" : "test"})`;
  return `${place}: ${oneLine(what)}: ${oneLine(stored)}, must be ${oneLine(computed)}`;
}
