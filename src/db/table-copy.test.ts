// A table that was copied is the same, bit by bit, whatever its values and types are, and whichever database it goes to.
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { BOTH, openPipe, type Pipe } from "../../test/support/pipe.ts";
import {
  fillTable,
  fixTextForms,
  linesOf,
  rowTally,
  setCounter,
  readCounters,
  tableShapes,
  tallyOf,
} from "./table-copy.ts";

const ODD = [
  "",
  " ",
  "null",
  "NULL",
  '"',
  "'",
  "\\",
  "\\N",
  "\\x00",
  "a\tb\nc\r",
  "{a,b}",
  "\u0001\u007f",
  "é 漢 😀 \u2028\uFFFD",
  "$1",
];

const TABLE = `
  create table every_type (
    id bigint generated always as identity primary key, "Odd ""name" text, b boolean, s smallint, i integer, n numeric,
    f double precision, at timestamptz, d date, span interval, bytes bytea, j jsonb, js json, list text[], numbers bigint[],
    twice bigint generated always as (id * 2) stored
  )`;
const ROWS = `
  insert into every_type ("Odd ""name", b, s, i, n, f, at, d, span, bytes, j, js, list, numbers)
  select odd, odd = '', -32768, 2147483647, 123456789012345678901234567890.1234500, 0.1::float8 + 0.2,
         timestamptz '2026-11-21T12:00:00.123456Z', date '0044-03-15 BC', interval '1 mon -3 days 04:05:06.000007',
         decode('00ff5c0a', 'hex'), jsonb_build_object('k', odd, 'n', 1.10), json '{"a" :1,  "a":2}', array[odd, null, 'x'],
         array[]::bigint[]
  from unnest($1::text[]) as odd`;
const ROW_OF_LIMITS = `
  insert into every_type (n, f, at, d, bytes, j, numbers)
  values ('NaN', '-infinity', 'infinity', '-infinity', '', 'null', array[null, 9007199254740993])`;

describe.each(BOTH)("from the %s database", (from) => {
  let source: Pipe;
  beforeAll(async () => {
    source = await openPipe(from);
    await source.database.query(TABLE);
    await source.database.query({ text: ROWS, values: [ODD] });
    await source.database.query(ROW_OF_LIMITS);
    // A counter that is further than its rows.
    await source.database.query("select setval(pg_get_serial_sequence('every_type', 'id'), 1000)");
  });
  afterAll(() => source.close());

  it.each(BOTH)(
    "to the %s database",
    async (to) => {
      const target = await openPipe(to);
      const known = new Set(["every_type"]);
      await target.database.query(TABLE);
      // Whatever a server's defaults are.
      await target.database.query("set datestyle = 'SQL, DMY'");
      const copied = await source.database.transaction(async (tx) => {
        await fixTextForms(tx);
        const [shape] = await tableShapes(tx, known);
        if (shape === undefined) throw new Error("the table is not seen");
        const lines: string[] = [];
        for await (const batch of linesOf(tx, shape)) lines.push(...batch);
        return { shape, lines, tally: await tallyOf(tx, shape), counters: await readCounters(tx, [shape]) };
      });
      expect(copied.lines).toHaveLength(ODD.length + 1);
      expect(copied.shape.columns.map(({ name }) => name)).not.toContain("twice");
      const found = await target.database.transaction(async (tx) => {
        await fixTextForms(tx);
        await fillTable(
          tx,
          copied.shape,
          copied.lines.toReversed().map((line) => JSON.parse(line) as (string | null)[]),
        );
        for (const counter of copied.counters) await setCounter(tx, counter);
        const { rows } = await tx.query<{ id: number; twice: number }>(
          "insert into every_type (b) values (true) returning id, twice",
        );
        expect(rows).toEqual([{ id: 1001, twice: 2002 }]);
        await tx.query("delete from every_type where id = 1001");
        return tallyOf(tx, copied.shape);
      });
      expect(found).toEqual(copied.tally);
      await target.close();
    },
    60_000,
  );
});

describe("the sum of rows", () => {
  const sumOf = (lines: string[]): unknown => {
    const tally = rowTally();
    for (const line of lines) tally.add(line);
    return tally.result();
  };

  it("is the same in any order, and another one when a row is missing, doubled or changed", () => {
    const lines = Array.from({ length: 1000 }, (_, index) => `["${index}"]`);
    const sum = sumOf(lines);
    expect(sumOf(lines.toReversed())).toEqual(sum);
    expect(sumOf(lines.map((line) => Buffer.from(line).toString()))).toEqual(sum);
    for (const other of [lines.slice(1), [...lines, '["0"]'], ["x", ...lines.slice(1)], ['["1"]', ...lines.slice(1)]])
      expect(sumOf(other)).not.toEqual(sum);
  });
});

describe("a table of which this login does not see all rows", () => {
  it("is refused, not copied in part", async () => {
    const pipe = await openPipe("server");
    await pipe.database.query("drop policy of_owner on facts");
    const asOwner = pipe.database.transaction(async (tx) => {
      await tx.query("create role copies_tables_of_a_test nologin");
      await tx.query("grant select on all tables in schema public to copies_tables_of_a_test");
      await tx.query("set local role copies_tables_of_a_test");
      await tableShapes(tx, new Set(["facts"]));
    });
    await expect(asOwner).rejects.toThrow(/Row-level security hides rows of facts/);
    await pipe.close();
  });
});
