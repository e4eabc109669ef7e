// `billhook migrate`: brings the database's schema to this version.
import type { Command } from "commander";

import { readCommandConfig } from "./command-config.ts";
import { note, print, printJson } from "./output.ts";

interface Flags {
  json?: true;
}

export function addMigrate(program: Command): void {
  program
    .command("migrate")
    .summary("bring the database to this version's schema")
    .description(
      "Applies the migrations that the database lacks, each in its own transaction, and makes the API's login where\n" +
        "SECRET_KEY is set. `billhook serve` does the same at its start.",
    )
    .option("--json", "print JSON")
    .action(runMigrate);
}

async function runMigrate(flags: Flags): Promise<void> {
  const { config } = readCommandConfig(undefined);
  const { makeApiLogin, openDatabase } = await import("../app-database.ts");
  const { migrate } = await import("../db/migrate.ts");
  const database = await openDatabase(config);
  try {
    const applied = await migrate(database);
    const { secretKeys } = config;
    const log = { warn: (text: string) => note(text) };
    const login = secretKeys === "generate" ? undefined : await makeApiLogin({ config, database, secretKeys, log });
    if (flags.json === true) printJson({ applied, ...(login === undefined ? {} : { api_login: login }) });
    else {
      print(applied.length === 0 ? "The schema is up to date." : applied.map((name) => `applied ${name}`).join("\n"));
      if (login !== undefined) note(`The API's database login is ${login}.`);
    }
  } finally {
    await database.close();
  }
}
