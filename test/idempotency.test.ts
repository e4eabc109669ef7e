// Idempotency-Key: one request, one run, one answer; on both databases, on two nodes, through crashes.
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { z } from "zod";

import { operation } from "../src/api/route.ts";
import type { Route } from "../src/api/route.ts";
import { ROUTES } from "../src/api/routes.ts";
import { buildApi } from "../src/api/server.ts";
import { publicError } from "../src/base/errors.ts";
import { keyRing } from "../src/base/key-ring.ts";
import { Secret } from "../src/base/secret.ts";
import { openServer } from "../src/db/server.ts";
import { purgePeople } from "../src/tenants/open-people.ts";
import { type Door, openDoor, OPERATOR_TOKEN } from "./support/api-door.ts";
import { addMember, mailsTo, newEmail, registerTenant, send, type TestTenant } from "./support/people.ts";
import { BOTH } from "./support/pipe.ts";

/** What the operation of these tests did: one entry for each run. */
let runs: { key: string | undefined; note: unknown }[] = [];
/** What the next runs do instead of succeeding. */
let outcome: (run: number) => Promise<void> | void = () => undefined;

const work = operation({
  tag: "Tests",
  params: z.strictObject({ id: z.string() }),
  query: z.strictObject({ a: z.string().optional(), b: z.string().optional() }),
  body: z.strictObject({ note: z.string() }).nullish(),
  answers: { 201: z.strictObject({ run: z.number(), secret: z.string() }) },
  idempotent: true,
  run: async ({ body, reply, idempotencyKey }) => {
    runs.push({ key: idempotencyKey, note: body?.note });
    const run = runs.length;
    await outcome(run);
    reply.status(201);
    return { run, secret: `sk_test_secret_${run}` };
  },
});

const WORK: Route[] = [
  { method: "POST", path: "/tests/:id/work/", who: "admin", summary: "Work", operation: work },
  { method: "POST", path: "/tests/:id/other-work/", who: "admin", summary: "Other work", operation: work },
  { method: "POST", path: "/tests/:id/operators/", who: "operator", summary: "The operator's work", operation: work },
];

let keys = 0;
const newKey = (): string => `key-${String((keys += 1))}`;

