import { spawn } from "node:child_process";
import { once } from "node:events";

import { expect, it, onTestFinished } from "vitest";

it("Ctrl-C during a bar ends the command, and leaves the terminal its cursor and its line wrap", async () => {
  const script = `Promise.all([import("./src/cli/progress-display.ts"), import("./src/base/clock.ts")]).then(
    ([{ progressDisplay }, { systemClock }]) => {
      process.stderr.isTTY = true;
      process.stderr.columns = 40;
      progressDisplay(systemClock, "bar").show({ total: 1_000_000, done: 10, per_second: 2 });
      setInterval(() => {}, 1000);
      process.stdout.write("shown");
    });`;
  const child = spawn(process.execPath, ["-e", script], { stdio: ["ignore", "pipe", "pipe"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  const drawn: string[] = [];
  child.stderr.setEncoding("utf8").on("data", (text: string) => drawn.push(text));
  await once(child.stdout, "data");
  child.kill("SIGINT");
  expect(await once(child, "close")).toEqual([null, "SIGINT"]);
  // DECRST: `?25l` hides the cursor, `?7l` stops the wrap.
  expect(drawn.join("")).not.toMatch(new RegExp(`${String.fromCharCode(27)}\\[\\?\\d+l`));
  // Cut at the terminal's 40 columns, so that it needs no wrap to be off.
  expect(drawn.join("")).toMatch(/ {2}10\/10(?!0)/);
});
