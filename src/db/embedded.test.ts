// The embedded database through its public door: what pg can ask of it, and what keeps a folder whole.
import { type ChildProcessByStdio, spawn } from "node:child_process";
import {
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable } from "node:stream";
import pg from "pg";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";

import type { Database } from "./database.ts";
import { openEmbedded } from "./embedded.ts";
import { startEngine } from "./embedded-engine.ts";
import { refuseForeign } from "./embedded-folder.ts";
import { createFromSnapshot } from "./embedded-snapshot.ts";

const root = mkdtempSync(join(tmpdir(), "billhook-embedded-"));
const children = new Set<ChildProcessByStdio<null, Readable, Readable>>();

afterEach(() => {
  for (const child of children) child.kill("SIGKILL");
  children.clear();
});

afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});

/** A process of its own, on the Node of this one. `body` has `database`, opened on `folder`. */
function startChild(folder: string, body: string, options: object = {}): ChildProcessByStdio<null, Readable, Readable> {
  const source = `
    import { openEmbedded } from ${JSON.stringify(new URL("embedded.ts", import.meta.url).href)};
    const database = await openEmbedded(${JSON.stringify(folder)}, ${JSON.stringify(options)});
    ${body}`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", source], { stdio: ["ignore", "pipe", "pipe"] });
  children.add(child);
  return child;
}

async function exitOf(
  child: ChildProcessByStdio<null, Readable, Readable>,
): Promise<{ code: number | null; stderr: string }> {
  let stderr = "";
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  return await new Promise((resolve) =>
    child.once("close", (code) => {
      resolve({ code, stderr });
    }),
  );
}

async function firstLine(child: ChildProcessByStdio<null, Readable, Readable>): Promise<string> {
  for await (const line of createInterface(child.stdout)) return line;
  throw new Error("the child ended without a word");
}

const moduleOf = (source: string): string => `data:text/javascript,${encodeURIComponent(source)}`;

describe("what pg can ask of it", () => {
  let database: Database;
  beforeAll(async () => {
    database = await openEmbedded(join(root, "driver"));
    await database.query("create table items (id bigint primary key, body text)");
  });
  afterAll(async () => {
    await database.close();
  });

  test("named statements with binary array parameters insert a batch", async () => {
    const bodies = Array.from({ length: 100 }, (_, index) => Buffer.from(`${String(index)} ${"é".repeat(2000)}`));
    const insert = {
      name: "insert_items",
      text: "insert into items select ordinality + $2::bigint, body from unnest($1::text[]) with ordinality as t(body)",
    };
    await database.query({ ...insert, values: [binaryTextArray(bodies), 0] });
    await database.query({ ...insert, values: [binaryTextArray(bodies), 100] });
    const { rows } = await database.query<{ id: number; body: string }>(
      "select * from items where id in (1, 200) order by id",
    );
    expect(rows).toEqual([
      { id: 1, body: bodies[0]?.toString() },
      { id: 200, body: bodies[99]?.toString() },
    ]);
  });

  test("a result of 10 MB arrives whole", async () => {
    const { rows } = await database.query<{ big: string }>("select repeat('x', 10000000) as big");
    expect(rows[0]?.big).toHaveLength(10_000_000);
  });

  test("an error inside a transaction rolls it back and leaves the session usable", async () => {
    const failing = database.transaction(async (tx) => {
      await tx.query("insert into items values (9001, 'lost')");
      await tx.query({ name: "divide", text: "select 1 / $1::int", values: [0] });
    });
    await expect(failing).rejects.toMatchObject({ code: "22012" });
    expect((await database.query("select 1 from items where id = 9001")).rowCount).toBe(0);
    expect((await database.query({ name: "divide", text: "select 1 / $1::int", values: [1] })).rows).toHaveLength(1);
  });

  test("queries asked at once are answered in order", async () => {
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, n) => database.query<{ n: number }>({ text: "select $1::int as n", values: [n] })),
    );
    expect(answers.map(({ rows }) => rows[0]?.n)).toEqual(Array.from({ length: 50 }, (_, n) => n));
  });

  test("what the pipe needs works: several statements at once, locks, partitions, do blocks", async () => {
    await database.query(
      "begin; set local work_mem = '1MB'; create table parts (created bigint, id text, primary key (created, id)) partition by range (created); create table parts_rest partition of parts default; commit",
    );
    await database.query("do $$ begin insert into parts values (1, 'a'); end $$");
    await database.transaction(async (tx) => {
      expect((await tx.query("select pg_try_advisory_xact_lock(7) as locked")).rows).toEqual([{ locked: true }]);
      expect((await tx.query("select id from parts for update skip locked")).rows).toEqual([{ id: "a" }]);
    });
  });

  test("it runs with every setting that durability needs, whatever the environment says", async () => {
    const { rows } = await database.query(
      "select string_agg(name || '=' || setting, ' ' order by name) as settings from pg_settings where name in ('fsync', 'synchronous_commit', 'full_page_writes', 'wal_sync_method')",
    );
    expect(rows).toEqual([{ settings: "fsync=on full_page_writes=on synchronous_commit=on wal_sync_method=fsync" }]);
  });
});

