// Runs once per `vitest run`: starts the PostgreSQL that all tests share, and takes it away.
import { randomBytes } from "node:crypto";

import type { TestProject } from "vitest/node";

import { dropDatabases, startPostgres } from "./postgres.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** A superuser's address of the run's server. */
    postgresUrl: string;
    /** What the names of this run's databases begin with. */
    postgresRun: string;
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const started = performance.now();
  const server = await startPostgres();
  const run = `billhook_test_${randomBytes(4).toString("hex")}`;
  const seconds = ((performance.now() - started) / 1000).toFixed(1);
  process.stdout.write(`PostgreSQL ${server.version} (${server.source}), ready after ${seconds} s\n`);
  project.provide("postgresUrl", server.url);
  project.provide("postgresRun", run);
  return async () => {
    if (server.source === "given") await dropDatabases(server.url, run);
    await server.stop();
  };
}
