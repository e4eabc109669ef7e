// Billhook against Billhook, in turns, on one PostgreSQL: another clone of it, or other flags of Node. `node bench/compare.ts --help`.
import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";

import { median } from "./report.ts";
import { measureRound, openBench } from "./rounds.ts";
import type { Round } from "./rounds.ts";

const HELP = `node bench/compare.ts [options]

  --other FOLDER      the other clone, its packages installed (this one)
  --flags="--A --B"   flags of Node for the other, behind those of its \`npm start\`
  --rounds N          rounds of each (8)
  --events N          events a round (20000)
  --connections N     connections (64)
`;

const { values } = parseArgs({
  options: {
    other: { type: "string" },
    flags: { type: "string", default: "" },
    rounds: { type: "string", default: "8" },
    events: { type: "string", default: "20000" },
    connections: { type: "string", default: "64" },
    help: { type: "boolean", default: false },
  },
});
if (values.help) {
  process.stdout.write(HELP);
  process.exit(0);
}
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => process.exit(130));

const FIGURES = {
  "answered/s": (round: Round) => round.answeredPerSecond,
  "projected/s": (round: Round) => round.projectedPerSecond,
  "p50, ms": (round: Round) => round.p50,
  "p99, ms": (round: Round) => round.p99,
  "slowest, ms": (round: Round) => round.max,
  "peak memory, MB": (round: Round) => round.peakMb ?? Number.NaN,
  "µs per event, process": (round: Round) => round.cpuMicros?.product ?? Number.NaN,
  "µs per event, PostgreSQL": (round: Round) => round.cpuMicros?.postgres ?? Number.NaN,
  "taken by neighbours, %": (round: Round) => round.stolenPercent ?? Number.NaN,
};

for (const option of ["rounds", "events", "connections"] as const) {
  if (/^[1-9]\d*$/.test(values[option])) continue;
  process.stderr.write(`--${option} takes a whole number, 1 or more: not ${values[option]}\n`);
  process.exit(2);
}

type Side = "this" | "other";
const SIDES: readonly Side[] = ["this", "other"];
const root = values.other === undefined ? undefined : resolve(values.other);
if (root !== undefined && !existsSync(join(root, "node_modules"))) {
  process.stderr.write(`${root} is no clone with its packages: git clone, npm ci\n`);
  process.exit(2);
}
const other = {
  ...(root === undefined ? {} : { root }),
  nodeFlags: values.flags.split(" ").filter((flag) => flag !== ""),
};
const rounds: Record<Side, Round[]> = { this: [], other: [] };
const bench = await openBench();
try {
  for (let number = 0; number < Number(values.rounds); number++) {
    // In turns, also in who goes first.
    for (const side of number % 2 === 0 ? SIDES : SIDES.toReversed()) rounds[side].push(await measure(side));
  }
  process.stdout.write(`\n${table()}\n`);
} finally {
  await bench.close();
}
process.exit();

async function measure(side: Side): Promise<Round> {
  const round = await measureRound(bench, {
    ...{ product: "billhook", connections: Number(values.connections), count: Number(values.events), poolSize: 0 },
    ...(side === "other" ? other : {}),
  });
  const figures = Object.entries(FIGURES).map(([name, of]) => `${name} ${of(round).toFixed(1)}`);
  process.stdout.write(`${side}: ${figures.join(" · ")}\n`);
  return round;
}

function table(): string {
  const lines = Object.entries(FIGURES).map(([name, of]) => {
    const [ours = Number.NaN, theirs = Number.NaN] = SIDES.map((side) => median(rounds[side].map(of)));
    return `| ${name} | ${ours.toFixed(1)} | ${theirs.toFixed(1)} | ${ratio(ours, theirs)} |`;
  });
  return ["| medians | this | other | this / other |", "|---|---:|---:|---:|", ...lines].join("\n");
}

function ratio(ours: number, theirs: number): string {
  return theirs > 0 ? `${(ours / theirs).toFixed(2)}×` : "";
}
