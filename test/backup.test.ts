// Backup and restore: what is restored is what was, row by row, between any two kinds of database; it is the state that the events
// make; and a file that is not as it was written changes nothing.
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { constants, zstdCompressSync, zstdDecompressSync } from "node:zlib";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { systemClock } from "../src/base/clock.ts";
import { keyRing } from "../src/base/key-ring.ts";
import { Secret } from "../src/base/secret.ts";
import { verifyLedger } from "../src/credits/ledger-verify.ts";
import type { Database } from "../src/db/database.ts";
import { openEmbedded } from "../src/db/embedded.ts";
import { migrationState } from "../src/db/migrate.ts";
import { ownTables } from "../src/db/own-schema.ts";
import { openServer } from "../src/db/server.ts";
import { prepareReading, readCounters, tableShapes, type Tally, tallyOf } from "../src/db/table-copy.ts";
import { rebuild } from "../src/inbox/rebuild.ts";
import { writeBackup } from "../src/operations/backup.ts";
import { sealing } from "../src/operations/backup-format.ts";
import { RESTORE_NAME, restoreIntoFolder, restoreIntoServer } from "../src/operations/restore.ts";
import { checkBackup, checkKey, checkSchema } from "../src/operations/restore-load.ts";
import { BOTH, type Kind, openPipe, type Pipe } from "./support/pipe.ts";
import { freshDatabase } from "./support/postgres.ts";
import { eventsOf, makeAccount, makePurchase } from "./support/purchase-lives.ts";
import { BEGIN } from "./support/stripe-fixtures.ts";
import { everyHandledEvent } from "./support/stripe-fixtures-events.ts";