test("a new connection sees nothing of the one before it", async () => {
  const folder = join(root, "sessions");
  mkdirSync(folder);
  createFromSnapshot(join(folder, "postgres"));
  const engine = await startEngine({
    folder: join(folder, "postgres"),
    checkpointBytes: 2 ** 26,
    settings: {},
    tracer: undefined,
  });
  const connect = async (): Promise<pg.Client> => {
    const client = new pg.Client({
      user: "postgres",
      database: "postgres",
      ssl: false,
      stream: () => engine.connect(),
    });
    await client.connect();
    return client;
  };
  const first = await connect();
  const notices: string[] = [];
  first.on("notification", ({ payload }) => notices.push(payload ?? ""));
  await first.query("listen wake");
  await first.query("notify wake, 'now'");
  expect(notices).toEqual(["now"]);
  await first.query({ name: "same", text: "select 1 as n" });
  await first.query("begin");
  await first.query("create table unfinished (id int)");
  await first.end();
  const second = await connect();
  expect((await second.query({ name: "same", text: "select 2 as n" })).rows).toEqual([{ n: 2 }]);
  expect((await second.query("select to_regclass('unfinished') as t")).rows).toEqual([{ t: null }]);
  await second.end();
  await engine.stop();
}, 60_000);

describe("the folder", () => {
  test("of another user is not opened by root, whose files would keep its owner out, and is as it was", async () => {
    const folder = join(root, "foreign");
    await (await openEmbedded(folder)).close();
    const made = join(folder, "postgres");
    const { uid } = statSync(made);
    refuseForeign(folder, uid);
    refuseForeign(join(root, "not there"), 0);
    // Only root can give a folder away; for others the owner is another already.
    if (uid === 0) chownSync(made, 65_534, 65_534);
    expect(() => {
      refuseForeign(folder, 0);
    }).toThrow(`belongs to the user with the id ${String(statSync(made).uid)}`);
    if (uid === 0) await expect(openEmbedded(folder)).rejects.toThrow("run this as its owner");
  });

  test("a second process gets a clear error at once, and a killed holder blocks nobody", async () => {
    const folder = join(root, "locked");
    const holder = startChild(folder, "console.log('open'); setInterval(() => undefined, 1000);");
    expect(await firstLine(holder)).toBe("open");
    await expect(openEmbedded(folder)).rejects.toThrow(`already open in process ${String(holder.pid)}`);
    const ended = exitOf(holder);
    holder.kill("SIGKILL");
    await ended;
    const database = await openEmbedded(folder);
    await expect(openEmbedded(folder)).rejects.toThrow(`already open in process ${String(process.pid)}`);
    await database.close();
  }, 60_000);

  test("a creation that was killed half way is done again", async () => {
    const folder = join(root, "half");
    mkdirSync(join(folder, "postgres.new", "base"), { recursive: true });
    writeFileSync(join(folder, "postgres.new", "PG_VERSION"), "1");
    const database = await openEmbedded(folder);
    expect((await database.query("select 1 as n")).rows).toEqual([{ n: 1 }]);
    await database.close();
    expect(readdirSync(folder)).not.toContain("postgres.new");
  }, 60_000);

  test("the snapshot belongs to the PGlite that is installed", async () => {
    const database = await openEmbedded(join(root, "version"));
    const { rows } = await database.query<{ version: string }>("select version()");
    await database.close();
    const installed = JSON.parse(
      readFileSync(new URL("../package.json", import.meta.resolve("@electric-sql/pglite")), "utf8"),
    ) as { version: string };
    expect(rows[0]?.version).toContain(`PGlite ${installed.version}`);
  }, 60_000);
});

