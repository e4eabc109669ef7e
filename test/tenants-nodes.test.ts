// Two nodes on one PostgreSQL: what one knows of people and keys the other knows with the same commit.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, expect, it } from "vitest";

import { readyDatabase } from "./support/ready-database.ts";
import { type Served, serve } from "./support/serve.ts";

const folder = mkdtempSync(join(tmpdir(), "billhook-nodes-"));
const KEYS = "/api/v1/auth/tenants/api-keys/";
let nodes: Served[] = [];
beforeAll(async () => {
  const env = { DATABASE_URL: await readyDatabase(), DATA_DIR: folder, PUBLIC_URL: "http://billhook.test" };
  nodes = [await serve(env), await serve(env)];
  await Promise.all(nodes.map((node) => node.ready()));
}, 120_000);
afterAll(async () => {
  await Promise.all(nodes.map((node) => node.end("SIGTERM")));
  rmSync(folder, { recursive: true, force: true });
});

interface Registered {
  tokens: { access: string; refresh: string };
  api_keys: { live_secret: string };
}

async function ask(node: Served | undefined, method: string, path: string, token: string, body?: object) {
  const response = await fetch(`${node?.url ?? ""}${path}`, {
    method,
    headers: {
      ...(token === "" ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, json: (await response.json()) as Record<string, unknown> };
}

it("a key that one node revokes and a session that it ends stop on the other with that commit", async () => {
  const [one, two] = nodes;
  const body = {
    company_name: "Two nodes",
    email: "owner@nodes.example",
    password: "Correct-Horse-9-Battery",
    domain: "a.example",
  };
  const registered = (await ask(one, "POST", "/api/v1/auth/tenants/register/", "", body)).json as unknown as Registered;
  const { access, refresh } = registered.tokens;
  const key = registered.api_keys.live_secret;
  for (const node of [one, two, one, two]) expect((await ask(node, "GET", KEYS, key)).status).toBe(200);
  const revocation = { key_type: "live", reason: "leak", confirm: true };
  expect((await ask(one, "POST", `${KEYS}revoke/`, access, revocation)).status).toBe(200);
  expect((await ask(two, "GET", KEYS, key)).status).toBe(401);
  expect((await ask(two, "GET", "/api/v1/auth/me/", access)).status).toBe(200);
  expect((await ask(two, "POST", "/api/v1/auth/logout/", "", { refresh })).status).toBe(200);
  expect((await ask(one, "GET", "/api/v1/auth/me/", access)).status).toBe(401);
});

it("tries at one node count at the other", async () => {
  const login = { email: "nobody@nodes.example", password: "Wrong-Horse-9" };
  const statuses: number[] = [];
  for (let index = 0; index < 11; index += 1)
    statuses.push((await ask(nodes[index % 2], "POST", "/api/v1/auth/login/", "", login)).status);
  expect(statuses).toEqual([...Array.from({ length: 10 }, () => 401), 429]);
});
