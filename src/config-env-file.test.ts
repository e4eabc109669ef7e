// The `.env` file of the working folder: what a process that starts beside it reads.
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { runBillhook } from "../test/support/run-billhook.ts";

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

  // Root reads any file, so what cannot be read is a folder here.
  it.each(["serve", "migrate", "catch-up", "backup", "stripe setup"])(
    "that cannot be read ends `billhook %s` with one sentence and code 2",
    async (name) => {
      const command = [...name.split(" "), ...(name === "backup" ? ["file"] : [])];
      const folder = mkdtempSync(join(tmpdir(), "billhook-env-"));
      try {
        mkdirSync(join(folder, ".env"));
        const ended = await runBillhook(command, { NODE_ENV: undefined, DATA_DIR: folder }, folder);
        expect([ended.code, ended.out]).toEqual([2, ""]);
        expect(ended.err).toMatch(/^billhook: The configuration has a problem:\n {2}\.env: it is a folder .*\n$/);
        const json = await runBillhook([...command, "--json"], { NODE_ENV: undefined, DATA_DIR: folder }, folder);
        expect(JSON.parse(json.err)).toMatchObject({ code: "config", problems: [{ variable: ".env" }] });
      } finally {
        rmSync(folder, { recursive: true });
      }
    },
  );
});
