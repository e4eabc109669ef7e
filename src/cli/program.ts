// The whole command line on one page: its commands, its help, its exit codes.
import { Command, CommanderError } from "commander";

import { asFailure, EXIT, writeFailure } from "./command-failure.ts";
import { wantsStack } from "./command-config.ts";
import { addAccounts } from "./accounts-command.ts";
import { addBackup } from "./backup-command.ts";
import { addCatchUp } from "./catch-up-command.ts";
import { addCreditPacks } from "./credit-packs-command.ts";
import { addDoctor } from "./doctor-command.ts";
import { addDrift } from "./drift-command.ts";
import { addEvents } from "./events-command.ts";
import { addImport } from "./import-command.ts";
import { addMails } from "./mails-command.ts";
import { addLedger } from "./ledger-command.ts";
import { addMigrate } from "./migrate-command.ts";
import { addMove } from "./move-command.ts";
import { addObjects } from "./objects-command.ts";
import { outliveReaders } from "./output.ts";
import { addPlans } from "./plans-command.ts";
import { addRebuild } from "./rebuild-command.ts";
import { addRestore } from "./restore-command.ts";
import { addSend } from "./send-command.ts";
import { addServe } from "./serve-command.ts";
import { addStripe } from "./stripe-command.ts";
import { readVersion } from "./version.ts";

const COMMANDS = [
  addServe,
  addMigrate,
  addEvents,
  addObjects,
  addMails,
  addCatchUp,
  addImport,
  addDrift,
  addDoctor,
  addRebuild,
  addBackup,
  addRestore,
  addMove,
  addLedger,
  addCreditPacks,
  addPlans,
  addAccounts,
  addSend,
  addStripe,
];

const LEFT_OPEN_MS = 2000;

/** Runs the command that the arguments name, and sets the process's exit code. Never rejects. */
export async function runBillhook(args: readonly string[]): Promise<void> {
  outliveReaders();
  const json = args.includes("--json");
  try {
    await buildProgram().parseAsync(args, { from: "user" });
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return;
    if (error instanceof CommanderError && error.code === "commander.help") {
      // No command was named: the help has been printed.
      process.exitCode = EXIT.usage;
      return;
    }
    const failure = asFailure(error);
    writeFailure(failure, { json, stack: failure.exitCode === EXIT.failed && wantsStack() });
    process.exitCode = failure.exitCode;
    // What a failed command has left open must not keep it; a process that ends by itself never waits for this.
    setTimeout(() => process.exit(), LEFT_OPEN_MS).unref();
  }
}

function buildProgram(): Command {
  const program = new Command("billhook")
    .description("The Stripe backend of a SaaS platform: webhooks in, correct billing state out.")
    .version(readVersion(), "-v, --version")
    .showSuggestionAfterError()
    .helpCommand(false)
    .addHelpText(
      "after",
      "\nExit codes: 0 done, 1 failed or differences found, 2 wrong usage or configuration.\n" +
        "Settings are environment variables, or lines of a .env file: see .env.example.",
    );
  for (const add of COMMANDS) add(program);
  settle(program);
  return program;
}

/** Errors are ours to tell, once, in every command. */
function settle(command: Command): void {
  command.exitOverride().configureOutput({ outputError: () => undefined });
  command.commands.forEach(settle);
}