describe("durability", () => {
  test("a process killed under load loses no answered row", async () => {
    const folder = join(root, "killed");
    const answered: number[] = [];
    for (let round = 0; round < 5; round += 1) {
      const child = startChild(folder, INSERT_FOR_EVER);
      const ended = exitOf(child);
      const until = answered.length + 20 + Math.floor(Math.random() * 150);
      for await (const line of createInterface(child.stdout)) {
        answered.push(Number(line));
        if (answered.length === until) child.kill("SIGKILL");
      }
      expect((await ended).code).toBeNull();
    }
    const database = await openEmbedded(folder);
    const { rows } = await database.query<{ id: number }>("select id from acked");
    await database.close();
    const found = new Set(rows.map(({ id }) => id));
    expect(answered.filter((id) => !found.has(id))).toEqual([]);
    expect(answered.length).toBeGreaterThan(100);
  }, 120_000);

  test("a failing fsync ends the process, and the commit is not answered", async () => {
    const flag = join(root, "disk-is-broken");
    const tracer = moduleOf(`
      import { existsSync } from "node:fs";
      export function trace({ stream_ops }) {
        const fsync = stream_ops.fsync;
        stream_ops.fsync = (stream) => fsync(existsSync(${JSON.stringify(flag)}) ? { ...stream, nfd: 999999 } : stream);
      }`);
    const child = startChild(join(root, "broken"), BREAK_THE_DISK(flag), { tracer });
    const { code, stderr } = await exitOf(child);
    expect(existsSync(flag)).toBe(true);
    expect(stderr).toContain("fsync failed");
    expect(stderr).not.toContain("answered all the same");
    expect(code).toBe(74);
  }, 60_000);

  test("a PGlite whose commits do not reach the disk is refused at boot", async () => {
    const tracer = moduleOf("export function trace({ stream_ops }) { stream_ops.fsync = () => 0; }");
    await expect(openEmbedded(join(root, "no-fsync"), { tracer })).rejects.toThrow(
      "a commit returned without an fsync",
    );
  }, 60_000);

  test("the WAL is recycled, and memory stays below 400 MB", async () => {
    const folder = join(root, "growth");
    const child = startChild(folder, INSERT_A_LOT, { checkpointBytes: 16 * 1024 * 1024 });
    const peak = Number(await firstLine(child));
    child.kill("SIGKILL");
    expect(
      readdirSync(join(folder, "postgres", "pg_wal")).filter((name) => name.length === 24).length,
    ).toBeLessThanOrEqual(7);
    // Read from /proc; elsewhere 0. What V8 takes to optimise the SQL grammar alone would be 600 MB.
    expect(peak).toBeLessThan(400);
  }, 120_000);
});

/** PostgreSQL's binary form of text[]: dimensions, no nulls, element type 25, length, lower bound, elements. */
function binaryTextArray(elements: Buffer[]): Buffer {
  const head = Buffer.alloc(20);
  [1, 0, 25, elements.length, 1].forEach((value, index) => head.writeInt32BE(value, index * 4));
  const parts = elements.flatMap((element) => {
    const length = Buffer.alloc(4);
    length.writeInt32BE(element.length);
    return [length, element];
  });
  return Buffer.concat([head, ...parts]);
}

const INSERT_FOR_EVER = `
  await database.query("create table if not exists acked (id bigint generated always as identity primary key, body text)");
  for (;;) {
    const { rows } = await database.query("insert into acked (body) values (repeat('x', 2000)) returning id");
    process.stdout.write(rows[0].id + "\\n");
  }`;

const BREAK_THE_DISK = (flag: string): string => `
  const { writeFileSync } = await import("node:fs");
  await database.query("create table items (id int)");
  writeFileSync(${JSON.stringify(flag)}, "");
  await database.query("insert into items values (1)").then(() => console.error("answered all the same"), () => undefined);
  setInterval(() => undefined, 1000);`;

const INSERT_A_LOT = `
  const { existsSync, readFileSync } = await import("node:fs");
  await database.query("create table items (id bigint generated always as identity primary key, body text)");
  await database.query("alter table items alter body set storage external");
  const bodies = Array.from({ length: 64 }, () => "x".repeat(4000));
  for (let batch = 0; batch < 500; batch += 1) {
    await database.query({ name: "insert", text: "insert into items (body) select unnest($1::text[])", values: [bodies] });
  }
  const status = existsSync("/proc/self/status") ? readFileSync("/proc/self/status", "utf8") : "";
  console.log(Math.round(Number(/VmHWM:\\s+(\\d+)/.exec(status)?.[1] ?? 0) / 1024));
  setInterval(() => undefined, 1000);`;