const ring = keyRing([new Secret("secret-key-of-the-tests-with-enough-characters")]);
const folder = mkdtempSync(join(tmpdir(), "billhook-backup-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

async function* bytesOf(...pieces: Buffer[]): AsyncGenerator<Buffer> {
  for (const piece of pieces) yield piece;
}

/** Every kind of object, events that wait, and a purchase that was paid and partly refunded. */
async function fill(pipe: Pipe): Promise<void> {
  const fixtures = everyHandledEvent().flatMap(({ old, new: newer }) => (old === null ? [newer] : [old, newer]));
  await pipe.arrive(fixtures.map((one, index) => ({ event: { ...one, id: `evt_f${index}`, created: BEGIN + index } })));
  const accountId = await makeAccount(pipe.database, pipe.platformTenant);
  const { id: purchaseId, sessionId } = await makePurchase(pipe.database, { tenantId: pipe.platformTenant, accountId });
  const turns = [{ what: "refund", amount: 300, fails: false }] as const;
  await pipe.arrive(eventsOf({ purchaseId, sessionId, slow: false, old: false, turns }));
  await pipe.drain();
  const [first] = fixtures;
  if (first !== undefined) await pipe.arrive([{ event: { ...first, id: "evt_waits", created: BEGIN + 9000 } }]);
}

async function backupOf(database: Database): Promise<Buffer> {
  const sink = new PassThrough();
  const pieces: Buffer[] = [];
  const written = writeBackup({ database, clock: systemClock, version: "1.2.3", ring }, sink);
  for await (const piece of sink) pieces.push(piece as Buffer);
  await written;
  return Buffer.concat(pieces);
}

/** Into a new place of this kind, which is opened. */
async function restored(
  kind: Kind,
  file: Buffer,
): Promise<{ database: Database; again: (options: { replace: boolean }) => Promise<unknown> }> {
  const options = { key: { ring }, replace: false };
  const bytes = (): AsyncIterable<Buffer> => bytesOf(file);
  if (kind === "server") {
    const database = await openServer({ url: await freshDatabase(), poolSize: 2, name: RESTORE_NAME });
    await restoreIntoServer(database, bytes, options);
    return { database, again: (more) => restoreIntoServer(database, bytes, { ...options, ...more }) };
  }
  const where = mkdtempSync(join(folder, "restored-"));
  await restoreIntoFolder(where, bytes, options);
  return {
    database: await openEmbedded(where),
    again: async (more) => ({ where, ...(await restoreIntoFolder(where, bytes, { ...options, ...more })) }),
  };
}

async function talliesOf(database: Database): Promise<Record<string, Tally>> {
  return database.transaction(async (tx) => {
    await prepareReading(tx);
    const tallies: Record<string, Tally> = {};
    for (const table of await tableShapes(tx, ownTables())) tallies[table.name] = await tallyOf(tx, table);
    return tallies;
  });
}

async function differences(database: Database, platformTenant: string): Promise<unknown[]> {
  const found: unknown[] = [];
  const add = (one: unknown): void => void found.push(one);
  const { done } = await rebuild({
    ...{ database, clock: systemClock, platformTenant, check: true },
    onProgress: () => undefined,
    onDifference: add,
  });
  expect(done).toBeGreaterThan(15);
  await verifyLedger({
    database,
    clock: systemClock,
    after: undefined,
    onProgress: () => undefined,
    onDifference: add,
  });
  return found;
}

describe.each(BOTH)("a backup of the %s database", (kind) => {
  let pipe: Pipe;
  let file: Buffer;
  beforeAll(async () => {
    pipe = await openPipe(kind);
    await fill(pipe);
    file = await backupOf(pipe.database);
  });
  afterAll(() => pipe.close());

  it("holds every table that the migrations make", async () => {
    const { rows } = await pipe.database.query<{ name: string }>(
      `select relname as name from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')
         and not relispartition and relpersistence = 'p' and relname <> 'billhook_migrations' order by 1`,
    );
    const tallies = await talliesOf(pipe.database);
    expect(Object.keys(tallies)).toEqual(rows.map(({ name }) => name));
    const filled = ["stripe_events", "invoices", "facts", "events", "credit_entries", "stripe_event_queue"];
    for (const name of filled) expect([name, (tallies[name]?.rows ?? 0) > 0]).toEqual([name, true]);
    const summary = await checkBackup(bytesOf(file));
    expect(summary.tables).toBe(rows.length);
    expect(summary.header).toMatchObject({ version: "1.2.3", database: { kind } });
  });

  it.each(BOTH)(
    "restored into the %s database has the same rows, 0 differences in a rebuild, and goes on counting where it was",
    async (target) => {
      const { database } = await restored(target, file);
      try {
        expect(await talliesOf(database)).toEqual(await talliesOf(pipe.database));
        expect(await differences(database, pipe.platformTenant)).toEqual([]);
        expect((await migrationState(database)).pending).toEqual([]);
        const shapes = await tableShapes(database, ownTables());
        expect(await readCounters(database, shapes)).toEqual(await readCounters(pipe.database, shapes));
        const keys =
          "select conname from pg_constraint where contype = 'f' and conparentid = 0 and convalidated order by 1";
        expect((await database.query(keys)).rows).toEqual((await pipe.database.query(keys)).rows);
        if (target === "server") {
          const { rows } = await database.query<{ partition: string }>(
            "select distinct tableoid::regclass::text as partition from stripe_events",
          );
          expect(rows.map(({ partition }) => partition)).not.toContain("stripe_events_default");
        }
      } finally {
        await database.close();
      }
    },
    120_000,
  );
});

describe("a restore over what is there", () => {
  let pipe: Pipe;
  let file: Buffer;
  beforeAll(async () => {
    pipe = await openPipe("server");
    await fill(pipe);
    file = await backupOf(pipe.database);
  });
  afterAll(() => pipe.close());

  it("takes the place of a server's rows only when it is told to, and of nothing that is not Billhook's", async () => {
    const { database, again } = await restored("server", file);
    await database.query("create table somebody_elses (id int)");
    await database.query("update tenants set company_name = 'changed since'");
    const before = await talliesOf(database);
    await expect(again({ replace: false })).rejects.toThrow(/nothing was touched.*--replace/);
    expect(await talliesOf(database)).toEqual(before);
    await again({ replace: true });
    expect(await talliesOf(database)).toEqual(await talliesOf(pipe.database));
    expect((await database.query("select * from somebody_elses")).rows).toEqual([]);
    await database.close();
  }, 60_000);

  it("takes the place of an embedded database only when it is told to", async () => {
    const { database, again } = await restored("embedded", file);
    // Whoever has it open keeps it.
    await expect(again({ replace: true })).rejects.toThrow(/already open in process/);
    await database.query("update tenants set company_name = 'changed since'");
    await database.close();
    await expect(again({ replace: false })).rejects.toThrow(/nothing was touched.*--replace/);
    const { where } = (await again({ replace: true })) as { where: string };
    expect(readdirSync(where).filter((name) => !name.startsWith("lock"))).toEqual(["postgres"]);
    const now = await openEmbedded(where);
    expect(await talliesOf(now)).toEqual(await talliesOf(pipe.database));
    await now.close();
  }, 120_000);
});

describe("a file that is not as it was written", () => {
  let file: Buffer;
  /** The lines of the file, changed, in a file that is whole again. */
  const changed = async (change: (text: string) => string): Promise<Buffer> => {
    const text = zstdDecompressSync(file).toString("utf8");
    const frame = zstdCompressSync(change(text), { params: { [constants.ZSTD_c_compressionLevel]: 1 } });
    const seal = sealing();
    seal.end(frame);
    const pieces: Buffer[] = [];
    for await (const piece of seal) pieces.push(piece as Buffer);
    return Buffer.concat(pieces);
  };
  const header = (change: (header: Record<string, unknown>) => void) => (text: string) => {
    const [first = "", ...rest] = text.split("\n");
    const parsed = JSON.parse(first) as Record<string, unknown>;
    change(parsed);
    return [JSON.stringify(parsed), ...rest].join("\n");
  };

  beforeAll(async () => {
    const pipe = await openPipe("server");
    await fill(pipe);
    file = await backupOf(pipe.database);
    await pipe.close();
  });

  it("is refused wherever it was cut off or one bit of it was turned over", async () => {
    const seed = Math.floor(Math.random() * 2 ** 31);
    const place = (turn: number): number => (seed * (turn + 1) * 7919) % file.length;
    for (let turn = 0; turn < 20; turn++) {
      const short = file.subarray(0, place(turn));
      await expect(checkBackup(bytesOf(short)), `seed ${seed}, turn ${turn}`).rejects.toThrow(/cut off/);
      const turned = Buffer.from(file);
      turned[place(turn)] = (turned[place(turn)] ?? 0) ^ (1 << (turn % 8));
      await expect(checkBackup(bytesOf(turned)), `seed ${seed}, turn ${turn}`).rejects.toThrow(
        /checksum does not fit|cut off|no backup|changed/,
      );
    }
    await expect(checkBackup(bytesOf(Buffer.from("no backup at all\n".repeat(20))))).rejects.toThrow(/cut off/);
  });

  it("is refused when a newer or another Billhook wrote it, when a row is missing, doubled or another one, and by what it is told", async () => {
    const cases: [string, (text: string) => string][] = [
      ["backup_newer_format", header((one) => (one.billhook_backup = 2))],
      ["backup_newer_schema", header((one) => (one.migrations as unknown[]).push(...Array<unknown>(99).fill(AFTER)))],
      ["backup_other_schema", header((one) => ((one.migrations as { checksum: string }[])[3] = { ...AFTER }))],
      ["backup_changed", (text) => text.replace(/\n\["[^\n]*/, "")],
      ["backup_changed", (text) => text.replace(/\n\["[^\n]*/, "$&$&")],
      ["backup_changed", (text) => text.replace("evt_f1", "evt_g1")],
      ["backup_malformed", (text) => text.replace(/\n\{"table":"[^\n]*/, "")],
      ["backup_cut_off", (text) => text.replace(/\n\{"done":[^\n]*/, "")],
    ];
    for (const [code, change] of cases) {
      const bad = await changed(change);
      const result = checkBackup(bytesOf(bad)).then((summary) => checkSchema(summary.header));
      await expect(result, code).rejects.toMatchObject({ code });
    }
  });

  it("makes no folder", async () => {
    const where = join(folder, "never");
    const bad = await changed((text) => text.replace("evt_f1", "evt_g1"));
    const result = restoreIntoFolder(where, () => bytesOf(bad), { key: { ring }, replace: false });
    await expect(result).rejects.toMatchObject({ code: "backup_changed" });
    expect(readdirSync(where).filter((name) => !name.startsWith("lock"))).toEqual([]);
  }, 120_000);

  it("is refused without the secret key that opens what is sealed in it", async () => {
    const { header: made } = await checkBackup(bytesOf(file));
    const other = keyRing([new Secret("another-key-of-the-tests-with-enough-characters")]);
    expect(() => checkKey(made, { ring: other })).toThrow(/another SECRET_KEY/);
    expect(() => checkKey(made, { ring: undefined })).toThrow(/no secret key here/);
    const rotated = keyRing(["a-newer-key-of-the-tests-with-enough-characters", SAME].map((one) => new Secret(one)));
    checkKey(made, { ring: rotated });
    checkKey(made, "any");
  });

  it("leaves a server's database as it was", async () => {
    const url = await freshDatabase();
    const database = await openServer({ url, poolSize: 1, name: RESTORE_NAME });
    await restoreIntoServer(database, () => bytesOf(file), { key: { ring }, replace: false });
    const before = await talliesOf(database);
    const bad = await changed((text) => text.replace(/(\{"table":"tenants"[^\n]*\n)[^\n]*\n/, "$1"));
    const options = { key: { ring }, replace: true };
    await expect(restoreIntoServer(database, () => bytesOf(bad), options)).rejects.toMatchObject({
      code: "backup_changed",
    });
    expect(await talliesOf(database)).toEqual(before);
    const node = await openServer({ url, poolSize: 1 });
    await expect(restoreIntoServer(database, () => bytesOf(file), options)).rejects.toThrow(/stop its nodes/);
    await node.close();
    await database.close();
  });
});

const SAME = "secret-key-of-the-tests-with-enough-characters";
const AFTER = { number: 999, name: "0999_later", checksum: "0".repeat(64) };
