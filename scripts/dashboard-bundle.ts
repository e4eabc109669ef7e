// Bundles the dashboard: built and compressed beside its place, then put there in one step, so that a running server loses nothing.
import { existsSync, globSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

import react from "@vitejs/plugin-react";
import { build, type InlineConfig } from "vite";

import { sourcesOfDashboard } from "../src/cli/dashboard-build.ts";

/** Smaller files gain nothing: the header costs as much. */
const WORTH_COMPRESSING = 512;

/** Pieces that change seldom are files of their own: browsers keep them when only pages have changed. */
const PIECES = [
  { name: "react", test: /node_modules\/(react|react-dom|scheduler)\// },
  { name: "mantine", test: /node_modules\/(@mantine\/(core|hooks)|@floating-ui|clsx|react-remove-scroll[\w-]*)\// },
];

/** Resolves to the names of what was written below `dist/dashboard`. */
export async function bundleDashboard(root: string): Promise<string[]> {
  const [place, fresh, former] = ["", `.${process.pid}.fresh`, `.${process.pid}.former`].map((ending) =>
    join(root, "dist", `dashboard${ending}`),
  ) as [string, string, string];
  const sources = sourcesOfDashboard(root);
  await forProduction({
    configFile: false,
    root: join(root, "dashboard"),
    base: "/",
    logLevel: "warn",
    plugins: [react()],
    build: {
      outDir: fresh,
      emptyOutDir: true,
      target: "es2023",
      cssTarget: "es2023",
      assetsInlineLimit: 0,
      reportCompressedSize: false,
      // Its script would need a rule of its own in the policy, and every browser of the target preloads by itself.
      modulePreload: { polyfill: false },
      rolldownOptions: { output: { codeSplitting: { groups: PIECES } } },
    },
  });
  const names = globSync("**/*.*", { cwd: fresh }).map((name) => name.replaceAll("\\", "/"));
  for (const name of names) compress(join(fresh, name));
  writeFileSync(join(fresh, "sources"), sources);
  mkdirSync(join(root, "dist"), { recursive: true });
  if (existsSync(place)) renameSync(place, former);
  renameSync(fresh, place);
  rmSync(former, { recursive: true, force: true });
  return names;
}

/** Vite takes React's development half unless the process is said to be a production one: under test it is not. */
async function forProduction(config: InlineConfig): Promise<void> {
  const before = process.env.NODE_ENV;
  process.env.NODE_ENV = "production";
  try {
    await build(config);
  } finally {
    if (before === undefined) delete process.env.NODE_ENV;
    else process.env.NODE_ENV = before;
  }
}

function compress(file: string): void {
  const bytes = readFileSync(file);
  if (bytes.length < WORTH_COMPRESSING || !/\.(js|css|svg)$/.test(file)) return;
  const size = { [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length };
  writeFileSync(`${file}.br`, brotliCompressSync(bytes, { params: { ...size, [constants.BROTLI_PARAM_QUALITY]: 9 } }));
  writeFileSync(`${file}.gz`, gzipSync(bytes, { level: 9 }));
}