describe.each(BOTH)("the same Idempotency-Key, %s database", (kind) => {
  let door: Door;
  let tenant: TestTenant;
  const ask = (
    key: string,
    { body = { note: "one" }, path = "/tests/1/work/", token = tenant.access, headers = {} }: Asking = {},
  ) => send(door, "POST", path, { body, token, headers: { "idempotency-key": key, ...headers } });

  beforeAll(async () => {
    door = await openDoor(kind, { routes: [...ROUTES, ...WORK] });
    tenant = await registerTenant(door);
  });
  afterAll(() => door.close());
  beforeEach(() => {
    runs = [];
    outcome = () => undefined;
  });

  it("and the same request: it runs once, and the stored answer comes again, marked", async () => {
    const key = newKey();
    const first = await ask(key);
    const again = await ask(key);
    expect([first.status, first.json]).toEqual([201, { run: 1, secret: "sk_test_secret_1" }]);
    expect([again.status, again.text]).toEqual([201, first.text]);
    expect(first.headers.get("idempotent-replayed")).toBeNull();
    expect(again.headers.get("idempotent-replayed")).toBe("true");
    expect(again.headers.get("content-type")).toBe(first.headers.get("content-type"));
    expect(again.headers.get("x-request-id")).not.toBe(first.headers.get("x-request-id"));
    expect(runs).toHaveLength(1);
    // However it is written: parameters in another order, no slash at the end.
    const spelled = newKey();
    await ask(spelled, { path: "/tests/1/work/?a=1&b=2" });
    expect((await ask(spelled, { path: "/tests/1/work?b=2&a=1" })).headers.get("idempotent-replayed")).toBe("true");
  });

  it("and twenty requests at once: one runs, the others are told that it runs, and then get its answer", async () => {
    const key = newKey();
    outcome = () => sleep(300);
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask(key)));
    expect(runs).toHaveLength(1);
    const statuses = answers.map(({ status }) => status);
    expect(statuses.filter((status) => status === 201).length).toBeGreaterThan(0);
    for (const { status, json, headers } of answers) {
      if (status !== 201) {
        expect([status, json.code, headers.get("retry-after")]).toEqual([409, "idempotency_key_in_use", "1"]);
      }
    }
    expect((await ask(key)).json).toEqual({ run: 1, secret: "sk_test_secret_1" });
    expect(runs).toHaveLength(1);
  });

  it("and another body, query, id: 409, and nothing runs", async () => {
    const key = newKey();
    await ask(key);
    for (const other of [
      { body: { note: "two" } },
      { path: "/tests/1/work/?a=1" },
      { path: "/tests/2/work/" },
    ] as Asking[]) {
      const answer = await ask(key, other);
      expect([answer.status, answer.json.code]).toEqual([409, "idempotency_key_reused"]);
    }
    const empty = await send(door, "POST", "/tests/1/work/", {
      token: tenant.access,
      headers: { "idempotency-key": key },
    });
    expect([empty.status, empty.json.code]).toEqual([409, "idempotency_key_reused"]);
    expect(runs).toHaveLength(1);
  });

  it("of another caller, another route, another mode is another key", async () => {
    const key = newKey();
    const other = await registerTenant(door);
    const admin = await addMember(door, tenant, "admin");
    const callers: Asking[] = [
      {},
      { token: other.access },
      { token: admin.access },
      { token: tenant.keys.test_secret },
      { headers: { "billhook-mode": "live" } },
      { path: "/tests/1/other-work/" },
      { path: "/tests/1/operators/", token: OPERATOR_TOKEN },
    ];
    const seen = new Set<string>();
    for (const caller of callers) {
      const answer = await ask(key, caller);
      expect([answer.status, answer.headers.get("idempotent-replayed")]).toEqual([201, null]);
      expect((await ask(key, caller)).text).toBe(answer.text);
      seen.add(answer.text);
    }
    expect([seen.size, runs.length]).toEqual([callers.length, callers.length]);
    expect(new Set(runs.map(({ key: operationId }) => operationId)).size).toBe(callers.length);
  });

  it.each(["", " ", "a b", "é", "a".repeat(256)])("that is none (%j) is refused, and nothing runs", async (key) => {
    // fetch takes the spaces at both ends away, as HTTP has it.
    const answer = await ask(key);
    expect([answer.status, answer.json.code, answer.json.param]).toEqual([400, "invalid_request", "idempotency-key"]);
    expect(answer.json.message).toContain("1 to 255 visible ASCII characters");
    expect(runs).toHaveLength(0);
    expect((await ask("!~".repeat(127))).status).toBe(201);
  });

  it("is sent twice in one request: refused", async () => {
    const text = await door.raw(
      `POST /tests/1/work/ HTTP/1.1\r\nhost: a\r\nauthorization: Bearer ${tenant.access}\r\nidempotency-key: a\r\nidempotency-key: b\r\nconnection: close\r\n\r\n`,
    );
    expect(text).toContain("400 Bad Request");
    expect(runs).toHaveLength(0);
  });

  it("after a refusal by the operation: the refusal is the answer, as it was", async () => {
    const key = newKey();
    outcome = () => {
      throw publicError("last_owner");
    };
    const first = await ask(key);
    outcome = () => undefined;
    const again = await ask(key);
    expect([first.status, first.json.code]).toEqual([409, "last_owner"]);
    expect([again.status, again.text]).toEqual([409, first.text]);
    expect(again.headers.get("idempotent-replayed")).toBe("true");
    expect(runs).toHaveLength(1);
  });

  it("after a refusal of the request itself: the corrected request runs under it", async () => {
    const key = newKey();
    expect((await ask(key, { body: { note: 7 } })).status).toBe(400);
    expect((await send(door, "POST", "/tests/1/work/", { headers: { "idempotency-key": key } })).status).toBe(401);
    outcome = () => {
      throw publicError("invalid_request", { param: "note" });
    };
    expect((await ask(key, { body: { note: "wrong" } })).status).toBe(400);
    outcome = () => undefined;
    expect((await ask(key, { body: { note: "right" } })).json).toEqual({ run: 2, secret: "sk_test_secret_2" });
  });

  it.each([
    ["an error of ours", 500, () => new Error("broken inside")],
    ["a service that does not answer", 503, () => publicError("storage_unavailable")],
    ["too many tries", 429, () => publicError("rate_limited", { retryAfter: 2 })],
    ["a refusal that asks for another try", 409, () => publicError("replay_in_progress", { retryAfter: 1 })],
    ["a Stripe account that is not connected yet", 409, () => publicError("stripe_not_connected")],
    ["another request to Stripe", 409, () => publicError("stripe_conflict")],
  ])("after %s: the same request runs again as the same operation, another one does not", async (_, status, error) => {
    const key = newKey();
    outcome = (run) => {
      if (run === 1) throw error();
    };
    expect((await ask(key)).status).toBe(status);
    const other = await ask(key, { body: { note: "two" } });
    expect([other.status, other.json.code]).toEqual([409, "idempotency_key_reused"]);
    expect((await ask(key)).status).toBe(201);
    expect((await ask(key)).headers.get("idempotent-replayed")).toBe("true");
    expect(runs).toHaveLength(2);
    expect(runs[0]?.key).toMatch(/^req_/);
    expect(runs[1]?.key).toBe(runs[0]?.key);
  });

  it("a refusal after a run that failed halfway leaves the key with its request", async () => {
    const key = newKey();
    outcome = (run) => {
      if (run === 1) throw new Error("after Stripe was asked");
      throw publicError("not_found");
    };
    expect([(await ask(key)).status, (await ask(key)).status]).toEqual([500, 404]);
    expect((await ask(key, { body: { note: "two" } })).json.code).toBe("idempotency_key_reused");
    outcome = () => undefined;
    expect((await ask(key)).json).toMatchObject({ run: 3 });
    expect(new Set(runs.map(({ key: operationId }) => operationId)).size).toBe(1);
  });

  it("after a crash: in use until the claim ends, then the same operation runs again", async () => {
    const key = newKey();
    let end: () => void = () => undefined;
    // As seen from the database a process that died is one that never comes back to its claim.
    outcome = (run) => (run === 1 ? new Promise<void>((resolve) => (end = resolve)) : undefined);
    const lost = ask(key);
    while (runs.length === 0) await sleep(10);
    expect((await ask(key)).json.code).toBe("idempotency_key_in_use");
    await leaseEnds(door);
    expect((await ask(key, { body: { note: "two" } })).json.code).toBe("idempotency_key_reused");
    expect((await ask(key)).json).toEqual({ run: 2, secret: "sk_test_secret_2" });
    expect(runs.map(({ key: operationId }) => operationId)).toEqual([runs[0]?.key, runs[0]?.key]);
    expect((await ask(key)).headers.get("idempotent-replayed")).toBe("true");
    end();
    await lost;
  });

  it("of a run that takes longer than a claim lasts stays in use: the claim is renewed", async () => {
    const key = newKey();
    let end: () => void = () => undefined;
    outcome = () => new Promise<void>((resolve) => (end = resolve));
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"], shouldAdvanceTime: true });
    try {
      const slow = ask(key);
      while (runs.length === 0) await sleep(10);
      await door.pipe.database.query(
        "update kept_answers set leased_until = now() + interval '1 second' where status is null",
      );
      vi.advanceTimersByTime(20_000);
      await expect.poll(() => secondsLeft(door)).toBeGreaterThan(30);
      end();
      expect((await slow).status).toBe(201);
    } finally {
      vi.useRealTimers();
    }
    expect((await ask(key)).headers.get("idempotent-replayed")).toBe("true");
    expect(runs).toHaveLength(1);
  });

  it("of a run that outlived its claim: the answer of who has the key now is kept", async () => {
    const key = newKey();
    const ends: (() => void)[] = [];
    outcome = () => new Promise<void>((resolve) => void ends.push(resolve));
    const slow = ask(key);
    await expect.poll(() => runs.length).toBe(1);
    await leaseEnds(door);
    const next = ask(key);
    await expect.poll(() => runs.length).toBe(2);
    ends[0]?.();
    expect((await slow).json).toMatchObject({ run: 1 });
    expect((await ask(key)).json.code).toBe("idempotency_key_in_use");
    ends[1]?.();
    expect((await next).json).toMatchObject({ run: 2 });
    expect((await ask(key)).json).toMatchObject({ run: 2 });
    expect(door.lines.some(({ level, message }) => level === "warn" && message.includes("could not be kept"))).toBe(
      true,
    );
  });

  it("after 24 hours is a new key, and what was kept is removed", async () => {
    const key = newKey();
    await ask(key);
    await door.pipe.database.query("update kept_answers set expires_at = now() - interval '1 second'");
    expect((await ask(key, { body: { note: "another" } })).json).toMatchObject({ run: 2 });
    expect(runs[0]?.key).not.toBe(runs[1]?.key);
    const { rows } = await door.pipe.database.query<{ hours: number }>(
      "select round(extract(epoch from max(expires_at) - now()) / 3600)::int as hours from kept_answers",
    );
    expect(rows).toEqual([{ hours: 24 }]);
    await purgePeople(door.deps.people);
    const left = await door.pipe.database.query<{ expired: number }>(
      "select count(*) filter (where expires_at < now()) as expired from kept_answers",
    );
    expect(left.rows).toEqual([{ expired: 0 }]);
    expect((await ask(key, { body: { note: "another" } })).headers.get("idempotent-replayed")).toBe("true");
  });

  it("what is kept is sealed, bound to its key, and not lost with a rotated SECRET_KEY unless that is taken away", async () => {
    const key = newKey();
    await ask(key);
    const { rows } = await door.pipe.database.query<{ row: string }>(
      "select kept_answers::text as row from kept_answers",
    );
    for (const { row } of rows) expect(row).not.toMatch(/sk_test_secret|key-\d/);
    const { people } = door.deps;
    const { ring } = people;
    people.ring = keyRing([new Secret("another-secret-key-with-enough-characters")]);
    const answer = await ask(key);
    people.ring = ring;
    expect([answer.status, answer.json.code]).toEqual([409, "idempotency_key_reused"]);
    expect(runs).toHaveLength(1);
    expect((await ask(key)).status).toBe(201);
  });

  it("an invitation that is sent twice is mailed once", async () => {
    const key = newKey();
    const email = newEmail();
    const invite = () => ask(key, { path: "/api/v1/auth/tenants/members/", body: { email, role: "member" } });
    const [first, again] = [await invite(), await invite()];
    expect([first.status, again.status, again.text]).toEqual([201, 201, first.text]);
    expect(await mailsTo(door, email)).toEqual(["invite"]);
  });

  // The ledger's routes describe a key of their own, which is kept for ever.
  it("is in the reference of the routes that take it, and of no others", async () => {
    const { json } = await door.call("GET", "/api/openapi.json");
    const paths = json.paths as Record<string, Record<string, { parameters?: { in: string; name: string }[] }>>;
    const named = Object.entries(paths).flatMap(([path, methods]) =>
      Object.entries(methods).flatMap(([method, { parameters = [] }]) =>
        parameters.some((one) => one.in === "header" && one.name === "idempotency-key") ? [`${method} ${path}`] : [],
      ),
    );
    const wanted = [...ROUTES, ...WORK]
      .filter(({ operation: { idempotent, headers } }) => idempotent === true || headers !== undefined)
      .map(({ method, path }) => `${method.toLowerCase()} ${path.replace(/:(\w+)/g, "{$1}")}`);
    expect(named.sort()).toEqual(wanted.sort());
    expect(wanted).toContain("post /api/v1/auth/tenants/members/");
  });
});

