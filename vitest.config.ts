// How the tests run: unit tests beside the code, whole-system tests in test/, one PostgreSQL for all of them.
import { existsSync, readFileSync, statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { defineConfig } from "vitest/config";

// Also when vitest was started directly, on whatever Node comes first on the PATH.
import "./scripts/check-node.mjs";

// Of the workers, and of the processes that the tests start: see test/support/compile-cache.ts.
process.env.NODE_COMPILE_CACHE ??= join(import.meta.dirname, "node_modules", ".cache", "billhook-tests");

// What must lie on a disk, and what outlives a run: see test/support/disk.ts and dashboard-browser.ts.
process.env.BILLHOOK_TEST_DISK ??= tmpdir();
process.env.BILLHOOK_SHOTS ??= join(tmpdir(), "billhook-shots");
// Databases of the tests live in memory where there is room for them, and TMPDIR does not say otherwise.
if (process.env.TMPDIR === undefined && hasRoom("/dev/shm")) process.env.TMPDIR = "/dev/shm";

/** They start a server twenty times, each a load on both processors: behind the others, two at a time. */
const KILLS = ["test/durability-kills.test.ts", "test/durability-kills-server.test.ts", "test/durability.test.ts"];

/** Their limits are of the clock: each has the machine for itself, behind all others. */
const ALONE = ["test/dashboard-limits.test.ts", "test/purchase-browser.test.ts", "test/stripe-access-circuit.test.ts"];

export default defineConfig({
  test: {
    projects: [
      {
        extends: true,
        test: {
          name: "beside each other",
          include: ["src/**/*.test.ts", "sandbox/**/*.test.ts", "test/**/*.test.ts"],
          exclude: [...KILLS, ...ALONE],
          sequence: { groupOrder: 0 },
        },
      },
      { extends: true, test: { name: "kills", include: KILLS, maxWorkers: 2, sequence: { groupOrder: 1 } } },
      { extends: true, test: { name: "alone", include: ALONE, maxWorkers: 1, sequence: { groupOrder: 2 } } },
    ],
    globalSetup: ["test/support/postgres-global-setup.ts"],
    setupFiles: ["test/support/property-sizes.ts"],
    // Processes, not threads: some tests kill their children, and PGlite keeps a worker thread of its own.
    pool: "forks",
    // A process takes file after file: the sources are read and compiled once, not once for each of 200 files.
    isolate: false,
    unstubEnvs: true,
    unstubGlobals: true,
    // One more than the processors of a small machine: tests also wait, for servers of their own and for clocks.
    maxWorkers: 3,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // By default 1 s, of which a busy machine alone may take more: who polls waits for what must come.
    expect: { poll: { timeout: 15_000 } },
    teardownTimeout: 20_000,
    reporters: ["default"],
  },
});

/** A run has left 3.1 GiB there at its end: each test's database stays until then. Programs are started from there, too. */
function hasRoom(folder: string): boolean {
  const mounts = existsSync("/proc/mounts") ? readFileSync("/proc/mounts", "utf8") : "";
  const options = mounts
    .split("\n")
    .find((line) => line.split(" ")[1] === folder)
    ?.split(" ")[3];
  if (options === undefined || options.split(",").includes("noexec")) return false;
  const { bavail, bsize } = statfsSync(folder);
  return Math.min(bavail * bsize, process.availableMemory()) >= 8 * 2 ** 30;
}
