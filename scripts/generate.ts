// Writes what is made from the sources: README's configuration table, .env.example, docs/openapi.json, docs/schema.txt, docs/doctor.md,
// docs/events.md, the mails' templates, the client's types, and the sandbox's tables of Stripe's parameters and shapes.
// With --check it writes nothing, and fails when one of them is not current.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { openApiJson } from "../src/api/reference.ts";
import { ROUTES } from "../src/api/routes.ts";
import { betweenMarkers, configTable, envExample } from "../src/config-docs.ts";
import { openEmbedded } from "../src/db/embedded.ts";
import { migrate } from "../src/db/migrate.ts";
import { doctorReference } from "./doctor-reference.ts";
import { eventReference } from "./event-reference.ts";
import { clientTypes } from "./generate-client.ts";
import { sandboxTables } from "./generate-sandbox.ts";
import { mailTemplates } from "./mail-templates.ts";
import { schemaText } from "./schema-text.ts";

const ROOT = join(import.meta.dirname, "..");

function read(path: string): string {
  try {
    return readFileSync(join(ROOT, path), "utf8");
  } catch {
    // Not there yet: made below, or missing for --check.
    return "";
  }
}

async function openApi(): Promise<string> {
  const { version } = JSON.parse(read("package.json")) as { version: string };
  return openApiJson(ROUTES, { version, publicUrl: "http://localhost:8000" });
}

async function schema(): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "billhook-schema-"));
  const database = await openEmbedded(join(folder, "data"));
  try {
    await migrate(database);
    return await schemaText(database);
  } finally {
    await database.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Each generated file, as it must be. */
export async function generated(): Promise<Record<string, string>> {
  const openApiText = await openApi();
  return {
    "README.md": betweenMarkers(read("README.md"), "config", configTable()),
    ".env.example": envExample(),
    "docs/openapi.json": openApiText,
    "kit/generated/api.ts": await clientTypes(openApiText),
    "docs/schema.txt": await schema(),
    "docs/doctor.md": doctorReference(),
    "docs/events.md": eventReference(),
    "src/mail/mail-templates.json": await mailTemplates(),
    ...Object.fromEntries(sandboxTables().map(({ path, text }) => [path, text])),
  };
}

export function staleFiles(files: Readonly<Record<string, string>>): string[] {
  return Object.entries(files)
    .filter(([path, text]) => read(path) !== text)
    .map(([path]) => path);
}

if (process.argv[1] === import.meta.filename) {
  const files = await generated();
  const stale = staleFiles(files);
  if (process.argv.includes("--check")) {
    if (stale.length > 0) throw new Error(`not current: ${stale.join(", ")}; run: npm run generate`);
  } else {
    for (const path of stale) writeFileSync(join(ROOT, path), files[path] ?? "");
    console.log(stale.length === 0 ? "everything is current" : `wrote ${stale.join(", ")}`);
  }
}
