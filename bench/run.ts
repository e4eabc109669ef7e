// `npm run bench`: Billhook and its peer on the same machine, the same PostgreSQL, the same signed events. See README.md.
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { cpus, loadavg, release, totalmem, type } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

import { measureEmbedded } from "./embedded-rounds.ts";
import { markdownOf, targetsOf } from "./report.ts";
import type { Machine, Results } from "./report.ts";
import { measureBacklog, measureRound, openBench } from "./rounds.ts";
import type { Bench, Round } from "./rounds.ts";
import { installPeer } from "./servers.ts";

const PARTS = ["server", "embedded", "backlog"] as const;
type Part = (typeof PARTS)[number];

interface Plan {
  parts: readonly Part[];
  rounds: number;
  /** By connections. */
  events: Record<string, number>;
  embeddedEvents: number;
  backlogEvents: number;
  poolSize: number | undefined;
  save: boolean;
}

const HELP = `node bench/run.ts [options]

  --quick             small rounds, for a look: about a minute, not saved
  --rounds N          rounds of each product (5)
  --events N          measured events a round at 64 connections (20000), on PostgreSQL behind as many that warm up; at 16 the half, embedded two fifths
  --connections A,B   connections (16,64)
  --backlog N         events of the backlog (100000)
  --only A,B          of server, embedded, backlog
  --peer-pool N       the peer's connections to PostgreSQL (default: the best of 10, 20 and 30)
  --no-save           print only, write nothing under bench/results
`;
const POOL_SIZES = [10, 20, 30] as const;
const PEER = "@supabase/stripe-sync-engine 0.48.5";
/** Far beyond a run on a busy machine: something hangs. */
const LIMIT_MS = 20 * 60_000;

const plan = planFrom(process.argv.slice(2));
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => process.exit(130));
setTimeout(() => {
  process.stderr.write("the bench took longer than 20 minutes: stopped\n");
  process.exit(1);
}, LIMIT_MS).unref();

installPeer();
const bench = await openBench();
const results = emptyResults(bench, plan);
try {
  await measure(bench, plan, results);
  process.stdout.write(`\n${markdownOf(results)}`);
  if (plan.save) save(results);
} catch (error) {
  process.exitCode = 1;
  // What has been measured is not lost with what could not be.
  if (results.rounds.length > 0) process.stdout.write(`\n${markdownOf(results)}`);
  process.stderr.write(
    `\nThe bench failed, and saves nothing: ${error instanceof Error ? error.message : String(error)}\n`,
  );
} finally {
  await bench.close();
}
process.exit();

function planFrom(args: string[]): Plan {
  const { values } = parseArgs({
    args,
    allowNegative: true,
    options: {
      quick: { type: "boolean", default: false },
      rounds: { type: "string" },
      events: { type: "string" },
      connections: { type: "string", default: "16,64" },
      backlog: { type: "string" },
      only: { type: "string", default: PARTS.join(",") },
      "peer-pool": { type: "string" },
      save: { type: "boolean" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) {
    process.stdout.write(HELP);
    process.exit(0);
  }
  const events = wholeNumber("--events", values.events ?? (values.quick ? "4000" : "20000"));
  const connections = values.connections.split(",").map((text) => wholeNumber("--connections", text));
  const pool = values["peer-pool"] ?? (values.quick ? "20" : undefined);
  return {
    parts: PARTS.filter((part) => values.only.split(",").includes(part)),
    rounds: wholeNumber("--rounds", values.rounds ?? (values.quick ? "1" : "5")),
    events: Object.fromEntries(connections.map((each) => [each, each >= 64 ? events : Math.ceil(events / 2)])),
    embeddedEvents: Math.ceil(events * 0.4),
    backlogEvents: wholeNumber("--backlog", values.backlog ?? (values.quick ? "10000" : "100000")),
    poolSize: pool === undefined ? undefined : wholeNumber("--peer-pool", pool),
    save: values.save ?? !values.quick,
  };
}

function wholeNumber(option: string, text: string): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) && value > 0) return value;
  process.stderr.write(`${option} needs whole numbers above 0, not ${text}\n`);
  process.exit(2);
}

function emptyResults(on: Bench, { events, rounds, embeddedEvents, backlogEvents }: Plan): Results {
  return {
    date: new Date().toISOString(),
    machine: machine(on.postgres.version),
    commit: commit(),
    loadAverage: loadavg()[0] ?? 0,
    peer: { name: PEER, poolSize: 0, poolsTried: {} },
    settings: { events, rounds, embeddedEvents, backlogEvents },
    ...{ rounds: [], embedded: [], backlog: undefined },
  };
}

