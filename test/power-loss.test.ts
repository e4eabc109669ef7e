// Power loss on the embedded database: what was committed before the cut is there after it, whatever the disk kept of the rest.
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";

import type { Database } from "../src/db/database.ts";
import { openEmbedded } from "../src/db/embedded.ts";
import { createFromSnapshot } from "../src/db/embedded-snapshot.ts";
import { PowerLossDisk, type Survivors } from "./power-loss-disk.ts";
import type { TraceRecord } from "./power-loss-trace.ts";

const CUTS = process.env.BILLHOOK_TEST_LONG === "1" ? 60 : 6;
const BATCHES = 160;
const ROWS = 16;
/** Small, so that the cuts also fall into checkpoints. */
const CHECKPOINT_BYTES = 1024 * 1024;

/** A batch whose commit was answered when the trace was this long. */
interface Answered {
  batch: number;
  traced: number;
}

const seed = Number(process.env.TEST_SEED ?? Math.floor(Math.random() * 2 ** 31));
const folder = mkdtempSync(join(tmpdir(), "billhook-power-loss-"));
const traceFile = join(folder, "trace");
const fresh = join(folder, "fresh");
const answered: Answered[] = [];
/** The trace's length when the first of the two tables was made. */
let firstTable = 0;

beforeAll(async () => {
  createFromSnapshot(fresh);
  writeFileSync(traceFile, "");
  const tracer = new URL(`./power-loss-trace.ts?trace=${encodeURIComponent(traceFile)}`, import.meta.url).href;
  const database = await openEmbedded(join(folder, "live"), { tracer, checkpointBytes: CHECKPOINT_BYTES });
  await database.query("create table kept (batch int, row int, body text not null, primary key (batch, row))");
  firstTable = statSync(traceFile).size;
  await database.query("create table states (row int primary key, batch int not null)");
  for (let batch = 0; batch < BATCHES; batch += 1) {
    await insertBatch(database, batch);
    answered.push({ batch, traced: statSync(traceFile).size });
  }
  await database.close();
}, 120_000);

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

async function insertBatch(database: Database, batch: number): Promise<void> {
  await database.transaction(async (tx) => {
    await tx.query({ name: "kept", text: INSERT_KEPT, values: [batch, ROWS] });
    await tx.query({ name: "states", text: UPSERT_STATES, values: [batch, ROWS] });
  });
  // Names change too: files are made, truncated, renamed and removed.
  if (batch % 20 === 7) await database.query("vacuum full states");
  if (batch % 40 === 9) await database.query("create table other (id int primary key, body text)");
  if (batch % 40 === 29) await database.query("drop table other");
}

function* readTrace(until: number): Generator<[TraceRecord, Uint8Array]> {
  const trace = readFileSync(traceFile);
  for (let at = 0; at < until;) {
    const end = trace.indexOf("\n", at) + 1;
    const entry = JSON.parse(trace.toString("utf8", at, end)) as TraceRecord;
    at = end + (entry.op === "write" ? entry.bytes : 0);
    if (at <= until) yield [entry, trace.subarray(end, at)];
  }
}

/** Opens what a power cut after `until` bytes of the trace left, and returns the answered batches that are not whole. */
async function lostAfterCut(name: string, until: number, survivors: Survivors, syncs: boolean): Promise<number[]> {
  const disk = new PowerLossDisk(fresh, syncs);
  for (const [entry, body] of readTrace(until)) disk.replay(entry, body);
  const rebuilt = join(folder, name);
  disk.cut(join(rebuilt, "postgres"), survivors, mulberry32(seed + until));
  const database = await openEmbedded(rebuilt);
  try {
    const due = answered.filter(({ traced }) => traced <= until).map(({ batch }) => batch);
    // The second table: a cut between the two leaves the first alone.
    if ((await database.query("select to_regclass('states') as states")).rows[0]?.states === null) return due;
    const whole = await database.query<{ batch: number }>({ text: SELECT_WHOLE, values: [ROWS] });
    const found = new Set(whole.rows.map(({ batch }) => batch));
    const states = await database.query<{ batch: number; rows: number }>(
      "select batch, count(*)::int as rows from states group by batch",
    );
    expect(states.rows.map(({ rows }) => rows)).toEqual(due.length === 0 && states.rowCount === 0 ? [] : [ROWS]);
    expect(states.rows[0]?.batch ?? -1).toBeGreaterThanOrEqual(due.at(-1) ?? -1);
    await database.query("insert into kept values (-1, 0, 'it still writes')");
    return due.filter((batch) => !found.has(batch));
  } finally {
    await database.close();
    rmSync(rebuilt, { recursive: true, force: true });
  }
}

test(
  "a power cut at any moment loses no answered batch",
  async () => {
    const random = mulberry32(seed);
    const length = statSync(traceFile).size;
    for (let cut = 0; cut < CUTS; cut += 1) {
      // Half of the cuts fall right behind an answer, where a missing fsync shows.
      const answer = answered[Math.floor(random() * answered.length)]?.traced ?? length;
      const until = cut % 2 === 0 ? answer : Math.floor(random() * length);
      const survivors = (["none", "some", "all"] as const)[cut % 3] ?? "none";
      const lost = await lostAfterCut(`cut-${String(cut)}`, until, survivors, true);
      expect(lost, `seed ${String(seed)}, cut ${String(cut)} at ${String(until)}, survivors: ${survivors}`).toEqual([]);
    }
  },
  60_000 + CUTS * 20_000,
);

test("a power cut before the tables are there leaves a database that opens", async () => {
  await expect(lostAfterCut("half-made", firstTable, "none", true)).resolves.toEqual([]);
}, 60_000);

test("the same cut without fsync loses answered batches, so the test above can fail", async () => {
  const last = answered.at(-1)?.traced ?? 0;
  await expect(lostAfterCut("no-fsync", last, "none", false)).resolves.toHaveLength(BATCHES);
}, 60_000);

/** A small seeded generator, so that a failure can be repeated with TEST_SEED. */
function mulberry32(start: number): () => number {
  let state = start | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const INSERT_KEPT = `
insert into kept
select $1, row, repeat(md5(($1::int * 1000 + row)::text), 64)
from generate_series(1, $2::int) row`;

const UPSERT_STATES = `
insert into states
select row, $1 from generate_series(1, $2::int) row
on conflict (row) do update set batch = excluded.batch`;

const SELECT_WHOLE = `
select batch from kept
where body = repeat(md5((batch * 1000 + row)::text), 64)
group by batch having count(*) = $1`;
