// `billhook move --to DATABASE_URL`: from the embedded database to a server, row by row, with nothing taken in meanwhile.
import { randomBytes } from "node:crypto";

import type { Command } from "commander";

import { systemClock } from "../base/clock.ts";
import type { Config } from "../config.ts";
import type { Database } from "../db/database.ts";
import type { BackupSummary } from "../operations/restore-load.ts";
import { asBackupFailure, backupOf, openSource, type Source } from "./backup-command.ts";
import { readCommandConfig } from "./command-config.ts";
import { asFailure, CommandFailure, misused } from "./command-failure.ts";
import { confirmed } from "./confirm-move.ts";
import { withCommon } from "./events-command.ts";
import { openWay } from "./open-door.ts";
import { note, print, printJson } from "./output.ts";
import { openTarget, rowsTold } from "./restore-command.ts";

interface Flags {
  to: string;
  replace?: true;
  url?: string;
  json?: true;
}

export function addMove(program: Command): void {
  const move = program
    .command("move")
    .summary("move the embedded database to a PostgreSQL server")
    .description(
      "Copies every row into the empty database at --to and compares each. A running server answers 503 to all meanwhile, which\n" +
        "Stripe tries again, and for good once the rows are there; if anything fails it goes on as before.",
    )
    .requiredOption("--to <url>", "the server's database, as DATABASE_URL; its password may be in PGPASSWORD instead")
    .option("--replace", "what Billhook's tables hold there goes");
  withCommon(move).action(runMove);
}

/** The embedded side: how it is read, and how it learns of the end. */
interface Leaving {
  bytes(): Promise<AsyncIterable<Uint8Array>>;
  renew(): Promise<void>;
  giveUp(): Promise<void>;
  finish(to: string): Promise<void>;
  close(): Promise<void>;
}

async function runMove(flags: Flags): Promise<void> {
  const { config } = readCommandConfig(flags.url);
  if (config.databaseUrl !== undefined)
    throw misused("DATABASE_URL is set: move goes from the embedded database to --to, so remove DATABASE_URL first.");
  const to = placeOf(flags.to);
  const target = await openTarget(flags.to).catch(fail);
  try {
    const source = leaving(config, await openWay(flags.url, openSource));
    try {
      tell(await moveInto(target, source, to, flags), to, config, flags);
    } finally {
      await source.close();
    }
  } catch (error) {
    fail(error);
  } finally {
    await target.close();
  }
}

/** The embedded side has no address: a database that cannot be reached is the one at --to. */
function fail(error: unknown): never {
  throw asFailure(asBackupFailure(error), "--to");
}

/** Host, port and database, without a password. */
function placeOf(url: string): string {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || !/^postgres(ql)?:$/.test(parsed.protocol))
    throw misused("--to is no address of a PostgreSQL database: give it as postgres://user@host:5432/billhook.");
  return `${parsed.host}${parsed.pathname}`;
}

const RENEW_MS = 10_000;

async function moveInto(target: Database, source: Leaving, to: string, flags: Flags): Promise<BackupSummary> {
  const { emptyServer, restoreIntoServer } = await import("../operations/restore.ts");
  let bytes: AsyncIterable<Uint8Array> | undefined;
  const renewing = setInterval(() => {
    // One that is refused shows at the end: the move has ended there.
    if (bytes !== undefined) source.renew().catch(() => undefined);
  }, RENEW_MS);
  try {
    const read = async function* (): AsyncGenerator<Uint8Array> {
      // Not before the target is known to be empty: until then the source works on.
      bytes = await source.bytes();
      yield* bytes;
    };
    // The key goes with the process, not with the database.
    const options = { key: "any" as const, replace: flags.replace === true, told: rowsTold(flags.json === true) };
    const summary = await restoreIntoServer(target, read, options).catch(async (error: unknown) => {
      if (bytes !== undefined) await source.giveUp().catch(() => undefined);
      throw error;
    });
    await source.finish(to).catch(async (error: unknown) => {
      if (!isRefusal(error)) throw error;
      // The source has gone on: what is in the target is older from now on, and must not be taken for the database.
      await emptyServer(target);
      throw error;
    });
    return summary;
  } finally {
    clearInterval(renewing);
  }
}

/** The source itself has said no; else nobody knows: see `confirmed`. */
function isRefusal(error: unknown): boolean {
  return !(error instanceof CommandFailure) || error.body.code !== "move_unconfirmed";
}

function leaving(config: Config, source: Source): Leaving {
  const close = (): Promise<void> => source.close();
  if (!("bytes" in source)) {
    return {
      bytes: () => backupOf(source),
      renew: () => Promise.resolve(),
      giveUp: () => Promise.resolve(),
      finish: async (to) => {
        const { markMoved } = await import("../db/embedded-folder.ts");
        markMoved(config.dataDir, { to, at: new Date(systemClock.now()).toISOString() });
      },
      close,
    };
  }
  const move = randomBytes(16).toString("hex");
  const step = async (body: Record<string, string>): Promise<void> => {
    await source.call("POST", `/move/${move}/`, { body });
  };
  return {
    bytes: () => source.bytes("POST", "/move/", { body: { move } }),
    renew: () => step({ step: "renew" }),
    giveUp: () => step({ step: "give_up" }),
    finish: (to) => confirmed(() => step({ step: "finish", to })),
    close,
  };
}

function tell({ tables, rows }: BackupSummary, to: string, { dataDir, secretKeys }: Config, { json }: Flags): void {
  if (json === true) {
    printJson({ to, tables, rows });
    return;
  }
  print(`${rows} rows of ${tables} tables are in ${to}, each compared.`);
  const key = secretKeys === "generate" ? `, SECRET_KEY to what stands in ${dataDir}/secret-key` : "";
  note(`Now set DATABASE_URL${key}, and start the server again; other settings and DATA_DIR stay as they are.`);
  note(`The embedded database in ${dataDir} is not opened any more: moved.json in it says where it went.`);
}
