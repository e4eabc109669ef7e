// From measured rounds to medians, ratios, targets and a table. Pure.
import type { EmbeddedRound } from "./embedded-rounds.ts";
import type { Backlog, Product, Round } from "./rounds.ts";

export interface Machine {
  processor: string;
  processors: number;
  memoryGb: number;
  system: string;
  node: string;
  postgres: string;
}

export interface Results {
  date: string;
  machine: Machine;
  /** Of Billhook; undefined outside a clone. */
  commit: string | undefined;
  /** The system's average when the run began: on a busy machine rates are low, and ratios uncertain. */
  loadAverage: number;
  peer: { name: string; poolSize: number; poolsTried: Record<string, number> };
  settings: { events: Record<string, number>; rounds: number; embeddedEvents: number; backlogEvents: number };
  rounds: Round[];
  embedded: EmbeddedRound[];
  backlog: Backlog | undefined;
}

export interface Target {
  what: string;
  target: string;
  measured: string;
  reached: boolean;
}

type Metric =
  | ("answeredPerSecond" | "projectedPerSecond" | "p50" | "p99" | "peakMb")
  // Of the events that warm it up.
  | ("freshAnsweredPerSecond" | "freshP99");

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((one, other) => one - other);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  // One figure that is missing makes the sort, and so the median, a matter of luck.
  if (values.some(Number.isNaN)) return Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2;
}

function roundsOf(results: Results, product: Product, connections: number): Round[] {
  return results.rounds.filter((round) => round.product === product && round.connections === connections);
}

function medianOf(results: Results, product: Product, connections: number, metric: Metric): number {
  return median(roundsOf(results, product, connections).map((round) => round[metric] ?? Number.NaN));
}

function ratio(results: Results, connections: number, metric: Metric): number {
  return medianOf(results, "billhook", connections, metric) / medianOf(results, "peer", connections, metric);
}

/** What Billhook is to reach. What this run has not measured is there too, as not reached. */
export function targetsOf(results: Results): Target[] {
  return [...serverTargets(results), ...embeddedTargets(results), ...backlogTargets(results)];
}

function atLeast(what: string, limit: number, value: number, unit = "×"): Target {
  const measured = Number.isNaN(value) ? "not measured" : `${two(value)}${unit}`;
  return { what, target: `≥ ${limit}${unit}`, measured, reached: value >= limit };
}

function atMost(what: string, limit: number, value: number, unit: string): Target {
  // Two digits of a sixth would say that 0.170 has reached it.
  const digits = limit < 1 ? 3 : 2;
  const measured = Number.isNaN(value) ? "not measured" : `${value.toFixed(digits)}${unit}`;
  return { what, target: `≤ ${limit.toFixed(digits)}${unit}`, measured, reached: value <= limit };
}

function serverTargets(results: Results): Target[] {
  return [
    atLeast("PostgreSQL, 64 connections: answered (aim 4×)", 3, ratio(results, 64, "answeredPerSecond")),
    atLeast("PostgreSQL, 64 connections: projected (aim 2.5×)", 2, ratio(results, 64, "projectedPerSecond")),
    atMost("PostgreSQL, 64 connections: p99 of answers", 1 / 6, ratio(results, 64, "p99"), "×"),
  ];
}

function embeddedTargets(results: Results): Target[] {
  const peer = medianOf(results, "peer", 64, "answeredPerSecond");
  const of = (read: (round: EmbeddedRound) => number): number => median(results.embedded.map(read));
  const burst = of((round) => round.burst.answeredPerSecond);
  const drained = of((round) => round.backlog.drainedPerSecond);
  const answered = of((round) => round.both.answeredPerSecond);
  const projected = of((round) => round.both.projectedPerSecond);
  const p99 = of((round) => round.both.p99);
  return [
    atLeast("embedded: burst answered", 2, burst / peer),
    atLeast("embedded: backlog drained", 1, drained / peer),
    atLeast("embedded: answered, both at once", 1.2, answered / peer),
    atLeast("embedded: projected, both at once", 0.8, projected / peer),
    atMost("embedded: p99 of answers, both at once", 150, p99, " ms"),
  ];
}

