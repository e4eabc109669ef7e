// Isolation on a server: the API's login can do nothing but serve tenants, and the owner of the tables need be no superuser.
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { systemClock } from "../src/base/clock.ts";
import { newId } from "../src/base/ids.ts";
import { silentLog } from "../src/base/log.ts";
import { Secret } from "../src/base/secret.ts";
import { apiRoleName, apiUrlOf, ensureApiRole, refusePrivilegedLogin } from "../src/db/api-role.ts";
import type { Database } from "../src/db/database.ts";
import { migrate } from "../src/db/migrate.ts";
import { openServer } from "../src/db/server.ts";
import { tenantScope } from "../src/db/tenant-scope.ts";
import { insertEvents } from "../src/inbox/event-tables.ts";
import { ensurePartitions } from "../src/inbox/partitions.ts";
import { processOnce } from "../src/inbox/process.ts";
import { incomingEvent } from "../src/inbox/receive.ts";
import { listStripeEvents } from "../src/inbox/stripe-event-reads.ts";
import { readEnvelope } from "../src/stripe/envelope.ts";
import { ask, openScene, type Scene } from "./support/isolation-scene.ts";
import { createDatabase, startPostgres } from "./support/postgres.ts";
import { event, NEW_API } from "./support/stripe-fixtures.ts";
import { newInvoice, PAID } from "./support/stripe-fixtures-billing.ts";

const DENIED = { code: "42501" };
const ADA = newId("ten");

describe("isolation on a server", () => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await openScene("server");
  });
  afterAll(() => scene.close());
  const opened = async (url: string, work: (database: Database) => Promise<unknown>): Promise<unknown> => {
    const database = await openServer({ url, poolSize: 1 });
    return work(database).finally(() => database.close());
  };

  it.each([
    "select * from tenants",
    "insert into tenants (id) values ('ten_x')",
    "select set_config('role', (select tableowner from pg_tables where tablename = 'invoices'), false)",
    "do $$ begin execute format('set role %I', (select tableowner from pg_tables where tablename = 'invoices')); end $$",
    "do $$ begin execute format('set session authorization %I', (select tableowner from pg_tables where tablename = 'invoices')); end $$",
    "set role pg_read_all_data",
    "create role friend",
    "alter role billhook_tenant bypassrls",
  ])("the API's login may not, without a scope: %s", async (text) => {
    await expect(scene.api.query(text)).rejects.toMatchObject(DENIED);
  });

  it("the pipe works for an owner whom row security binds, and the tenant sees what it made", async () => {
    const rows = async (database: Pick<Database, "query">, table: string): Promise<number> =>
      (await database.query(`select id from ${table}`)).rowCount;
    const platform = tenantScope(scene.api, { tenantId: scene.platformTenant });
    const invoices = ["in_bound1", "in_bound2"].map((id) => newInvoice({ id, ...PAID }));
    const events = invoices.map((invoice) => {
      const payload = Buffer.from(JSON.stringify(event("invoice.paid", invoice, { apiVersion: NEW_API })));
      const reading = readEnvelope(payload);
      if (!reading.ok) throw new Error(reading.detail);
      return incomingEvent(reading.envelope, payload, scene.platformTenant);
    });
    expect((await insertEvents(scene.owner, events)).size).toBe(2);
    expect((await insertEvents(scene.owner, events)).size).toBe(0);
    const ignore = (): undefined => undefined;
    const done = await processOnce({
      database: scene.owner,
      clock: systemClock,
      log: silentLog,
      context: { kind: "server", platformTenant: scene.platformTenant },
      metrics: { batch: ignore, retried: ignore, failed: ignore },
      leaseSeconds: 30,
      maxAttempts: 3,
      batchSize: 50,
      newLease: () => newId("node"),
    });
    expect(done.claimed).toBe(2);
    expect((await listStripeEvents(scene.owner, { types: [], status: "processed", limit: 10 })).data).toHaveLength(2);
    for (const table of ["stripe_events", "invoices"]) {
      expect([table, await rows(scene.owner, table), await rows(platform, table)]).toEqual([table, 2, 2]);
      expect(await rows(tenantScope(scene.api, { tenantId: ADA }), table)).toBe(0);
    }
  });

  it("nor can SQL within a scope become more than that login", async () => {
    const escaped = tenantScope(scene.api, { tenantId: ADA }).transaction(async (tx) => {
      await tx.query("reset role");
      await tx.query("select * from invoices");
    });
    await expect(escaped).rejects.toMatchObject(DENIED);
  });

  it("the months that are made at run time are reached through their table alone", async () => {
    await ensurePartitions(scene.owner, systemClock);
    await ensurePartitions(scene.owner, { ...systemClock, now: () => Date.UTC(2031, 4, 5) });
    const { rows } = await scene.owner.query<{ name: string }>(
      "select inhrelid::regclass::text as name from pg_inherits where inhparent = 'stripe_events'::regclass",
    );
    expect(rows.map(({ name }) => name)).toContain("stripe_events_2031_05");
    for (const { name } of rows) {
      const read = tenantScope(scene.api, { tenantId: ADA }).query(`select id from ${name}`);
      await expect(read).rejects.toMatchObject(DENIED);
    }
  });

  it("only a login that is bound is taken for the API's", async () => {
    await refusePrivilegedLogin(scene.api);
    await expect(refusePrivilegedLogin(scene.owner)).rejects.toThrow(/may create roles: it cannot be the API's login/);
  });

  it("the login's password can be changed, by several nodes at once", async () => {
    const login = { ...scene.login, password: new Secret("another-password-of-it") };
    await Promise.all([1, 2, 3].map(() => ensureApiRole(scene.owner, login)));
    await opened(apiUrlOf(scene.url, login), (api) =>
      tenantScope(api, { tenantId: ADA }).query("select id from tenants"),
    );
    await expect(opened(apiUrlOf(scene.url, scene.login), (api) => api.query("select 1"))).rejects.toMatchObject({
      code: "28P01",
    });
    await ensureApiRole(scene.owner, scene.login);
  });

  it("a role of that name that can do more is not given away", async () => {
    await expect(ensureApiRole(scene.owner, { ...scene.login, name: ownerOf(scene.url) })).rejects.toThrow(
      /may create roles/,
    );
  });

  it("the login's name and address", () => {
    const url = "postgres://owner:p%40ss@db.example:5433/bill?sslmode=require&user=x";
    const login = { name: apiRoleName(url), password: new Secret("a/b:c@d-long-enough") };
    expect(apiUrlOf(url, login)).toBe(
      "postgres://billhook_api_bill:a%2Fb%3Ac%40d-long-enough@db.example:5433/bill?sslmode=require",
    );
    expect(apiRoleName("postgres://db/Our-Bills")).toMatch(/^billhook_api_[0-9a-f]{16}$/);
  });
});

