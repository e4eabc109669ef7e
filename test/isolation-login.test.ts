// The API's login of a real `billhook serve` on a server: made, given, rotated, refused.
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";

import { afterAll, afterEach, expect, it } from "vitest";

import { keyRing } from "../src/base/key-ring.ts";
import { silentLog } from "../src/base/log.ts";
import { Secret } from "../src/base/secret.ts";
import { openGivenLogin, openOwnLogin } from "../src/db/api-database.ts";
import { type ApiLogin, apiLoginsOf, apiUrlOf, ensureApiRole } from "../src/db/api-role.ts";
import type { Database } from "../src/db/database.ts";
import { openServer } from "../src/db/server.ts";
import { tenantScope } from "../src/db/tenant-scope.ts";
import { migrate } from "../src/db/migrate.ts";
import { ask } from "./support/isolation-scene.ts";
import { freshDatabase } from "./support/postgres.ts";
import { serve, type Served } from "./support/serve.ts";

const OLD = "the-old-secret-key-with-enough-characters";
const NEW = "the-new-secret-key-with-enough-characters";
const KEYS = "/api/v1/auth/tenants/api-keys/";
const DENIED = { code: "42501" };

const folder = mkdtempSync(join(tmpdir(), "billhook-api-login-"));
const opened: { end: () => Promise<unknown> }[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map(({ end }) => end()));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const loginOf = (url: string, key: string): ApiLogin =>
  apiLoginsOf(url, keyRing([new Secret(key)]))[0] ?? { name: "", password: new Secret("") };

async function start(env: Record<string, string>): Promise<Served> {
  const node = await serve({ DATA_DIR: folder, ...env });
  opened.push({ end: () => node.end("SIGTERM") });
  await node.ready();
  return node;
}

/** What is said by a node that does not start. */
async function refusal(env: Record<string, string>): Promise<string> {
  const node = await serve({ DATA_DIR: folder, ...env });
  opened.push({ end: () => node.end("SIGTERM") });
  await expect(node.ready()).rejects.toThrow("the server ended");
  return node.log();
}

async function ownerOf(url: string): Promise<Database> {
  const owner = await openServer({ url, poolSize: 2 });
  opened.push({ end: () => owner.close() });
  return owner;
}

let companies = 0;
async function register(node: Served): Promise<{ id: string; key: string }> {
  companies += 1;
  const email = `owner${String(companies)}@logins.example`;
  const body = { company_name: "Logins", email, password: "Correct-Horse-9-Battery", domain: "a.example" };
  const headers = { "content-type": "application/json" };
  const request = { method: "POST", headers, body: JSON.stringify(body) };
  const answer = await fetch(`${node.url}/api/v1/auth/tenants/register/`, request);
  const { tenant, api_keys } = (await answer.json()) as { tenant: { id: string }; api_keys: { test_secret: string } };
  return { id: tenant.id, key: api_keys.test_secret };
}

async function statusOfKeys(node: Served | undefined, key: string): Promise<number> {
  for (let left = 50; ; left -= 1) {
    const answer = await fetch((node?.url ?? "") + KEYS, { headers: { authorization: `Bearer ${key}` } });
    await answer.arrayBuffer();
    // A connection that was hung up, and not yet seen to be.
    if (answer.status !== 503 || left === 0) return answer.status;
    await sleep(100);
  }
}

it("tenants are answered by a login of its own, over its share of the connections, and it sees nothing by itself", async () => {
  const url = await freshDatabase();
  const node = await start({ DATABASE_URL: url, SECRET_KEY: OLD });
  const login = loginOf(url, OLD);
  const [ada, bob] = [await register(node), await register(node)];
  const statuses = await Promise.all(Array.from({ length: 40 }, () => statusOfKeys(node, ada.key)));
  expect(new Set(statuses)).toEqual(new Set([200]));
  const { rows } = await (await ownerOf(url)).query<{ usename: string; count: number }>(ACTIVITY);
  expect(rows.map(({ usename }) => usename)).toEqual([login.name, new URL(url).username]);
  // Of the 10 that DATABASE_POOL_SIZE allows a third. The owner's count includes the two that listen, and the one of this test.
  expect(rows[0]?.count).toBeLessThanOrEqual(3);
  expect(rows[1]?.count).toBeLessThanOrEqual(7 + 2 + 1);

  const api = await openGivenLogin(apiUrlOf(url, login), 1);
  opened.push({ end: () => api.close() });
  await expect(api.query("select from tenants")).rejects.toMatchObject(DENIED);
  for (const { id } of [ada, bob]) {
    const mine = await tenantScope(api, { tenantId: id }).query("select distinct tenant_id from api_keys");
    expect(mine.rows).toEqual([{ tenant_id: id }]);
  }
});

it("while SECRET_KEY is rotated node by node each keeps its login, and the old key's ends with the last step", async () => {
  const url = await freshDatabase();
  const older = await start({ DATABASE_URL: url, SECRET_KEY: OLD });
  const { key } = await register(older);
  const owner = await ownerOf(url);
  const both = await start({ DATABASE_URL: url, SECRET_KEY: `${NEW},${OLD}` });
  // As if all had been idle: the next question needs the login again.
  await owner.query(HANG_UP);
  expect([await statusOfKeys(older, key), await statusOfKeys(both, key)]).toEqual([200, 200]);

  const newer = await start({ DATABASE_URL: url, SECRET_KEY: NEW });
  await owner.query(HANG_UP);
  expect([await statusOfKeys(both, key), await statusOfKeys(newer, key)]).toEqual([200, 200]);
  const [gone, now] = [loginOf(url, OLD), loginOf(url, NEW)];
  await expect(openGivenLogin(apiUrlOf(url, gone), 1)).rejects.toMatchObject({ code: expect.stringMatching(/^28/) });
  expect(newer.log()).toContain(`the API's login was taken away: ${gone.name}`);
  expect(newer.log()).not.toContain(now.name);
  // Back again: a login that was taken away is given back.
  const again = await start({ DATABASE_URL: url, SECRET_KEY: OLD });
  expect(await statusOfKeys(again, key)).toBe(200);
}, 180_000);

