// What a spend costs: Billhook's ledger and its HTTP door against a bare `UPDATE … WHERE balance >= n` by pgbench, on one server.
// node bench/credits.ts [--seconds 10] [--connections 64] [--accounts 10000] [--save]
import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs, promisify } from "node:util";

import pg from "pg";

import { systemClock } from "../src/base/clock.ts";
import { newId } from "../src/base/ids.ts";
import { Secret } from "../src/base/secret.ts";
import { creditDesk, type CreditOperation } from "../src/credits/credit-requests.ts";
import { verifyLedger } from "../src/credits/ledger-verify.ts";
import { apiRoleName, apiUrlOf, ensureApiRole } from "../src/db/api-role.ts";
import type { Database } from "../src/db/database.ts";
import { migrate } from "../src/db/migrate.ts";
import { openServer } from "../src/db/server.ts";
import { tenantScope } from "../src/db/tenant-scope.ts";
import { createDatabase, startPostgres } from "../test/support/postgres.ts";
import { saying } from "./saved.ts";
import { type RunningServer, startBillhook, temporaryFolder } from "./servers.ts";

const { values: flags } = parseArgs({
  options: {
    seconds: { type: "string", default: "10" },
    connections: { type: "string", default: "64" },
    accounts: { type: "string", default: "10000" },
    save: { type: "boolean", default: false },
  },
});
const { say, end } = saying("credits", "Spends and grants against a bare UPDATE", flags.save);
const [seconds, connections, accounts] = [Number(flags.seconds), Number(flags.connections), Number(flags.accounts)];
const PLENTY = 1_000_000_000;
const ACT = { actor: { kind: "system", id: null }, source: null } as const;
/** As many connections as a process takes by default: a third of ten. */
const API_POOL = 3;

interface Measured {
  what: string;
  perSecond: number;
}

/** Calls as fast as they are answered, from so many callers, for the given time. */
async function rate(what: string, work: (caller: number, turn: number) => Promise<void>): Promise<Measured> {
  let done = 0;
  const run = async (lasting: number): Promise<number> => {
    done = 0;
    const started = systemClock.monotonic();
    const until = started + lasting * 1000;
    await Promise.all(
      Array.from({ length: connections }, async (_, caller) => {
        for (let turn = 0; systemClock.monotonic() < until; turn += 1) {
          await work(caller, turn);
          done += 1;
        }
      }),
    );
    return done / ((systemClock.monotonic() - started) / 1000);
  };
  await run(Math.min(2, seconds));
  return { what, perSecond: await run(seconds) };
}

let keys = 0;
const newKey = (): string => `bench-${String((keys += 1))}`;

/** Any of the accounts, each as often: a stride that shares no factor with their number. */
const pick = (ids: readonly string[], caller: number, turn: number): string =>
  ids[(caller * 7919 + turn * 104_729) % ids.length] ?? "";

async function fill(database: Database, tenantId: string, ids: readonly string[]): Promise<void> {
  await database.query({
    text: "insert into accounts (tenant_id, livemode, id) select $1, false, unnest($2::text[])",
    values: [tenantId, ids],
  });
  await database.query({
    text: "insert into credit_balances (tenant_id, livemode, account_id) select $1, false, unnest($2::text[])",
    values: [tenantId, ids],
  });
  const [desk, scope] = [creditDesk(), tenantScope(database, { tenantId })];
  const request = { operation: "grant" as const, livemode: false, amount: PLENTY, reason: "bench", reference: null };
  for (let first = 0; first < ids.length; first += 500) {
    const grants = ids
      .slice(first, first + 500)
      .map((accountId) => desk.post(scope, { ...request, accountId, expiresAt: null, key: newKey(), act: ACT }));
    await Promise.all(grants);
  }
}

async function inProcess(api: Database, tenantId: string, hot: string, many: readonly string[]): Promise<Measured[]> {
  const [desk, scope] = [creditDesk(), tenantScope(api, { tenantId })];
  const post = async (operation: CreditOperation, accountId: string): Promise<void> => {
    const request = { operation, livemode: false, accountId, amount: 1, reason: "bench", reference: null };
    await desk.post(scope, { ...request, expiresAt: null, key: newKey(), act: ACT });
  };
  return [
    await rate("ledger: spends, one hot account", () => post("spend", hot)),
    await rate(`ledger: spends, ${String(accounts)} accounts`, (caller, turn) =>
      post("spend", pick(many, caller, turn)),
    ),
    await rate(`ledger: grants, ${String(accounts)} accounts`, (caller, turn) =>
      post("grant", pick(many, caller, turn)),
    ),
  ];
}

