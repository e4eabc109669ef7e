// `npm run typecheck`: each project by TypeScript 7, the native compiler. ESLint and the scripts that read sources need the API of
// TypeScript 6, which is installed under its own name.
import { spawnSync } from "node:child_process";

const PROJECTS = [".", "kit", "dashboard", "examples"];

for (const project of PROJECTS) {
  const tsc = ["node_modules/typescript-7/bin/tsc", "--noEmit", "-p", project];
  const { status, signal, error } = spawnSync(process.execPath, tsc, { stdio: "inherit" });
  if (status === 0) continue;
  const what =
    status === null ? `tsc did not end by itself (${error?.message ?? String(signal)})` : "errors, see above";
  process.stderr.write(`typecheck of ${project}: ${what}\n`);
  process.exitCode = 1;
}
