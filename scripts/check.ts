// What `npm test` asks before the tests: types and format beside lint, which takes longer than both. Ends with 1 if one fails.
import { spawn } from "node:child_process";
import { once } from "node:events";

const LANES = [["typecheck", "format:check"], ["lint"]];

/** What it printed is told when it ends, so that two do not mix. */
async function run(script: string): Promise<boolean> {
  const began = performance.now();
  const child = spawn("npm", ["run", "--silent", script], { stdio: ["ignore", "pipe", "pipe"] });
  const said: Buffer[] = [];
  child.stdout.on("data", (piece: Buffer) => said.push(piece));
  child.stderr.on("data", (piece: Buffer) => said.push(piece));
  const [code] = (await once(child, "close")) as [number | null];
  const seconds = ((performance.now() - began) / 1000).toFixed(0);
  process.stdout.write(`${code === 0 ? "passed" : "FAILED"}: npm run ${script}, ${seconds} s\n`);
  process.stdout.write(Buffer.concat(said));
  return code === 0;
}

async function runAll(scripts: readonly string[]): Promise<boolean> {
  let passed = true;
  for (const script of scripts) passed = (await run(script)) && passed;
  return passed;
}

const passed = await Promise.all(LANES.map(runAll));
process.exitCode = passed.every(Boolean) ? 0 : 1;
