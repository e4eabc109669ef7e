// `npm run build`: compiles src, sandbox and kit to dist, copies what is not TypeScript (SQL, snapshots, tables), and bundles the dashboard.
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, globSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

import { bundleDashboard } from "./dashboard-bundle.ts";

/** tsc rewrites `./x.ts` in imports, but not in `new URL("./x.ts", import.meta.url)`, by which worker threads start. */
const RELATIVE_URL = /(new URL\(\s*(["'])\.{1,2}\/[^"']+)\.ts(\2)/g;

// The dashboard stays until its new build takes its place: a server may be starting from it.
for (const name of existsSync("dist") ? readdirSync("dist") : []) {
  if (name !== "dashboard") rmSync(join("dist", name), { recursive: true, force: true });
}
for (const project of ["tsconfig.build.json", "kit/tsconfig.build.json"]) {
  const tsc = spawnSync(process.execPath, ["node_modules/typescript-7/bin/tsc", "-p", project], { stdio: "inherit" });
  if (tsc.status !== 0) process.exit(tsc.status ?? 1);
}

const compiled = globSync("dist/**/*.js");
for (const file of compiled) {
  const text = readFileSync(file, "utf8");
  const rewritten = text.replace(RELATIVE_URL, "$1.js$3");
  if (rewritten !== text) writeFileSync(file, rewritten);
}

// The mails' .tsx is in mail-templates.json, which npm run generate makes of it.
const assets = globSync("{src,sandbox}/**/*.*").filter((file) => !/\.tsx?$/.test(file));
for (const file of assets) {
  const target = join("dist", file);
  mkdirSync(dirname(target), { recursive: true });
  cpSync(file, target);
}
const bundled = await bundleDashboard(process.cwd());
process.stdout.write(
  `dist: ${compiled.length} compiled, ${assets.length} copied, ${bundled.length} of the dashboard\n`,
);
