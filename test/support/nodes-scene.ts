// Nodes behind PgBouncer on a PostgreSQL of their own, for tests; if told, with a synchronous standby beside it.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import pg from "pg";

import type { Database } from "../../src/db/database.ts";
import { migrate } from "../../src/db/migrate.ts";
import { openServer } from "../../src/db/server.ts";
import { ensurePlatformTenant } from "../../src/tenants/platform.ts";
import { type Nodes, startNodes } from "./nodes.ts";
import { type Customer, openCustomer } from "./nodes-load.ts";
import { beginSales, type Sales } from "./nodes-proof.ts";
import { ownedDatabase, type Pgbouncer, startPgbouncer } from "./pgbouncer.ts";
import { type PostgresServer, startPostgres } from "./postgres.ts";

export interface NodesScene {
  nodes: Nodes;
  pooler: Pgbouncer;
  sales: Sales;
  customer: Customer;
  /** The owner's, past the pooler; after a failover that of the new primary. */
  database(): Database;
  /** Kills the primary as if its machine were gone, and makes the standby the primary. PgBouncer is led to it. */
  failOver(): Promise<void>;
  close(): Promise<void>;
}

const GRANTED = 1_000_000;

export async function openNodesScene({ sales: count, standby = false }: { sales: number; standby?: boolean }) {
  const folder = mkdtempSync(join(tmpdir(), "billhook-nodes-"));
  const closing: (() => unknown)[] = [() => rmSync(folder, { recursive: true, force: true })];
  const close = async (): Promise<void> => {
    for (const one of closing.splice(0).toReversed()) await one();
  };
  try {
    const primary = await startPostgres({ auth: "scram-sha-256" });
    closing.push(() => primary.stop());
    const direct = await ownedDatabase(primary);
    const second = standby ? await startStandby(primary) : undefined;
    if (second !== undefined) closing.push(() => second.stop());
    const pooler = await startPgbouncer(primary);
    closing.push(() => pooler.stop());
    let database = await openServer({ url: direct, poolSize: 2 });
    closing.push(() => database.close());
    await migrate(database);
    const sales = await beginSales(database, await ensurePlatformTenant(database), count);
    const nodes = await startNodes({
      ...{ DATABASE_URL: pooler.url, DATABASE_DIRECT_URL: direct, DATA_DIR: folder, WORK_LEASE_SECONDS: "5" },
      ...{ RATE_LIMIT_PER_KEY: "1000000", RATE_LIMIT_PER_TENANT: "1000000" },
    });
    closing.push(() => nodes.stop());
    await nodes.ready();
    const customer = await openCustomer(nodes.doors[0] ?? "", GRANTED);
    const failOver = async (): Promise<void> => {
      if (second === undefined) throw new Error("there is no standby");
      await primary.crash();
      await ask(second.url, "select pg_promote()");
      await pooler.repoint(second);
      await database.close();
      database = await openServer({ url: sameDatabase(direct, second), poolSize: 2 });
    };
    return { nodes, pooler, sales, customer, database: () => database, failOver, close } satisfies NodesScene;
  } catch (error) {
    await close();
    throw error;
  }
}

/** A copy that follows the primary; from here on a commit there waits until it is on this one's disk too. */
async function startStandby(primary: PostgresServer): Promise<PostgresServer> {
  const standby = await startPostgres({ standbyOf: primary });
  await ask(primary.url, "alter system set synchronous_standby_names = '*'");
  await ask(primary.url, "select pg_reload_conf()");
  for (let left = 200; left > 0; left -= 1) {
    const [row] = await ask(primary.url, "select sync_state from pg_stat_replication");
    if (row?.sync_state === "sync") return standby;
    await sleep(50);
  }
  await standby.stop();
  throw new Error("the standby does not follow the primary");
}

function sameDatabase(url: string, server: PostgresServer): string {
  const moved = new URL(url);
  moved.host = new URL(server.url).host;
  return moved.href;
}

async function ask(url: string, text: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(text)).rows;
  } finally {
    await client.end();
  }
}
