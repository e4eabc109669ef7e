// In a clone: whether the dashboard is built of the sources that are there, and building it when it is not.
import { execFile } from "node:child_process";
import { hash } from "node:crypto";
import { existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import { PACKAGE_ROOT } from "./version.ts";

/** What its bundle is made of: a change of any of these makes another one. */
const SOURCES = "{dashboard,kit}/**/*.{ts,tsx,css,html,svg}";
const TOOLS = ["package-lock.json", "scripts/dashboard-bundle.ts"];

/** Where the built dashboard is, in a clone and in the published package. */
export const dashboardFolder = (root = fileURLToPath(PACKAGE_ROOT)): string => join(root, "dist", "dashboard");

/** One text for one state of the sources. */
export function sourcesOfDashboard(root: string): string {
  const names = [...globSync(SOURCES, { cwd: root }).sort(), ...TOOLS];
  const parts = names.map((name) => {
    const path = join(root, name);
    return `${name.replaceAll("\\", "/")} ${existsSync(path) ? hash("sha256", readFileSync(path)) : ""}`;
  });
  return hash("sha256", parts.join("\n"));
}

/** False where its sources are not: a published package brings it built. */
export function isDashboardStale(root: string): boolean {
  if (!existsSync(join(root, "dashboard", "index.html"))) return false;
  const kept = join(dashboardFolder(root), "sources");
  return !existsSync(kept) || readFileSync(kept, "utf8") !== sourcesOfDashboard(root);
}

/** Builds it if it must, by a process of its own: the tools are in no server. A failure is told; the server starts all the same. */
export async function ensureDashboard(log: Log, clock: Clock, root = fileURLToPath(PACKAGE_ROOT)): Promise<void> {
  if (!isDashboardStale(root)) return;
  if (!existsSync(join(root, "node_modules", "vite", "package.json"))) {
    log.warn("the dashboard is not built, and its tools are not installed: run `npm ci`, then start again");
    return;
  }
  const started = clock.monotonic();
  try {
    await promisify(execFile)(process.execPath, [join(root, "scripts", "build-dashboard.ts")], { cwd: root });
    log.unit("dashboard.built", { duration_ms: Math.round(clock.monotonic() - started), outcome: "built" });
  } catch (error) {
    log.warn("the dashboard could not be built: `npm run build:dashboard` says why", { error });
  }
}
