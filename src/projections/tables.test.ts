// The migrations make exactly the tables that the projections declare.
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { freshDatabase } from "../../test/support/postgres.ts";
import type { Database } from "../db/database.ts";
import { migrate } from "../db/migrate.ts";
import { openServer } from "../db/server.ts";
import type { ColumnType } from "./projection.ts";
import { PROJECTIONS } from "./registry.ts";

const SQL_TYPE: Record<ColumnType, string> = {
  text: "text",
  bigint: "bigint",
  boolean: "boolean",
  time: "timestamp with time zone",
  json: "jsonb",
  decimal: "numeric",
};

const HEAD = [
  "data text not null",
  "head_standing smallint not null",
  "head_created bigint not null",
  "head_kind smallint not null",
  "head_event_id text not null",
  "order_ambiguous boolean not null",
  "unread_fields ARRAY not null",
  "kept text",
  "updated_at timestamp with time zone not null",
];

/** By migrations behind the first: at the end, wherever they are declared. */
const ADDED = ["line_period_start", "line_period_end"];
const isAdded = (column: string): boolean => ADDED.some((name) => column.startsWith(`${name} `));

let database: Database;
beforeAll(async () => {
  database = await openServer({ url: await freshDatabase(), poolSize: 1 });
  await migrate(database);
});
afterAll(() => database.close());

async function columnsOf(table: string): Promise<string[]> {
  const { rows } = await database.query<{ column: string }>({
    text: `select column_name || ' ' || data_type || case is_nullable when 'NO' then ' not null' else '' end as column
           from information_schema.columns where table_name = $1 order by ordinal_position`,
    values: [table],
  });
  return rows.map((row) => row.column);
}

function declared(columns: Record<string, ColumnType>): string[] {
  return Object.entries(columns).map(([name, type]) => `${name} ${SQL_TYPE[type]}`);
}

describe("the table of every projection", () => {
  it.each(PROJECTIONS.map((projection) => [projection.table, projection] as const))(
    "%s has its columns in order",
    async (table, projection) => {
      const key = ["livemode boolean not null", "stripe_account text not null"];
      const type = projection.objects[0] === "*" ? ["object_type text not null"] : [];
      const own = ["id text not null", "tenant_id text", "deleted boolean not null"];
      const columns = declared(projection.columns);
      const [first, later] = [columns.filter((one) => !isAdded(one)), columns.filter(isAdded)];
      expect(await columnsOf(table)).toEqual([...key, ...type, ...own, ...first, ...HEAD, ...later]);
      for (const child of projection.children ?? []) {
        expect(await columnsOf(child.table)).toEqual([
          ...key,
          "id text not null",
          `${child.parentColumn} text not null`,
          "tenant_id text",
          ...declared(child.columns),
        ]);
      }
    },
  );

  it("keeps snapshots compressed by lz4 where the server has it", async () => {
    const { rows } = await database.query<{ storage: string }>(
      `select distinct attcompression::text || attstorage::text as storage from pg_attribute join pg_class on pg_class.oid = attrelid
       where attname = 'data' and relkind = 'r' and relnamespace = current_schema()::regnamespace`,
    );
    const { rows: lz4 } = await database.query(
      "select from pg_settings where name = 'default_toast_compression' and 'lz4' = any (enumvals)",
    );
    expect(rows).toEqual([{ storage: lz4.length > 0 ? "lx" : "e" }]);
  });
});
