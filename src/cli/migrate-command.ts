// `billhook migrate`: brings the database's schema to this version.
import type { Command } from "commander";

import { readCommandConfig } from "./command-config.ts";
import { print, printJson } from "./output.ts";

interface Flags {
  json?: true;
}

export function addMigrate(program: Command): void {
  program
    .command("migrate")
    .summary("bring the database to this version's schema")
    .description(
      "Applies the migrations that the database lacks, each in its own transaction. `billhook serve` does the same at its start.",
    )
    .option("--json", "print JSON")
    .action(runMigrate);
}

async function runMigrate(flags: Flags): Promise<void> {
  const { config } = readCommandConfig(undefined);
  const { openDatabase } = await import("../app.ts");
  const { migrate } = await import("../db/migrate.ts");
  const database = await openDatabase(config);
  try {
    const applied = await migrate(database);
    if (flags.json === true) printJson({ applied });
    else
      print(applied.length === 0 ? "The schema is up to date." : applied.map((name) => `applied ${name}`).join("\n"));
  } finally {
    await database.close();
  }
}