interface Asking {
  body?: unknown;
  path?: string;
  token?: string;
  headers?: Record<string, string>;
}

async function secondsLeft(door: Door): Promise<number> {
  const { rows } = await door.pipe.database.query<{ left: number }>(
    "select extract(epoch from leased_until - now())::int as left from kept_answers where status is null",
  );
  return rows[0]?.left ?? 0;
}

async function leaseEnds(door: Door): Promise<void> {
  await door.pipe.database.query("update kept_answers set leased_until = now() where status is null");
}

it("on two nodes: of forty requests at once under one key, one runs", async () => {
  const one = await openDoor("server", { routes: [...ROUTES, ...WORK] });
  const database = await openServer({ url: one.pipe.url ?? "", poolSize: 8 });
  const two = buildApi({ ...one.deps, database }, [...ROUTES, ...WORK]);
  try {
    await two.listen({ host: "127.0.0.1", port: 0 });
    const urls = [one.url, `http://127.0.0.1:${String((two.server.address() as AddressInfo).port)}`];
    const tenant = await registerTenant(one);
    for (let round = 0; round < 5; round += 1) {
      runs = [];
      outcome = () => sleep(50);
      const headers = { authorization: `Bearer ${tenant.access}`, "idempotency-key": newKey() };
      const statuses = await Promise.all(
        Array.from({ length: 40 }, async (_, index) => {
          const answer = await fetch(`${urls[index % 2] ?? ""}/tests/1/work/`, { method: "POST", headers });
          await answer.arrayBuffer();
          return answer.status;
        }),
      );
      expect(runs).toHaveLength(1);
      expect(statuses.filter((status) => status !== 201 && status !== 409)).toEqual([]);
    }
  } finally {
    await two.close();
    await database.close();
    await one.close();
  }
});

it("a route that anybody may call cannot take a key", async () => {
  const anyone: Route = { method: "POST", path: "/tests/:id/work/", who: "anyone", summary: "No", operation: work };
  await expect(openDoor("embedded", { routes: [anyone] })).rejects.toThrow("nobody knows whose key it is");
});
