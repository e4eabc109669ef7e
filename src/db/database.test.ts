import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { describe, expect, it } from "vitest";

import { freshDatabase } from "../../test/support/postgres.ts";
import type { Database, TransactionOptions } from "./database.ts";
import { openEmbedded } from "./embedded.ts";
import { databaseFailure } from "./failure.ts";
import { openServer } from "./server.ts";

const OPEN: Record<Database["kind"], (folder: string) => Promise<Database>> = {
  server: async () => openServer({ url: await freshDatabase(), poolSize: 3 }),
  embedded: (folder) => openEmbedded(join(folder, "data")),
};

describe.each(["server", "embedded"] as const)(
  "statements of a transaction that nobody waits for, %s database",
  (kind) => {
    it("run in the order in which they were asked, and behind one that fails nothing is done", async () => {
      const folder = mkdtempSync(join(tmpdir(), "billhook-database-"));
      const database = await OPEN[kind](folder);
      await database.query("create table numbers (number int primary key)");
      const insert = (numbers: number[]): Promise<unknown> =>
        database.transaction((tx) =>
          Promise.all(
            numbers.map((number) => tx.query({ name: "n", text: "insert into numbers values ($1)", values: [number] })),
          ),
        );
      await insert([1, 2, 3]);
      // The error is that of the statement which failed, not of those behind it.
      await expect(insert([4, 2, 5, 6])).rejects.toMatchObject({ code: "23505" });
      expect((await database.query<{ number: number }>("select number from numbers order by ctid")).rows).toEqual(
        [1, 2, 3].map((number) => ({ number })),
      );
      await database.close();
      rmSync(folder, { recursive: true, force: true });
    });

    it("fail with the error of the first that failed, whichever failure is heard of first", async () => {
      const folder = mkdtempSync(join(tmpdir(), "billhook-database-"));
      const database = await OPEN[kind](folder);
      const passedOn = async (depth: number, asked: Promise<unknown>): Promise<unknown> =>
        depth === 0 ? asked : passedOn(depth - 1, asked);
      const both = database.transaction((tx) =>
        // It takes long enough for all to be asked: the failures come together.
        Promise.all([
          passedOn(20, tx.query("select 1 / 0 from pg_sleep(0.05)")),
          tx.query("select 1"),
          tx.query("select 2"),
        ]),
      );
      await expect(both).rejects.toMatchObject({ code: "22012" });
      await database.close();
      rmSync(folder, { recursive: true, force: true });
    });

    it("are planned once where the transaction asks for it, and in no transaction after it", async () => {
      const folder = mkdtempSync(join(tmpdir(), "billhook-database-"));
      const database = await OPEN[kind](folder);
      const mode = { text: "select current_setting('plan_cache_mode') as mode" };
      const modeWith = (options?: TransactionOptions): Promise<unknown> =>
        database.transaction(async (tx) => (await tx.query(mode)).rows[0], options);
      expect(await modeWith({ planOnce: true, durable: false })).toEqual({ mode: "force_generic_plan" });
      expect(await modeWith()).toEqual({ mode: "auto" });
      expect((await database.query(mode)).rows[0]).toEqual({ mode: "auto" });
      await database.close();
      rmSync(folder, { recursive: true, force: true });
    });

    it("are refused once the transaction has ended", async () => {
      const folder = mkdtempSync(join(tmpdir(), "billhook-database-"));
      const database = await OPEN[kind](folder);
      await database.query("create table numbers (number int primary key)");
      let late: Promise<unknown> = Promise.resolve();
      const transaction = database.transaction(async (tx) => {
        const failing = tx.query("select 1 / 0");
        late = failing
          .catch(() => undefined)
          .then(() => undefined)
          .then(() => tx.query("insert into numbers values (1)"));
        late.catch(() => undefined);
        await failing;
      });
      await expect(transaction).rejects.toMatchObject({ code: "22012" });
      await expect(late).rejects.toThrow();
      expect((await database.query("select from numbers")).rowCount).toBe(0);
      await database.close();
      rmSync(folder, { recursive: true, force: true });
    });
  },
);

it("a connection that is lost inside a transaction fails that transaction, and nothing else", async () => {
  const database = await openServer({ url: await freshDatabase(), poolSize: 3 });
  const failure = await database
    .transaction(async (tx) => {
      const { rows } = await tx.query<{ pid: number }>("select pg_backend_pid() as pid");
      await database.query({ text: "select pg_terminate_backend($1)", values: [rows[0]?.pid] });
      await tx.query("select 1");
    })
    .catch((error: unknown) => error);
  expect(databaseFailure(failure)).toBe("unavailable");
  expect((await database.query<{ one: number }>("select 1 as one")).rows).toEqual([{ one: 1 }]);
  await database.close();
});

it("tells the work's own failures from the database's", () => {
  const withCode = (code: string): Error => Object.assign(new Error("x"), { code });
  expect(["40P01", "40001"].map((code) => databaseFailure(withCode(code)))).toEqual(["conflict", "conflict"]);
  for (const code of ["08006", "53300", "57P01", "42703", "28P01", "ECONNREFUSED"]) {
    expect(databaseFailure(withCode(code))).toBe("unavailable");
  }
  for (const code of ["22021", "23505", "57014", "ERR_INVALID_ARG_TYPE"]) {
    expect(databaseFailure(withCode(code))).toBe("content");
  }
  expect(databaseFailure(new RangeError("ours"))).toBe("content");
  // PostgreSQL cannot read a message: ERROR. PgBouncer has no server for it: FATAL.
  expect(databaseFailure(Object.assign(withCode("08P01"), { severity: "ERROR" }))).toBe("content");
  expect(databaseFailure(Object.assign(withCode("08P01"), { severity: "FATAL" }))).toBe("unavailable");
});

it.each(["server", "embedded"] as const)(
  "no statement is compiled, from the first one on, %s database",
  async (kind) => {
    const folder = mkdtempSync(join(tmpdir(), "billhook-database-"));
    const database = await OPEN[kind](folder);
    const ask = () => database.query("select current_setting('jit') as jit, pg_sleep(0.05)");
    const answers = await Promise.all([ask(), ask(), ask()]);
    expect(answers.map(({ rows }) => rows[0]?.jit)).toEqual(["off", "off", "off"]);
    await database.close();
    rmSync(folder, { recursive: true, force: true });
  },
);

// Else it would wait for a collection of the whole memory, which stops everything for ten times as long.
it("what a statement carried goes with the next small collection", async () => {
  const program = fileURLToPath(new URL("../../test/support/statement-memory.ts", import.meta.url));
  const flags = ["--expose-gc", "--single-threaded-gc", "--predictable-gc-schedule"];
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, program, await freshDatabase()]);
  // None to two: what is collected when 200 MB have come and gone. Thirteen to twenty where they stay.
  expect(Number(stdout)).toBeLessThan(6);
});
