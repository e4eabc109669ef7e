import { expect, it } from "vitest";

import { freshDatabase } from "../../test/support/postgres.ts";
import { databaseFailure } from "./failure.ts";
import { openServer } from "./server.ts";

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
});