async function overHttp(server: RunningServer, database: Database): Promise<Measured[]> {
  const root = `http://127.0.0.1:${String(server.port)}/api/v1`;
  const send = async (path: string, body: unknown, headers: Record<string, string> = {}): Promise<unknown> => {
    const answer = await fetch(root + path, {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify(body),
    });
    if (answer.status !== 201) throw new Error(`${path} answered ${String(answer.status)}: ${await answer.text()}`);
    return answer.json();
  };
  const owner = { email: "bench@example.com", password: "Correct-Horse-9-Battery", domain: "example.com" };
  const made = await send("/auth/tenants/register/", { company_name: "Bench", ...owner });
  const { tenant, api_keys } = made as { tenant: { id: string }; api_keys: { test_secret: string } };
  const ids = Array.from({ length: accounts }, () => newId("acc"));
  await fill(database, tenant.id, ids);
  const authorization = `Bearer ${api_keys.test_secret}`;
  const spend = async (id: string): Promise<void> => {
    const headers = { authorization, "idempotency-key": newKey() };
    await send(`/accounts/${id}/credits/spend/`, { amount: 1, reason: "bench" }, headers);
  };
  return [
    await rate("HTTP: spends, one hot account", () => spend(ids[0] ?? "")),
    await rate(`HTTP: spends, ${String(accounts)} accounts`, (caller, turn) => spend(pick(ids, caller, turn))),
  ];
}

/** The least that any ledger must do: one row, one condition, one commit. */
async function bare(url: string, folder: string): Promise<Measured[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.query("create table bare (id int primary key, balance bigint not null) with (fillfactor = 50)");
  await client.query(
    `insert into bare select id, ${String(PLENTY)} from generate_series(1, ${String(accounts)}) as id`,
  );
  await client.query("vacuum analyze bare");
  await client.end();
  const run = async (what: string, most: number): Promise<Measured> => {
    const script = join(folder, `bare-${String(most)}.sql`);
    writeFileSync(
      script,
      `\\set id random(1, ${String(most)})\nupdate bare set balance = balance - 1 where id = :id and balance >= 1;\n`,
    );
    const args = [
      "-n",
      "-M",
      "prepared",
      "-c",
      String(connections),
      "-j",
      "2",
      "-T",
      String(seconds),
      "-f",
      script,
      url,
    ];
    const { stdout } = await promisify(execFile)("pgbench", args);
    const perSecond = Number(/tps = ([\d.]+)/.exec(stdout)?.[1]);
    if (!(perSecond > 0)) throw new Error(`pgbench told no rate: ${stdout}`);
    return { what, perSecond };
  };
  return [
    await run("pgbench: bare UPDATE, one row", 1),
    await run(`pgbench: bare UPDATE, ${String(accounts)} rows`, accounts),
  ];
}

const postgres = await startPostgres({ settings: { shared_buffers: "512MB", max_connections: "200" } });
const folder = temporaryFolder();
try {
  const url = await createDatabase(postgres.url, `credits_bench_${String(process.pid)}`);
  const owner = await openServer({ url, poolSize: 4 });
  await migrate(owner);
  const tenantId = newId("ten");
  await owner.query({ text: "insert into tenants (id) values ($1)", values: [tenantId] });
  const [hot, many] = [newId("acc"), Array.from({ length: accounts }, () => newId("acc"))];
  await fill(owner, tenantId, [hot, ...many]);
  const login = { name: apiRoleName(url), password: new Secret("the-password-of-this-bench") };
  await ensureApiRole(owner, login);
  const api = await openServer({ url: apiUrlOf(url, login), poolSize: API_POOL });
  const measured = await inProcess(api, tenantId, hot, many);
  await api.close();
  const secret = "whsec_bench";
  const server = await startBillhook({ secret, databaseUrl: url, dataDir: folder.path, roles: "api" });
  try {
    measured.push(...(await overHttp(server, owner)));
  } finally {
    await server.stop();
  }
  const [one, spread] = await bare(url, folder.path);
  if (one === undefined || spread === undefined) throw new Error("pgbench was not run");
  for (const { what, perSecond } of [...measured, one, spread]) {
    const ratio = perSecond / (what.includes("one hot") || what.includes("one row") ? one : spread).perSecond;
    say(`${what.padEnd(42)} ${perSecond.toFixed(0).padStart(7)}/s  ${ratio.toFixed(2)}× the bare UPDATE`);
  }
  const proof = await verifyLedger({ database: owner, onDifference: (difference) => console.log(difference) });
  say(`ledger verify: ${String(proof.accounts)} accounts, ${String(proof.differences)} differences`);
  end();
  await owner.close();
} finally {
  folder.remove();
  await postgres.stop();
}
