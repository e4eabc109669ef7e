// The `.env` file of the working folder: what a process that starts beside it reads.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

describe("the .env file", () => {
  /** What a process in a folder with this file and these variables reads. */
  function readIn(file: string, env: Record<string, string>): unknown {
    const folder = mkdtempSync(join(tmpdir(), "billhook-env-"));
    const script = `
      import { loadConfig } from ${JSON.stringify(join(import.meta.dirname, "config.ts"))};
      const { port, logLevel, workMaxAttempts, stripeKeys } = loadConfig({ LOG_LEVEL: "warn" }, { serving: false });
      const { OTEL_SERVICE_NAME: service, STRIPE_SECRET_KEY: leaked } = process.env;
      console.log(JSON.stringify({ port, logLevel, workMaxAttempts, key: stripeKeys.test?.reveal(), service, leaked }));`;
    try {
      writeFileSync(join(folder, ".env"), file);
      const options = { cwd: folder, env, encoding: "utf8" } as const;
      return JSON.parse(execFileSync(process.execPath, ["--input-type=module", "-e", script], options));
    } finally {
      rmSync(folder, { recursive: true });
    }
  }
  const file = `# ours\nPORT=1\nLOG_LEVEL=debug\nWORK_MAX_ATTEMPTS="3"\nSTRIPE_SECRET_KEY=sk_test_1\nOTEL_SERVICE_NAME=mine\n`;

  it("is read, what is really set wins over it, and the command line over both", () => {
    expect(readIn(file, { PORT: "2" })).toEqual({
      port: 2,
      logLevel: "warn",
      workMaxAttempts: 3,
      key: "sk_test_1",
      service: "mine",
    });
  });

  it("is not read by tests", () => {
    expect(readIn(file, { NODE_ENV: "test" })).toEqual({ port: 8000, logLevel: "warn", workMaxAttempts: 8 });
  });

  it("that an editor of Windows has saved, with a mark at its beginning, loses no variable", () => {
    expect(readIn(`\uFEFFPORT=3\nWORK_MAX_ATTEMPTS=4\n`, {})).toMatchObject({ port: 3, workMaxAttempts: 4 });
  });
});
