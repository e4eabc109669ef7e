// What row-level security costs: the pipe as a bound owner, and requests through the tenant scope. node bench/isolation.ts
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import pg from "pg";

import { systemClock } from "../src/base/clock.ts";
import { newId } from "../src/base/ids.ts";
import { silentLog } from "../src/base/log.ts";
import { Secret } from "../src/base/secret.ts";
import { apiRoleName, apiUrlOf, ensureApiRole } from "../src/db/api-role.ts";
import type { Database, Statement } from "../src/db/database.ts";
import { openEmbedded } from "../src/db/embedded.ts";
import { migrate } from "../src/db/migrate.ts";
import { openServer } from "../src/db/server.ts";
import { tenantScope } from "../src/db/tenant-scope.ts";
import { insertEvents } from "../src/inbox/event-tables.ts";
import { processOnce } from "../src/inbox/process.ts";
import { incomingEvent } from "../src/inbox/receive.ts";
import { readEnvelope } from "../src/stripe/envelope.ts";
import { ensurePlatformTenant } from "../src/tenants/platform.ts";
import { createDatabase, startPostgres } from "../test/support/postgres.ts";
import { event, NEW_API } from "../test/support/stripe-fixtures.ts";
import { newInvoice, PAID } from "../test/support/stripe-fixtures-billing.ts";
import { usageOf } from "./usage.ts";

const ROUNDS = 2;
/** Events a slice; the two databases take turns, so that what else the machine does meets both. */
const SLICE = 1000;
const SLICES = 4;
const BATCH = 100;
const ASKED = 1500;
const PASSWORD = "the-password-of-this-bench";

/** Processor time so far, in microseconds: ours (with the embedded database, which is a thread) and the server's. */
type Meter = () => { ours: number; server: number };

/** Runs `work`; microseconds of processor time for each of `count`. */
async function cost(
  meter: Meter,
  count: number,
  work: () => Promise<unknown>,
): Promise<{ ours: number; server: number }> {
  const before = meter();
  await work();
  const after = meter();
  return { ours: (after.ours - before.ours) / count, server: (after.server - before.server) / count };
}

const shown = ({ ours, server }: { ours: number; server: number }): string =>
  `process ${ours.toFixed(0)} µs, server ${server.toFixed(0)} µs`;

let made = 0;

async function store(database: Database, platformTenant: string): Promise<void> {
  for (let first = 0; first < SLICE; first += BATCH) {
    const batch = Array.from({ length: BATCH }, () => {
      made += 1;
      // Three events an invoice, so that a third are inserts and the others updates.
      const invoice = newInvoice({ id: invoiceId(Math.floor((made % (SLICE * SLICES)) / 3)), ...PAID });
      const payload = Buffer.from(JSON.stringify(event("invoice.paid", invoice, { apiVersion: NEW_API })));
      const reading = readEnvelope(payload);
      if (!reading.ok) throw new Error(reading.detail);
      return incomingEvent(reading.envelope, payload, platformTenant);
    });
    await insertEvents(database, batch);
  }
}

const invoiceId = (number: number): string => `in_${String(number).padStart(8, "0")}`;

async function drain(database: Database, platformTenant: string): Promise<void> {
  const ignore = (): undefined => undefined;
  const context = { kind: database.kind, platformTenant };
  const metrics = { batch: ignore, retried: ignore, failed: ignore };
  const fixed = { clock: systemClock, log: silentLog, leaseSeconds: 30, maxAttempts: 3, batchSize: BATCH };
  const options = { database, context, metrics, newLease: () => newId("node"), ...fixed };
  while ((await processOnce(options)).claimed > 0);
}

const KEYED = "select id, status, total from invoices where livemode = false and stripe_account = '' and id = $1";
const LISTED = `select id, status, total from invoices where livemode = false and stripe_account = $1 OWNED
  order by stripe_created desc, id desc limit 20`;

