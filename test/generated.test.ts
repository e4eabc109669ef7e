// Generated files are current, and both databases have the schema that is written down.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";

import { generated, staleFiles } from "../scripts/generate.ts";
import { schemaText } from "../scripts/schema-text.ts";
import { openPipe } from "./support/pipe.ts";

it("README's table, .env.example, openapi.json, schema.txt and events.md are what the sources make", async () => {
  expect(staleFiles(await generated())).toEqual([]);
});

it("a PostgreSQL server gets the same schema as the embedded database", async () => {
  const pipe = await openPipe("server");
  expect(await schemaText(pipe.database)).toBe(readFileSync(join(import.meta.dirname, "../docs/schema.txt"), "utf8"));
  await pipe.close();
});
