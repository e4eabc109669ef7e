// The dashboard as the tests see it: built of the sources as they are, once for all files that run.
import { closeSync, mkdirSync, openSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { type Dashboard, readDashboard } from "../../src/api/dashboard-assets.ts";
import { dashboardFolder, isDashboardStale } from "../../src/cli/dashboard-build.ts";

const ROOT = join(import.meta.dirname, "../..");
const CACHE = join(ROOT, "node_modules", ".cache");
const LOCK = join(CACHE, "billhook-dashboard.lock");
/** A build takes seconds: a lock as old as this was left by a process that was killed. */
const LEFT_MS = 120_000;

export async function builtDashboard(): Promise<Dashboard> {
  mkdirSync(CACHE, { recursive: true });
  while (isDashboardStale(ROOT)) {
    if (!locked()) {
      await sleep(100);
      continue;
    }
    try {
      // Loaded only where something is to be built.
      const { bundleDashboard } = await import("../../scripts/dashboard-bundle.ts");
      if (isDashboardStale(ROOT)) await bundleDashboard(ROOT);
    } finally {
      rmSync(LOCK, { force: true });
    }
  }
  return readDashboard(dashboardFolder(ROOT));
}

function locked(): boolean {
  try {
    closeSync(openSync(LOCK, "wx"));
    return true;
  } catch {
    // Another process builds.
    const age = Date.now() - (statSync(LOCK, { throwIfNoEntry: false })?.mtimeMs ?? Date.now());
    if (age > LEFT_MS) rmSync(LOCK, { force: true });
    return false;
  }
}
