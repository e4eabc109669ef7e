// `npm run typecheck`: each project by TypeScript 7, whose native compiler takes a third of the time. ESLint and the scripts that read
// sources need the API of TypeScript 6, which is installed under its own name.
import { spawnSync } from "node:child_process";

const PROJECTS = [".", "kit", "dashboard", "examples"];

const failed = PROJECTS.filter((project) => {
  const tsc = ["node_modules/typescript-7/bin/tsc", "--noEmit", "--pretty", "-p", project];
  return spawnSync(process.execPath, tsc, { stdio: "inherit" }).status !== 0;
});
if (failed.length > 0) {
  process.stderr.write(`typecheck: errors in ${failed.join(", ")}\n`);
  process.exitCode = 1;
}