describe("a managed PostgreSQL, whose owner is no superuser", () => {
  it("one who may create roles needs nobody else; one who may not is told what to ask for", async () => {
    const server = await startPostgres({ source: "embedded" });
    try {
      const password = new Secret("the-password-of-these-tests");
      const as = (name: string): string => apiUrlOf(server.url, { name, password });
      await ask(server.url, [
        `create role helpless login createdb password '${password.reveal()}'`,
        `create role helpful login createdb createrole password '${password.reveal()}'`,
      ]);
      const helpless = await openServer({ url: await createDatabase(as("helpless"), "poor"), poolSize: 2 });
      await expect(migrate(helpless)).rejects.toThrow(
        /run: create role billhook_tenant nologin noinherit; grant billhook_tenant to helpless with admin option; and start again/,
      );

      const url = await createDatabase(as("helpful"), "rich");
      const helpful = await openServer({ url, poolSize: 2 });
      await migrate(helpful);
      const login = { name: apiRoleName(url), password };
      await ensureApiRole(helpful, login);
      const api = await openServer({ url: apiUrlOf(url, login), poolSize: 1 });
      await refusePrivilegedLogin(api);
      await tenantScope(api, { tenantId: ADA }).query("select id from invoices");
      await tenantScope(helpful, { tenantId: ADA }).query("select id from invoices");

      // The role is there now, made by somebody else: its grant is all that is missing.
      await ask(server.url, ["grant billhook_tenant to helpless"]);
      await migrate(helpless);
      await expect(ensureApiRole(helpless, { name: "billhook_api_poor", password })).rejects.toThrow(
        /create role billhook_api_poor login noinherit .* and set DATABASE_API_URL/,
      );
      await Promise.all([api.close(), helpful.close(), helpless.close()]);
    } finally {
      await server.stop();
    }
  });
});

const ownerOf = (url: string): string => new URL(url).username;