async function requests(name: string, owner: Database, api: Database, tenantId: string, meter: Meter): Promise<void> {
  const scope = tenantScope(api, { tenantId });
  const id = (): string => invoiceId(Math.floor((Math.random() * SLICE * SLICES) / 3));
  const keyed = (): Statement => ({ name: "k", text: `${KEYED} and tenant_id = $2`, values: [id(), tenantId] });
  const listed = (): Statement => ({
    name: "l",
    text: LISTED.replace("OWNED", "and tenant_id = $2"),
    values: ["", tenantId],
  });
  const cases: Record<string, () => Promise<unknown>> = {
    "keyed, plain": () => owner.query(keyed()),
    "keyed, plain in a transaction": () => owner.transaction((tx) => tx.query(keyed())),
    "keyed, scope": () => scope.query({ name: "ks", text: KEYED, values: [id()] }),
    "list of 20, plain": () => owner.query(listed()),
    "list of 20, plain in a transaction": () => owner.transaction((tx) => tx.query(listed())),
    "list of 20, scope": () => scope.query({ name: "ls", text: LISTED.replace("OWNED", ""), values: [""] }),
  };
  for (let round = 0; round <= ROUNDS; round += 1) {
    for (const [what, ask] of Object.entries(cases)) {
      const spent = await cost(meter, ASKED, async () => {
        for (let asked = 0; asked < ASKED; asked += 4) await Promise.all([ask(), ask(), ask(), ask()]);
      });
      if (round > 0) console.log(`${name} round ${round}: ${what}: ${shown(spent)}`);
    }
  }
}

async function unbind(database: Database): Promise<void> {
  const { rows } = await database.query<{ name: string }>(
    "select oid::regclass::text as name from pg_class where relrowsecurity",
  );
  for (const { name } of rows) await database.query(`alter table ${name} disable row level security`);
}

interface Opened {
  database: Database;
  url: string;
  platform: string;
}

async function openOwned(ownerUrl: string, name: string): Promise<Opened> {
  const url = await createDatabase(ownerUrl, name);
  const database = await openServer({ url, poolSize: 8 });
  await migrate(database);
  return { database, url, platform: await ensurePlatformTenant(database) };
}

async function pipeCost(databases: Record<string, Opened>, meter: Meter): Promise<void> {
  for (let slice = 0; slice <= SLICES; slice += 1) {
    const opened = Object.entries(databases);
    for (const [name, { database, platform }] of slice % 2 === 0 ? opened : opened.reverse()) {
      const stored = await cost(meter, SLICE, () => store(database, platform));
      const processed = await cost(meter, SLICE, () => drain(database, platform));
      if (slice > 0) console.log(`slice ${slice}, ${name}: store: ${shown(stored)}; process: ${shown(processed)}`);
    }
  }
}

const given = await startPostgres();
const folder = mkdtempSync(join(tmpdir(), "billhook-isolation-"));
const postmaster = Number(readFileSync(join(given.folder ?? "", "data", "postmaster.pid"), "utf8").split("\n")[0]);
const meter: Meter = () => {
  const { user, system } = process.cpuUsage();
  return { ours: user + system, server: (usageOf(postmaster)?.cpuSeconds ?? 0) * 1_000_000 };
};
try {
  const admin = new pg.Client({ connectionString: given.url });
  await admin.connect();
  await admin.query(`create role bench_owner login createdb createrole password '${PASSWORD}'`);
  await admin.end();
  const ownerUrl = apiUrlOf(given.url, { name: "bench_owner", password: new Secret(PASSWORD) });
  console.log(`PostgreSQL ${given.version}, owner is no superuser`);
  const on = await openOwned(ownerUrl, "isolation_on");
  const off = await openOwned(ownerUrl, "isolation_off");
  await unbind(off.database);
  await pipeCost({ "row security off": off, "row security on": on }, meter);
  await on.database.query("analyze");
  const login = { name: apiRoleName(on.url), password: new Secret(PASSWORD) };
  await ensureApiRole(on.database, login);
  const api = await openServer({ url: apiUrlOf(on.url, login), poolSize: 4 });
  await requests("server", on.database, api, on.platform, meter);
  await Promise.all([api.close(), on.database.close(), off.database.close()]);

  const embedded = await openEmbedded(join(folder, "data"));
  await migrate(embedded);
  const platform = await ensurePlatformTenant(embedded);
  for (let slice = 0; slice < SLICES; slice += 1) {
    await store(embedded, platform);
    await drain(embedded, platform);
  }
  await embedded.query("analyze");
  await requests("embedded", embedded, embedded, platform, meter);
  await embedded.close();
} finally {
  await given.stop();
  rmSync(folder, { recursive: true, force: true });
}
