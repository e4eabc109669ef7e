// The settings of the log, as who starts the server meets them.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { expect, it } from "vitest";

import { runBillhook } from "../test/support/run-billhook.ts";

it("a LOG_FILE that cannot be opened is a wrong setting, which ends the start with code 2", async () => {
  const folder = mkdtempSync(join(tmpdir(), "billhook-log-"));
  try {
    for (const file of [folder, "/dev/null/billhook.log"]) {
      const env = { DATA_DIR: join(folder, "data"), SANDBOX_PORT: "off", PORT: "0", LOG_FILE: file };
      const ended = await runBillhook(["serve"], env);
      expect([ended.code, ended.out]).toEqual([2, ""]);
      expect(ended.err).toMatch(/^billhook: The configuration has a problem:\n {2}LOG_FILE: it cannot be opened .*\n$/);
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});

it("`billhook serve --help` tells what a SIGHUP does, with LOG_FILE and without", async () => {
  const { out } = await runBillhook(["serve", "--help"], {});
  expect(out).toMatch(/SIGHUP opens LOG_FILE again; without LOG_FILE it ends the server/);
});
