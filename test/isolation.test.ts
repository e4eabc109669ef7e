// A tenant sees only its own data, and the database sees to it: on both databases, in every table that has tenants.
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { systemClock } from "../src/base/clock.ts";
import type { Queryable, Statement } from "../src/db/database.ts";
import { type TenantScope, tenantScope } from "../src/db/tenant-scope.ts";
import { ensurePartitions } from "../src/inbox/partitions.ts";
import {
  insertOf,
  newTenants,
  openScene,
  type Populated,
  populate,
  type Scene,
  type TenantTable,
  tenantTables,
} from "./support/isolation-scene.ts";
import { BOTH } from "./support/pipe.ts";

const DENIED = { code: "42501" };
const [ADA, BOB, CAROL] = newTenants(3) as [string, string, string];
const TENANTS = [ADA, BOB, CAROL];

describe.each(BOTH)("isolation by the database, %s database", (kind) => {
  let scene: Scene;
  let tables: TenantTable[];
  let counts: Populated;
  const as = (tenantId: string): TenantScope => tenantScope(scene.api, { tenantId });
  beforeAll(async () => {
    scene = await openScene(kind);
    tables = await tenantTables(scene.owner);
    counts = await populate(
      scene.owner,
      tables,
      TENANTS,
      (table, tenant) => (table.length + tenant.charCodeAt(29)) % 3,
    );
    // One month more than at the first start: its partition is made while everything runs.
    await ensurePartitions(scene.owner, systemClock);
  });
  afterAll(() => scene.close());

  it("every table that has tenants binds both the tenants' role and its owner, and nothing else is open", async () => {
    expect(tables.length).toBeGreaterThan(25);
    expect(await unbound(scene.owner)).toEqual([]);
    await undone(scene.owner, async (tx) => {
      await tx.query("create table forgotten (tenant_id text)");
      await tx.query("create table given (id text)");
      await tx.query("grant select on given to billhook_tenant");
      await tx.query("alter table facts no force row level security");
      await tx.query("drop policy of_owner on invoices");
      expect(await unbound(tx)).toEqual(["facts", "forgotten", "given", "invoices"]);
    });
  });

  it("a tenant reads its own rows, and nothing without a tenant", async () => {
    for (const { name, owned } of tables) {
      const readable = name === "tenants" ? "id" : owned;
      const seen = await as(ADA).query<{ tenant: string }>(`select ${readable} as tenant from ${name}`);
      expect([name, ...seen.rows.map(({ tenant }) => tenant)]).toEqual([
        name,
        ...Array.from({ length: counts.get(`${name} ${ADA}`) ?? NaN }, () => ADA),
      ]);
      await undone(scene.api, async (tx) => {
        await tx.query("set local role billhook_tenant");
        expect([name, (await tx.query(`select ${readable} from ${name}`)).rowCount]).toEqual([name, 0]);
      });
    }
  });

  it.each([
    "select password_hash from people",
    "select * from people",
    "select hash from api_keys",
    "select token_hash from invitations",
    "select from sessions",
    "select from refresh_tokens",
    "select from one_time_tokens",
    "select from rate_limits",
    "select from stripe_event_queue",
    "select from stripe_event_attempts",
    "select from stripe_event_outcomes",
    "select from stripe_fetches",
    "select from billhook_migrations",
    "select from mail_queue",
    "update invoices set status = 'paid'",
    "delete from stripe_events",
    "insert into facts select * from facts",
    "update connections set tenant_id = tenant_id",
    "update connections set status = 'active'",
    "select state_hash from connect_states",
    "update connect_states set used_at = null",
    "update tenants set platform = true",
    "delete from tenants",
    "insert into people select * from people",
    "truncate invoices",
    "alter table invoices disable row level security",
    "drop policy of_tenant on invoices",
    "create policy mine on invoices using (true)",
    "grant select on people to billhook_tenant",
    "create table mine (id text)",
    "create function mine() returns int language sql as 'select 1'",
    "select isolate_table('invoices')",
    "copy invoices to program 'cat'",
  ])("request code may not: %s", async (text) => {
    await expect(as(ADA).query(text)).rejects.toMatchObject(DENIED);
  });

  it("row security cannot be turned off: the query fails instead", async () => {
    const off = as(ADA).transaction(async (tx) => {
      await tx.query("set local row_security = off");
      await tx.query("select id from invoices");
    });
    await expect(off).rejects.toMatchObject(DENIED);
  });

  it("a tenant sees the people who are its members", async () => {
    const { rows } = await scene.owner.query<{ person_id: string }>({
      text: "select person_id from memberships where tenant_id = $1 order by 1",
      values: [BOB],
    });
    const seen = await as(BOB).query<{ id: string }>("select id from people order by 1");
    expect(seen.rows.map(({ id }) => id)).toEqual(rows.map(({ person_id }) => person_id));
  });

  it("neither role nor tenant outlives a transaction, however it ends", async () => {
    const standing = async (): Promise<unknown> =>
      (
        await scene.api.query(
          "select current_user = session_user as himself, coalesce(current_setting('billhook.tenant', true), '') as tenant",
        )
      ).rows;
    const free = [{ himself: true, tenant: "" }];
    await as(ADA).query("select 1");
    expect(await standing()).toEqual(free);
    await expect(as(ADA).query("select 1 / 0")).rejects.toMatchObject({ code: "22012" });
    expect(await standing()).toEqual(free);
    await expect(as(ADA).transaction(() => Promise.reject(new Error("ours")))).rejects.toThrow("ours");
    expect(await standing()).toEqual(free);
    // One connection, many callers: each is somebody else.
    const seen = await Promise.all(
      [...TENANTS, ...TENANTS].map((tenant) => as(tenant).query<{ id: string }>("select id from tenants")),
    );
    expect(seen.map(({ rows }) => rows.map(({ id }) => id))).toEqual([...TENANTS, ...TENANTS].map((id) => [id]));
    expect(await standing()).toEqual(free);
  });

  it("a scope is for a tenant, and for nobody else", () => {
    for (const tenantId of ["", "ten_", "usr_01jd0000000000000000000000", `${ADA}' or true`]) {
      expect(() => as(tenantId)).toThrow("a tenant scope needs a tenant's id");
    }
  });

  describe("even if request code had every right on every table", () => {
    beforeAll(async () => {
      for (const { name } of tables) {
        await scene.owner.query(`grant select, insert, update, delete on ${name} to billhook_tenant`);
      }
      await scene.owner.query(TATTLE);
    });

    it("whatever it asks, a tenant reads and writes its own rows only", async () => {
      const step = fc.record({
        mine: fc.constantFrom(...TENANTS),
        other: fc.constantFrom(...TENANTS),
        table: fc.constantFrom(...tables),
        second: fc.constantFrom(...tables),
        act: fc.constantFrom(...ACTS),
      });
      await fc.assert(
        fc.asyncProperty(step, async ({ mine, other, table, second, act }) => {
          const count = counts.get(`${table.name} ${mine}`) ?? NaN;
          await undone(as(mine), (tx) => act({ tx, mine, other, table, second, count }));
        }),
        { numRuns: 400 },
      );
    });

    it("a row of another tenant is neither replaced nor taken over by an upsert", async () => {
      for (const table of tables.filter(({ name }) => (counts.get(`${name} ${BOB}`) ?? 0) > 0)) {
        const { rows } = await scene.owner.query({
          text: `select * from ${table.name} where ${table.owned} = $1 limit 1`,
          values: [BOB],
        });
        const same = insertOf(table, table.name === "tenants" ? BOB : ADA, rows[0]);
        const key = await keyOf(scene.owner, table.name);
        const upsert = {
          ...same,
          text: `${same.text} on conflict (${key}) do update set ${table.owned} = excluded.${table.owned}`,
        };
        const carriesTenant = key.split(", ").includes("tenant_id");
        const done = undone(as(ADA), (tx) => tx.query(upsert));
        if (carriesTenant) await done.catch((error: unknown) => expect(error).toMatchObject({ code: "23505" }));
        else await expect(done, table.name).rejects.toMatchObject(DENIED);
      }
    });
  });
});

