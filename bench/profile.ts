// Billhook alone under load, with V8's profiler on: where its processor time goes. `node bench/profile.ts --help`.
import { copyFileSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { measureRound, openBench } from "./rounds.ts";
import { temporaryFolder } from "./servers.ts";

interface Profile {
  nodes: { id: number; callFrame: { functionName: string; url: string; lineNumber: number } }[];
  samples: number[];
  timeDeltas: number[];
}

const HELP = `node bench/profile.ts [options]

  --events N        events (20000), behind as many that warm up: half of the profile is of those
  --connections N   connections (64)
  --top N           lines of the table (40)
  --out FOLDER      keep the .cpuprofile files there, for a viewer such as Chrome's
`;

const { values } = parseArgs({
  options: {
    events: { type: "string", default: "20000" },
    connections: { type: "string", default: "64" },
    top: { type: "string", default: "40" },
    out: { type: "string" },
    help: { type: "boolean", default: false },
  },
});
if (values.help) {
  process.stdout.write(HELP);
  process.exit(0);
}
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => process.exit(130));

const bench = await openBench();
const folder = temporaryFolder();
try {
  const round = await measureRound(bench, {
    ...{ product: "billhook", connections: Number(values.connections), count: Number(values.events), poolSize: 0 },
    nodeFlags: ["--cpu-prof", `--cpu-prof-dir=${folder.path}`],
  });
  process.stdout.write(`${JSON.stringify(round, null, 2)}\n`);
  for (const name of readdirSync(folder.path).filter((file) => file.endsWith(".cpuprofile"))) {
    const file = join(folder.path, name);
    process.stdout.write(`\n${summary(JSON.parse(readFileSync(file, "utf8")) as Profile, Number(values.top))}\n`);
    if (values.out === undefined) continue;
    mkdirSync(values.out, { recursive: true });
    copyFileSync(file, join(resolve(values.out), name));
  }
} finally {
  folder.remove();
  await bench.close();
}
process.exit();

/** Own time by place and by function, idle time left out; start-up and warm-up, as many events as are measured, are in it. */
function summary({ nodes, samples, timeDeltas }: Profile, top: number): string {
  const frames = new Map(nodes.map(({ id, callFrame }) => [id, callFrame]));
  const byFunction = new Map<string, number>();
  const byPlace = new Map<string, number>();
  samples.forEach((id, index) => {
    const frame = frames.get(id);
    if (frame === undefined || frame.functionName === "(idle)") return;
    const file = fileOf(frame.url);
    const name = `${frame.functionName || "(anonymous)"} ${file === "" ? "" : `${file}:${frame.lineNumber + 1}`}`;
    const time = timeDeltas[index] ?? 0;
    byFunction.set(name, (byFunction.get(name) ?? 0) + time);
    const place = /^(node_modules\/(@[^/]+\/)?[^/]+|src\/[^/]+|node:|wasm:)/.exec(file)?.[0] ?? "V8 and C++";
    byPlace.set(place, (byPlace.get(place) ?? 0) + time);
  });
  const total = [...byPlace.values()].reduce((sum, time) => sum + time, 0);
  const table = (times: Map<string, number>, length: number): string =>
    [...times]
      .sort(([, one], [, other]) => other - one)
      .slice(0, length)
      .map(([name, time]) => `${((100 * time) / total).toFixed(1).padStart(5)} %  ${name}`)
      .join("\n");
  return `own time of ${(total / 1e6).toFixed(1)} s\n${table(byPlace, 12)}\n\n${table(byFunction, top)}`;
}

function fileOf(url: string): string {
  const root = fileURLToPath(new URL("..", import.meta.url));
  return url.startsWith("file:") ? fileURLToPath(url).replace(root, "") : url;
}