function backlogTargets(results: Results): Target[] {
  const projected = medianOf(results, "billhook", 64, "projectedPerSecond");
  const { drainedPerSecond = Number.NaN, peakMb = Number.NaN, residentMb = [] } = results.backlog ?? {};
  const growth = residentAt(residentMb, 1) / residentAt(residentMb, 0.25);
  return [
    atLeast("backlog: drained, over the projected rate at 64 connections", 1, drainedPerSecond / projected),
    atMost("backlog: peak memory", 400, peakMb, " MB"),
    atMost("backlog: memory without growth, at its end over that at 25 %", 1.25, growth, "×"),
  ];
}

function residentAt(samples: Backlog["residentMb"], share: number): number {
  return samples.find((sample) => sample.share === share)?.mb ?? Number.NaN;
}

export function markdownOf(results: Results): string {
  const { machine, peer, settings } = results;
  const lines = [
    `# Bench, ${results.date.slice(0, 10)}`,
    "",
    `${machine.processors} × ${machine.processor}, ${machine.memoryGb} GB, ${machine.system}, Node ${machine.node}, ` +
      `PostgreSQL ${machine.postgres}` +
      `${results.commit === undefined ? "" : `, Billhook at ${results.commit}`}. ` +
      `Load average at the start: ${two(results.loadAverage)}.`,
    "",
    ...(results.rounds.length === 0
      ? []
      : [
          `Peer: ${peer.name}, pool of ${peer.poolSize} (the best of those tried: ${poolsText(peer.poolsTried)}).`,
          `Medians of ${settings.rounds} interleaved rounds; how they are taken: \`bench/README.md\`.`,
        ]),
    ...serverTable(results),
    ...embeddedTable(results),
    ...backlogTable(results),
    ...targetTable(results),
  ];
  return `${lines.join("\n")}\n`;
}

const poolsText = (tried: Record<string, number>): string =>
  Object.entries(tried)
    .map(([size, rate]) => `${size}: ${Math.round(rate)}/s`)
    .join(", ") || "none, it was given";

function serverTable(results: Results): string[] {
  const lines: string[] = [];
  for (const connections of new Set(results.rounds.map((round) => round.connections))) {
    const row = (what: string, metric: Metric, digits: number): string => {
      const [ours, theirs] = (["billhook", "peer"] as const).map((product) =>
        medianOf(results, product, connections, metric),
      );
      const ranges = (["billhook", "peer"] as const).map((product) =>
        rangeText(
          roundsOf(results, product, connections).map((round) => round[metric] ?? Number.NaN),
          digits,
        ),
      );
      const quotient = two((ours ?? Number.NaN) / (theirs ?? Number.NaN));
      return `| ${what} | ${number(ours, digits)} (${ranges[0]}) | ${number(theirs, digits)} (${ranges[1]}) | ${quotient}× |`;
    };
    lines.push(
      ...[
        "",
        `## PostgreSQL, ${connections} connections, ${results.settings.events[connections]} measured events a round`,
        "",
      ],
      ...["| | Billhook, median (range) | peer, median (range) | ratio |", "|---|---:|---:|---:|"],
      row("answered/s", "answeredPerSecond", 0),
      row("fully projected/s, receiving at the same time", "projectedPerSecond", 0),
      row("p50 of answers, ms", "p50", 1),
      row("p99 of answers, ms", "p99", 1),
      row("answered/s of as many events just before, from a fresh start", "freshAnsweredPerSecond", 0),
      row("p99 of those answers, ms", "freshP99", 1),
      row("peak memory of the process, MB", "peakMb", 0),
      ...cpuRows(results, connections),
      stolenRow(results, connections),
      wrongRow(results, connections),
    );
  }
  return lines;
}

function cpuRows(results: Results, connections: number): string[] {
  return (["product", "postgres", "load"] as const).map((part) => {
    const what = { product: "its process", postgres: "PostgreSQL", load: "the load generator" }[part];
    const [ours, theirs] = (["billhook", "peer"] as const).map((product) =>
      median(roundsOf(results, product, connections).map(({ cpuMicros }) => cpuMicros?.[part] ?? Number.NaN)),
    );
    return `| processor time per event, ${what}, µs | ${number(ours, 0)} | ${number(theirs, 0)} | ${two((ours ?? 0) / (theirs ?? 0))}× |`;
  });
}

