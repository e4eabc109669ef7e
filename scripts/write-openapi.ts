// Writes docs/openapi.json from the routes; with --check it only says whether the file is current.
import { readFileSync, writeFileSync } from "node:fs";

import { openApiJson } from "../src/api/reference.ts";
import { ROUTES } from "../src/api/routes.ts";

const file = new URL("../docs/openapi.json", import.meta.url);
const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8")) as {
  version: string;
};
const current = await openApiJson(ROUTES, { version, publicUrl: "http://localhost:8000" });

if (!process.argv.includes("--check")) {
  writeFileSync(file, current);
} else if (readFileSync(file, "utf8") !== current) {
  console.error("docs/openapi.json is not current: run `node scripts/write-openapi.ts`.");
  process.exitCode = 1;
}