it("nodes that start at once on an empty database all get their login", async () => {
  const url = await freshDatabase();
  const nodes = await Promise.all([1, 2, 3].map(() => start({ DATABASE_URL: url, SECRET_KEY: OLD })));
  const [first] = nodes;
  if (first === undefined) throw new Error("no node");
  const { key } = await register(first);
  for (const node of nodes) expect(await statusOfKeys(node, key)).toBe(200);
}, 180_000);

it("DATABASE_API_URL is taken as it is; one that is not bound, or leads elsewhere, is refused with a sentence", async () => {
  const [url, elsewhere] = [await freshDatabase(), await freshDatabase()];
  const [owner, stranger] = [await ownerOf(url), await ownerOf(elsewhere)];
  await migrate(owner);
  await migrate(stranger);
  const given: ApiLogin = { name: loginOf(url, "given".repeat(8)).name, password: new Secret("the-password-of-it") };
  await ensureApiRole(owner, given);
  await ensureApiRole(stranger, given);

  const env = { DATABASE_URL: url, SECRET_KEY: OLD };
  const node = await start({ ...env, DATABASE_API_URL: apiUrlOf(url, given) });
  const { key } = await register(node);
  expect(await statusOfKeys(node, key)).toBe(200);
  const { rows } = await owner.query<{ usename: string }>(ACTIVITY);
  expect(rows[0]?.usename).toBe(given.name);
  expect((await owner.query({ text: ROLE, values: [loginOf(url, OLD).name] })).rows).toEqual([]);

  expect(await refusal({ ...env, DATABASE_API_URL: url })).toContain("it cannot be the API's login");
  expect(await refusal({ ...env, DATABASE_API_URL: apiUrlOf(elsewhere, given) })).toContain(
    "DATABASE_API_URL leads to another database than DATABASE_URL",
  );
}, 180_000);

it("an owner who may not create roles is told what to run and what to set; with that it starts", async () => {
  const url = await freshDatabase();
  const [admin, name] = [await ownerOf(url), `helpless_${new URL(url).pathname.slice(-10)}`];
  await migrate(admin);
  const password = new Secret("the-password-of-the-helpless");
  await ask(url, [
    `create role ${name} login password '${password.reveal()}'`,
    `grant billhook_tenant to ${name}`,
    `do $$ declare it record; begin
       execute format('alter schema public owner to ${name}');
       for it in select oid::regclass as id from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') loop
         execute format('alter table %s owner to ${name}', it.id);
         if exists (select from pg_policies where tablename = it.id::text and policyname = 'of_owner') then
           execute format('alter policy of_owner on %s to ${name}', it.id);
         end if;
       end loop;
     end $$`,
  ]);
  try {
    const env = { DATABASE_URL: apiUrlOf(url, { name, password }), SECRET_KEY: OLD };
    const login = loginOf(url, OLD);
    const told = await refusal(env);
    expect(told).toContain(`create role ${login.name} login noinherit`);
    expect(told).toContain("set DATABASE_API_URL to its address");
    await ensureApiRole(admin, login);
    const node = await start({ ...env, DATABASE_API_URL: apiUrlOf(url, login) });
    expect(await statusOfKeys(node, (await register(node)).key)).toBe(200);
  } finally {
    // All but the administrator, who was opened first.
    await Promise.all(opened.splice(1).map(({ end }) => end()));
    await ask(url, [`reassign owned by ${name} to current_user`, `drop owned by ${name}`, `drop role ${name}`]);
  }
}, 180_000);

it("a pooler that does not know the login is named as the cause, with what to set", async () => {
  const url = await freshDatabase();
  const owner = await ownerOf(url);
  await migrate(owner);
  const fields = ["SFATAL", "VFATAL", "C08P01", "Mno such user: billhook_api"].map((field) => `${field}\0`).join("");
  const failure = Buffer.concat([Buffer.from("E\0\0\0\0"), Buffer.from(`${fields}\0`)]);
  failure.writeUInt32BE(failure.length - 1, 1);
  const pooler = createServer((socket) => socket.once("data", () => socket.end(failure)));
  await new Promise<void>((resolve) => pooler.listen(0, "127.0.0.1", resolve));
  const through = new URL(url);
  through.host = `127.0.0.1:${String((pooler.address() as AddressInfo).port)}`;
  const own = { owner, url: through.href, logins: [loginOf(url, OLD)], log: silentLog, poolSize: 1 };
  // Known or not, the answer is the same.
  for (let round = 0; round < 2; round += 1) {
    await expect(openOwnLogin(own)).rejects.toThrow(/through a pooler.*auth_query.*set DATABASE_API_URL/s);
  }
  pooler.close();
});

const ACTIVITY = `
  select usename, count(*)::int as count from pg_stat_activity
  where datname = current_database() and application_name like 'billhook%' group by usename
  order by usename like 'billhook_api_%' desc`;
const HANG_UP = `
  select pg_terminate_backend(pid) from pg_stat_activity
  where datname = current_database() and application_name = 'billhook api'`;
const ROLE = "select rolname from pg_roles where rolname = $1";