/** A rate, and a p99 all the more, of a round that others took a tenth of says more of them than of the product. */
function stolenRow(results: Results, connections: number): string {
  const [ours, theirs] = (["billhook", "peer"] as const).map((product) =>
    roundsOf(results, product, connections)
      .map(({ stolenPercent }) => number(stolenPercent, 1))
      .join(", "),
  );
  return `| processor time that neighbours took, round by round, % | ${ours} | ${theirs} | |`;
}

function wrongRow(results: Results, connections: number): string {
  const [ours, theirs] = (["billhook", "peer"] as const).map((product) => {
    const rounds = roundsOf(results, product, connections);
    return `${median(rounds.map(({ written }) => written.wrongStatus))} of ${rounds[0]?.written.objects ?? 0}`;
  });
  return `| objects left in a state that is not their last | ${ours} | ${theirs} | |`;
}

function embeddedTable({ embedded, settings, ...results }: Results): string[] {
  if (embedded.length === 0) return [];
  const peer = medianOf({ embedded, settings, ...results }, "peer", 64, "answeredPerSecond");
  const rate = (what: string, read: (round: EmbeddedRound) => number): string => {
    const values = embedded.map(read);
    return `| ${what} | ${number(median(values), 0)} (${rangeText(values, 0)}) | ${two(median(values) / peer)}× |`;
  };
  const plain = (what: string, read: (round: EmbeddedRound) => number, digits: number): string =>
    `| ${what} | ${number(median(embedded.map(read)), digits)} (${rangeText(embedded.map(read), digits)}) | |`;
  return [
    ...["", `## Embedded database, 64 connections, ${settings.embeddedEvents} events a round`, ""],
    ...["| | Billhook, median (range) | over the peer on PostgreSQL |", "|---|---:|---:|"],
    rate("a burst, answered/s (no worker)", ({ burst }) => burst.answeredPerSecond),
    plain("a burst, p99 of answers, ms", ({ burst }) => burst.p99, 1),
    rate("its backlog, drained/s (no traffic)", ({ backlog }) => backlog.drainedPerSecond),
    rate("both at once, answered/s", ({ both }) => both.answeredPerSecond),
    rate("both at once, fully projected/s", ({ both }) => both.projectedPerSecond),
    plain("both at once, p50 of answers, ms", ({ both }) => both.p50, 1),
    plain("both at once, p99 of answers, ms", ({ both }) => both.p99, 1),
    plain("peak memory of the process, database included, MB", ({ peakMb }) => peakMb ?? Number.NaN, 0),
  ];
}

function backlogTable({ backlog }: Results): string[] {
  if (backlog === undefined) return [];
  const samples = backlog.residentMb
    .map(({ share, mb }) => `${Math.round(share * 100)} %: ${Math.round(mb)}`)
    .join(", ");
  return [
    ...["", `## A backlog of ${backlog.count} events on PostgreSQL`, "", "| | |", "|---|---:|"],
    `| answered/s while no worker runs, 64 connections | ${number(backlog.answeredPerSecond, 0)} |`,
    `| p99 of answers, ms | ${number(backlog.p99, 1)} |`,
    `| drained/s by one process | ${number(backlog.drainedPerSecond, 0)} |`,
    `| processor time per event, its process and PostgreSQL, µs: receiving | ${microsText(backlog.receiveMicros)} |`,
    `| processor time per event, its process and PostgreSQL, µs: working off | ${microsText(backlog.drainMicros)} |`,
    `| peak memory of that process, MB | ${number(backlog.peakMb, 0)} |`,
    `| its memory when so much was drained, MB | ${samples} |`,
  ];
}

const microsText = (micros: Backlog["drainMicros"]): string =>
  `${number(micros?.product, 0)} + ${number(micros?.postgres, 0)}`;

function targetTable(results: Results): string[] {
  const rows = targetsOf(results).map(
    ({ what, target, measured, reached }) => `| ${what} | ${target} | ${measured} | ${reached ? "yes" : "**no**"} |`,
  );
  return ["", "## Targets", "", "| | target | measured | reached |", "|---|---|---:|---|", ...rows];
}

const two = (value: number): string => (Number.isNaN(value) ? "NaN" : value.toFixed(2));

function number(value: number | undefined, digits: number): string {
  return value === undefined || Number.isNaN(value) ? "unknown" : value.toFixed(digits);
}

function rangeText(values: readonly number[], digits: number): string {
  return `${number(Math.min(...values), digits)}–${number(Math.max(...values), digits)}`;
}