interface Step {
  tx: Queryable;
  mine: string;
  other: string;
  table: TenantTable;
  second: TenantTable;
  /** Rows of the table that are mine. */
  count: number;
}

/** What request code might ask, each with what must come of it. */
const ACTS: readonly ((step: Step) => Promise<void>)[] = [
  async function reads({ tx, mine, table, count }) {
    expect(await owners(tx, `select ${table.owned} as tenant from ${table.name}`)).toEqual(mineOnly(mine, count));
  },
  async function joins({ tx, table, second }) {
    const text = `select from ${table.name} as a join ${second.name} as b on a.${table.owned} is distinct from b.${second.owned}`;
    expect((await tx.query(text)).rowCount).toBe(0);
  },
  async function asksForAnother({ tx, mine, other, table, count }) {
    const text = `select ${table.owned} as tenant from ${table.name} where ${table.owned} = $1 or ${table.owned} is null`;
    expect(await owners(tx, { text, values: [other] })).toEqual(mineOnly(mine, mine === other ? count : 0));
  },
  async function callsFunctions({ tx, table, count }) {
    // It fails on a row of another tenant: also the planner must not show it one.
    expect((await tx.query(`select from ${table.name} where tattle(${table.owned})`)).rowCount).toBe(count);
    const { rows } = await tx.query<{ count: number }>(`select (select count(*) from ${table.name}) as count`);
    expect(rows).toEqual([{ count }]);
  },
  async function updates({ tx, mine, table, count }) {
    if (APPEND_ONLY.has(table.name) && count > 0) return;
    const text = `update ${table.name} set ${table.owned} = ${table.owned} returning ${table.owned} as tenant`;
    expect(await owners(tx, text)).toEqual(mineOnly(mine, count));
    const within = await owners(tx, `with changed as (${text}) select tenant from changed`);
    expect(within).toEqual(mineOnly(mine, count));
  },
  async function givesAway({ tx, mine, other, table, count }) {
    if (APPEND_ONLY.has(table.name) || count === 0 || mine === other) return;
    const given = tx.query({ text: `update ${table.name} set ${table.owned} = $1`, values: [other] });
    await expect(given).rejects.toMatchObject(DENIED);
  },
  async function deletes({ tx, mine, table, count }) {
    if (APPEND_ONLY.has(table.name) || table.referenced) return;
    const text = `delete from ${table.name} returning ${table.owned} as tenant`;
    expect(await owners(tx, text)).toEqual(mineOnly(mine, count));
  },
  async function insertsItsOwn({ tx, mine, table, count }) {
    if (table.name === "tenants" || table.name === "memberships") return;
    if (ONE_A_MODE.has(table.name) && count > 0) return;
    const insert = insertOf(table, mine);
    const made = await owners(tx, { ...insert, text: `${insert.text} returning ${table.owned} as tenant` });
    expect(made).toEqual([mine]);
  },
  async function insertsForAnother({ tx, mine, other, table }) {
    if (mine === other) return;
    await expect(tx.query(insertOf(table, other))).rejects.toMatchObject(DENIED);
  },
  async function insertsForNobody({ tx, table }) {
    if (table.nullable) await expect(tx.query(insertOf(table, null))).rejects.toMatchObject(DENIED);
  },
];

