// How the tests run: unit tests beside the code, whole-system tests in test/, one PostgreSQL for all of them.
import { existsSync, statfsSync } from "node:fs";
import { join } from "node:path";

import { defineConfig } from "vitest/config";

// Also when vitest was started directly, on whatever Node comes first on the PATH.
import "./scripts/check-node.mjs";

// Of the workers, and of the processes that the tests start: see test/support/compile-cache.ts.
process.env.NODE_COMPILE_CACHE ??= join(import.meta.dirname, "node_modules", ".cache", "billhook-tests");

// Databases of the tests live in memory where there is room for them: the disk is a third of what they wait for.
if (process.env.TMPDIR === undefined && hasRoom("/dev/shm")) process.env.TMPDIR = "/dev/shm";

/** Their limits are of the clock: each has the machine for itself, behind the others. */
const ALONE = [
  "test/dashboard-limits.test.ts",
  "test/purchase-browser.test.ts",
  "test/stripe-access-circuit.test.ts",
  "test/durability.test.ts",
];

export default defineConfig({
  test: {
    projects: [
      {
        extends: true,
        test: {
          name: "beside each other",
          include: ["src/**/*.test.ts", "sandbox/**/*.test.ts", "test/**/*.test.ts"],
          exclude: ALONE,
          sequence: { groupOrder: 0 },
        },
      },
      { extends: true, test: { name: "alone", include: ALONE, maxWorkers: 1, sequence: { groupOrder: 1 } } },
    ],
    globalSetup: ["test/support/postgres-global-setup.ts"],
    // Processes, not threads: some tests kill their children, and PGlite keeps a worker thread of its own.
    pool: "forks",
    // A process takes file after file: the sources are read and compiled once, not once for each of 200 files.
    isolate: false,
    // Two: the tests start servers of their own, and time limits must hold on a machine with two cores.
    maxWorkers: 2,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    teardownTimeout: 20_000,
    reporters: ["default"],
  },
});

/** What two workers have needed at most is 3 GiB. */
function hasRoom(folder: string): boolean {
  if (!existsSync(folder)) return false;
  const { bavail, bsize } = statfsSync(folder);
  return bavail * bsize >= 6 * 2 ** 30;
}