/** Fills `into` as it goes. */
async function measure(on: Bench, { parts, rounds, ...rest }: Plan, into: Results): Promise<void> {
  if (parts.includes("server") || parts.includes("embedded")) {
    into.peer = await poolSizeOf(on, rest.poolSize);
    // One of each by turns: what the machine does beside this strikes both.
    for (let number = 1; number <= rounds; number++) {
      if (parts.includes("server")) await serverRound(on, rest.events, into, number);
      else await peerRound(on, rest.events, into);
      if (parts.includes("embedded")) await embeddedRound(on, rest.embeddedEvents, into, number);
    }
  }
  if (!parts.includes("backlog")) return;
  into.backlog = await measureBacklog(on, rest.backlogEvents);
  const { answeredPerSecond, drainedPerSecond, peakMb = Number.NaN } = into.backlog;
  say(
    `backlog: answered ${Math.round(answeredPerSecond)}/s, drained ${Math.round(drainedPerSecond)}/s, ` +
      `peak ${Math.round(peakMb)} MB`,
  );
}

async function serverRound(on: Bench, events: Plan["events"], into: Results, number: number): Promise<void> {
  for (const [connections, count] of Object.entries(events)) {
    for (const product of ["billhook", "peer"] as const) {
      const measured = { connections: Number(connections), count, poolSize: into.peer.poolSize };
      const round = await measureRound(on, { product, ...measured });
      into.rounds.push(round);
      say(`round ${number}, ${product} at ${connections} connections: ${roundText(round)}`);
    }
  }
}

/** Without the rounds on PostgreSQL the embedded ones still need what they are compared with. */
async function peerRound(on: Bench, events: Plan["events"], into: Results): Promise<void> {
  const measured = { connections: 64, count: events["64"] ?? 20_000, poolSize: into.peer.poolSize };
  into.rounds.push(await measureRound(on, { product: "peer", ...measured }));
}

async function embeddedRound(on: Bench, count: number, into: Results, number: number): Promise<void> {
  const round = await measureEmbedded(on, count);
  into.embedded.push(round);
  const { burst, backlog, both, peakMb } = round;
  say(
    `round ${number}, billhook embedded: burst ${Math.round(burst.answeredPerSecond)}/s, ` +
      `backlog ${Math.round(backlog.drainedPerSecond)}/s, both at once ${roundText({ ...both, peakMb })}`,
  );
}

/** The peer gets the pool with which it is fastest here. */
async function poolSizeOf(on: Bench, given: number | undefined): Promise<Results["peer"]> {
  const poolsTried: Record<string, number> = {};
  if (given !== undefined) return { name: PEER, poolSize: given, poolsTried };
  for (const poolSize of POOL_SIZES) {
    const round = await measureRound(on, { product: "peer", connections: 64, count: 6000, poolSize });
    poolsTried[poolSize] = round.answeredPerSecond;
    say(`peer with a pool of ${poolSize}: ${roundText(round)}`);
  }
  const [best] = Object.entries(poolsTried).sort(([, one], [, other]) => other - one);
  return { name: PEER, poolSize: Number(best?.[0]), poolsTried };
}

function roundText(round: Pick<Round, "answeredPerSecond" | "projectedPerSecond" | "p50" | "p99" | "peakMb">): string {
  const { answeredPerSecond, projectedPerSecond, p50, p99, peakMb = Number.NaN } = round;
  return (
    `answered ${Math.round(answeredPerSecond)}/s, projected ${Math.round(projectedPerSecond)}/s, ` +
    `p50 ${p50.toFixed(1)} ms, p99 ${p99.toFixed(1)} ms, peak ${Math.round(peakMb)} MB`
  );
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

function machine(postgres: string): Machine {
  const processors = cpus();
  return {
    processor: processors[0]?.model.trim() ?? "unknown processor",
    processors: processors.length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    system: `${type()} ${release().split("-")[0] ?? ""}`,
    ...{ node: process.versions.node, postgres },
  };
}

function commit(): string | undefined {
  const git = (...args: string[]): string | undefined => {
    const run = spawnSync("git", args, { cwd: import.meta.dirname, encoding: "utf8" });
    return run.status === 0 ? run.stdout.trim() : undefined;
  };
  const head = git("rev-parse", "--short", "HEAD");
  if (head === undefined) return undefined;
  return git("status", "--porcelain", "--", "../src") === "" ? head : `${head} with changes`;
}

function save(results: Results): void {
  const folder = fileURLToPath(new URL("./results/", import.meta.url));
  mkdirSync(folder, { recursive: true });
  const { processors, memoryGb } = results.machine;
  const name = `${results.date.slice(0, 10)}-${processors}cpu-${memoryGb}gb`;
  writeFileSync(`${folder}${name}.md`, markdownOf(results));
  writeFileSync(`${folder}${name}.json`, `${JSON.stringify({ ...results, targets: targetsOf(results) }, null, 2)}\n`);
  say(`\nsaved as bench/results/${name}.md and .json`);
}