/** A trigger refuses what row security would let through. */
const APPEND_ONLY = new Set(["audit_log", "credit_entries"]);

/** A row that is there already may leave no room for the next. */
const ONE_A_MODE = new Set(["account_creations"]);

const mineOnly = (mine: string, count: number): string[] => Array.from({ length: count }, () => mine);

async function owners(tx: Queryable, statement: Statement | string): Promise<(string | null)[]> {
  return (await tx.query<{ tenant: string | null }>(statement)).rows.map(({ tenant }) => tenant);
}

/** Runs `work` and takes everything back. */
async function undone(
  database: Pick<TenantScope, "transaction">,
  work: (tx: Queryable) => Promise<unknown>,
): Promise<void> {
  const taken = new Error("taken back");
  await database
    .transaction(async (tx) => {
      await work(tx);
      throw taken;
    })
    .catch((error: unknown) => {
      if (error !== taken) throw error;
    });
}

/** Tables that show rows which they should not: without both policies, or open to request code without any. */
async function unbound(database: Queryable): Promise<string[]> {
  return (await database.query<{ name: string }>(UNBOUND)).rows.map(({ name }) => name);
}

async function keyOf(database: Queryable, table: string): Promise<string> {
  const { rows } = await database.query<{ key: string }>({ text: KEY_OF, values: [table] });
  return rows[0]?.key ?? "";
}

// mail_queue has no tenant of its own: request code may insert there, and nothing else.
const UNBOUND = `
  select class.relname as name from pg_class as class
  where class.relkind in ('r', 'p') and not class.relispartition and class.relnamespace = 'public'::regnamespace
    and (exists (select from pg_attribute where attrelid = class.oid and attname = 'tenant_id' and not attisdropped)
      or has_table_privilege('billhook_tenant', class.oid, 'select, update, delete, truncate, trigger')
      or has_any_column_privilege('billhook_tenant', class.oid, 'select, update'))
    and not (class.relrowsecurity and class.relforcerowsecurity
      and 2 = (select count(*) from pg_policy where polrelid = class.oid and polcmd = '*' and polpermissive)
      and exists (select from pg_policy where polrelid = class.oid and polroles = array[to_regrole('billhook_tenant')::oid]
                  and pg_get_expr(polqual, polrelid) like '%billhook.tenant%'
                  and pg_get_expr(polwithcheck, polrelid) = pg_get_expr(polqual, polrelid))
      and exists (select from pg_policy where polrelid = class.oid and polroles = array[class.relowner]))
  union all
  -- What runs with its owner's rights would be a door.
  select proname from pg_proc where prosecdef and pronamespace = 'public'::regnamespace
  union all
  -- A view shows what its owner sees. A partition has no policies: request code reaches it through its table alone.
  select relname from pg_class
  where relnamespace = 'public'::regnamespace and (relkind in ('v', 'm') or relispartition)
    and has_any_column_privilege('billhook_tenant', oid, 'select, insert, update')
  order by name`;

const KEY_OF = `
  select string_agg(attname, ', ' order by array_position(conkey, attnum)) as key
  from pg_constraint join pg_attribute on attrelid = conrelid and attnum = any (conkey)
  where contype = 'p' and conrelid = $1::regclass`;

const TATTLE = `
  create function tattle(tenant text) returns boolean language plpgsql as $$
  begin
    if tenant is distinct from current_setting('billhook.tenant', true) then raise 'a row of % was seen', tenant; end if;
    return true;
  end $$`;
