// Spends, grants and refunds over HTTP: never more than there is, never twice, each with its cause.
import { setTimeout as sleep } from "node:timers/promises";

import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { creditDesk } from "../src/credits/credit-requests.ts";
import { expireCredits, tellLowCredits } from "../src/credits/ledger-upkeep.ts";
import { tenantScope } from "../src/db/tenant-scope.ts";
import { type Answer, type Door, openDoor, type Wire } from "./support/api-door.ts";
import { auditOf, registerTenant, send, type TestTenant } from "./support/people.ts";
import { BOTH } from "./support/pipe.ts";

let made = 0;
const newKey = (): string => `key-${String((made += 1))}`;
const inAnHour = (): string => new Date(Date.now() + 3_600_000).toISOString();

describe.each(BOTH)("credits, %s database", (kind) => {
  let door: Door;
  let ours: TestTenant;
  beforeAll(async () => {
    door = await openDoor(kind);
    ours = await registerTenant(door);
  });
  afterAll(() => door.close());

  const token = (): string => ours.keys.test_secret;
  const account = async (body: Wire = {}): Promise<string> =>
    String((await send(door, "POST", "/api/v1/accounts/", { token: token(), body })).json.id);
  const post = (id: string, what: string, body: Wire, key: string | null = newKey(), as = token()): Promise<Answer> =>
    send(door, "POST", `/api/v1/accounts/${id}/credits/${what}/`, {
      token: as,
      body: { reason: "test", ...body },
      headers: key === null ? {} : { "idempotency-key": key },
    });
  const balance = async (id: string): Promise<unknown> =>
    (await send(door, "GET", `/api/v1/accounts/${id}/`, { token: token() })).json.credit_balance;
  const ledger = async (id: string, query = "limit=100"): Promise<Wire> =>
    (await send(door, "GET", `/api/v1/accounts/${id}/credits/ledger/?${query}`, { token: token() })).json;
  const verify = async (): Promise<Wire> => {
    const { text } = await door.admin("POST", "ledger/verify/");
    return JSON.parse(text.trim().split("\n").at(-1) ?? "{}") as Wire;
  };

  it("what is granted can be spent, and the ledger tells each entry with its cause", async () => {
    const id = await account();
    const granted = await post(id, "grant", { amount: 100, reason: "welcome", reference: "promo-1" });
    expect(granted.status).toBe(201);
    const spent = await post(id, "spend", { amount: 30, reason: "report", reference: "job-7" });
    expect([spent.status, spent.json]).toEqual([
      201,
      {
        ...{
          id: expect.stringMatching(/^crd_/) as string,
          account_id: id,
          kind: "spend",
          amount: -30,
          balance_after: 70,
        },
        ...{ reason: "report", reference: "job-7", purchase_id: null, expires_at: null },
        created_at: expect.any(String) as string,
      },
    ]);
    const first = await ledger(id, "limit=1");
    expect([first.data, first.has_more]).toEqual([[spent.json], true]);
    expect((await ledger(id, `limit=1&cursor=${String(first.next_cursor)}`)).data).toEqual([granted.json]);
    expect(await balance(id)).toBe(70);
  });

  it("spending more than there is takes nothing, and the key is free for another try", async () => {
    const id = await account();
    await post(id, "grant", { amount: 10 });
    const key = newKey();
    const refused = await post(id, "spend", { amount: 11 }, key);
    expect([refused.status, refused.json.code]).toEqual([402, "insufficient_credits"]);
    expect(await balance(id)).toBe(10);
    await post(id, "grant", { amount: 1 });
    expect((await post(id, "spend", { amount: 11 }, key)).status).toBe(201);
    expect(await balance(id)).toBe(0);
  });

  it("64 spenders at the same time never overdraw, and spend all that there is", async () => {
    const id = await account();
    await post(id, "grant", { amount: 100 });
    await post(id, "grant", { amount: 100, expires_at: inAnHour() });
    // Half of them on other nodes.
    const nodes = [creditDesk(), creditDesk()];
    const scope = tenantScope(door.apiDatabase, { tenantId: ours.id });
    const request = {
      ...{ operation: "spend" as const, livemode: false, accountId: id, amount: 7, reason: "test", reference: null },
      ...{ expiresAt: null, act: { actor: { kind: "system" as const, id: null }, source: null } },
    };
    const spend = async (index: number): Promise<number | string> => {
      const node = nodes[index % 4];
      if (node !== undefined) {
        return node.post(scope, { ...request, key: newKey() }).then(
          ({ entry }) => entry.balanceAfter,
          (error: unknown) => (error as { code: string }).code,
        );
      }
      const { status, json } = await post(id, "spend", { amount: 7 });
      return status === 201 ? Number(json.balance_after) : String(json.code);
    };
    const answers = await Promise.all(Array.from({ length: 64 }, (_, index) => spend(index)));
    const done = answers.filter((answer) => typeof answer === "number");
    expect(done).toHaveLength(28);
    expect(new Set(answers.filter((answer) => typeof answer === "string"))).toEqual(new Set(["insufficient_credits"]));
    expect(await balance(id)).toBe(4);
    expect(new Set(done).size).toBe(28);
  });

  it("the same key at the same time, from two nodes, spends once, and all get the same answer", async () => {
    const id = await account();
    await post(id, "grant", { amount: 100 });
    const [one, two] = [creditDesk(), creditDesk()];
    const scope = tenantScope(door.apiDatabase, { tenantId: ours.id });
    for (let round = 0; round < 5; round += 1) {
      const request = {
        ...{ operation: "spend" as const, livemode: false, accountId: id, amount: 3, reason: "test", reference: null },
        ...{ expiresAt: null, key: newKey(), act: { actor: { kind: "system" as const, id: null }, source: null } },
      };
      const answers = await Promise.all(
        Array.from({ length: 16 }, (_, index) => (index % 2 === 0 ? one : two).post(scope, request)),
      );
      expect(new Set(answers.map(({ entry }) => entry.id)).size).toBe(1);
      expect(answers.filter(({ replayed }) => !replayed)).toHaveLength(1);
    }
    expect(await balance(id)).toBe(85);
  });

  it("a key replays its stored answer for ever, and is refused for anything else", async () => {
    const [id, other] = [await account(), await account()];
    for (const one of [id, other]) await post(one, "grant", { amount: 50 });
    const key = newKey();
    const first = await post(id, "spend", { amount: 5, reference: "r" }, key);
    await post(id, "spend", { amount: 5 });
    const again = await post(id, "spend", { amount: 5, reference: "r" }, key);
    expect([again.status, again.json, again.headers.get("idempotent-replayed")]).toEqual([201, first.json, "true"]);
    const others = [
      post(id, "spend", { amount: 6, reference: "r" }, key),
      post(id, "spend", { amount: 5 }, key),
      post(id, "spend", { amount: 5, reference: "r", reason: "else" }, key),
      post(other, "spend", { amount: 5, reference: "r" }, key),
      post(id, "grant", { amount: 5, reference: "r" }, key),
      post(id, "refund", { amount: 5, reference: "r" }, key),
    ];
    for (const answer of await Promise.all(others))
      expect([answer.status, answer.json.code]).toEqual([409, "idempotency_key_reused"]);
    expect([await balance(id), await balance(other)]).toEqual([40, 50]);
    const grantKey = newKey();
    const expires_at = inAnHour();
    const granted = await post(id, "grant", { amount: 1, expires_at }, grantKey);
    expect((await post(id, "grant", { amount: 1, expires_at }, grantKey)).json).toEqual(granted.json);
    expect((await post(id, "grant", { amount: 1 }, grantKey)).status).toBe(409);
  });

  it("one key for two accounts at the same time on two nodes is carried out for one of them", async () => {
    const ids = [await account(), await account()];
    for (const id of ids) await post(id, "grant", { amount: 10 });
    const scope = tenantScope(door.apiDatabase, { tenantId: ours.id });
    for (let round = 0; round < 5; round += 1) {
      const key = newKey();
      const results = await Promise.allSettled(
        ids.map((accountId) =>
          creditDesk().post(scope, {
            ...{ operation: "spend", livemode: false, accountId, amount: 1, reason: "test", reference: null, key },
            ...{ expiresAt: null, act: { actor: { kind: "system", id: null }, source: null } },
          }),
        ),
      );
      expect(results.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    }
    expect(Number(await balance(ids[0] ?? "")) + Number(await balance(ids[1] ?? ""))).toBe(15);
  });

  it("keys and accounts of the other mode and of another tenant have nothing to do with ours", async () => {
    const id = await account();
    await post(id, "grant", { amount: 10 });
    const key = newKey();
    await post(id, "spend", { amount: 1 }, key);
    const other = await registerTenant(door);
    for (const as of [other.keys.test_secret, ours.keys.live_secret]) {
      const made = await send(door, "POST", "/api/v1/accounts/", { token: as, body: {} });
      expect((await post(String(made.json.id), "grant", { amount: 3 }, key, as)).status).toBe(201);
      expect((await post(id, "spend", { amount: 1 }, newKey(), as)).status).toBe(404);
      expect((await post(id, "grant", { amount: 1 }, newKey(), as)).status).toBe(404);
    }
    expect(await balance(id)).toBe(9);
  });

  it("any mix of spends, grants and refunds, some with a key that came before, leaves what their answers say", async () => {
    const step = fc.record({
      what: fc.constantFrom("spend", "spend", "grant", "refund"),
      amount: fc.integer({ min: 1, max: 40 }),
      key: fc.integer({ min: 1, max: 12 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 25 }), async (steps) => {
        const id = await account();
        const prefix = newKey();
        const answers = await Promise.all(
          steps.map(({ what, amount, key }) => post(id, what, { amount }, `${prefix}-${String(key)}`)),
        );
        const entries = new Map<unknown, number>();
        for (const { status, json } of answers) {
          expect([201, 402, 409]).toContain(status);
          if (status === 201) entries.set(json.id, Number(json.amount));
        }
        const sum = [...entries.values()].reduce((total, amount) => total + amount, 0);
        expect(sum).toBeGreaterThanOrEqual(0);
        expect(await balance(id)).toBe(sum);
        expect((await ledger(id)).data).toHaveLength(entries.size);
      }),
      { numRuns: 15 },
    );
    expect((await verify()).done).toMatchObject({ differences: 0 });
  });

  it("what expires is spent first, and what has expired is gone at once", async () => {
    const id = await account();
    await post(id, "grant", { amount: 10 });
    await post(id, "grant", { amount: 10, expires_at: new Date(Date.now() + 2500).toISOString() });
    await post(id, "spend", { amount: 4 });
    expect(await balance(id)).toBe(16);
    await until(async () => (await balance(id)) === 10);
    expect((await post(id, "spend", { amount: 11 })).status).toBe(402);
    await expireCredits(door.pipe.database);
    expect(await expireCredits(door.pipe.database)).toBe(0);
    expect((await ledger(id)).data).toMatchObject([{ kind: "expiry", amount: -6, balance_after: 10 }, {}, {}, {}]);
    expect((await post(id, "spend", { amount: 10 })).status).toBe(201);
  });

  it("refunds that name their spend give back no more than was spent in it", async () => {
    const id = await account();
    await post(id, "grant", { amount: 50 });
    const { json: spent } = await post(id, "spend", { amount: 20 });
    const refund = (amount: number): Promise<Answer> => post(id, "refund", { amount, reference: spent.id });
    const answers = await Promise.all([refund(8), refund(8), refund(8)]);
    expect(answers.map(({ status }) => status).sort()).toEqual([201, 201, 400]);
    expect((await refund(4)).json).toMatchObject({ kind: "restoral", amount: 4, balance_after: 50 });
    expect((await refund(1)).json).toMatchObject({ code: "invalid_request", param: "amount" });
    const none = await post(id, "refund", { amount: 1, reference: "crd_01jd0000000000000000000000" });
    expect([none.status, none.json.param]).toEqual([400, "reference"]);
  });

  it("a balance that falls below its threshold is told once for each fall", async () => {
    const id = await account({ credit_low_threshold: 10 });
    await post(id, "grant", { amount: 20 });
    for (const amount of [5, 6, 1]) await post(id, "spend", { amount });
    await post(id, "grant", { amount: 20 });
    await post(id, "spend", { amount: 19 });
    await tellLowCredits(door.pipe.database);
    await tellLowCredits(door.pipe.database);
    const { rows } = await door.pipe.database.query<{ natural_key: string }>({
      text: "select natural_key from facts where type = 'credit.low' and object_id = $1 order by natural_key",
      values: [id],
    });
    const entries = (await ledger(id)).data as Wire[];
    const told = entries
      .filter(({ amount }) => amount === -6 || amount === -19)
      .map((entry) => `${id}:${String(entry.id)}`);
    expect(rows.map(({ natural_key }) => natural_key)).toEqual(told.sort());
  });

  it("who gave credits away stands in the audit log", async () => {
    const id = await account();
    await post(id, "grant", { amount: 12, reason: "sorry" });
    const [entry] = await auditOf(door, ours);
    expect(entry).toMatchObject({ action: "credits.granted", target: id, after: { amount: 12, reason: "sorry" } });
    expect(entry).toMatchObject({ actor: { kind: "key" } });
  });

  it.each<[string, Wire, string | null, string, string | undefined]>([
    ["no key", { amount: 1 }, null, "idempotency_key_required", undefined],
    ["a key that is too long", { amount: 1 }, "k".repeat(256), "invalid_request", "idempotency-key"],
    ["no amount", {}, "a", "invalid_request", "amount"],
    ["an amount of zero", { amount: 0 }, "a", "invalid_request", "amount"],
    ["an amount below zero", { amount: -5 }, "a", "invalid_request", "amount"],
    ["half a credit", { amount: 0.5 }, "a", "invalid_request", "amount"],
    ["more than can be told exactly", { amount: 1e16 }, "a", "invalid_request", "amount"],
    ["a text as amount", { amount: "5" }, "a", "invalid_request", "amount"],
    ["a reason with control characters", { amount: 1, reason: "a\u0000" }, "a", "invalid_request", "reason"],
    ["an unknown field", { amount: 1, price: 5 }, "a", "invalid_request", "price"],
    ["a time that has passed", { amount: 1, expires_at: "2020-01-01T00:00:00Z" }, "a", "invalid_request", "expires_at"],
  ])("a grant with %s is refused, and nothing happens", async (_, body, key, code, param) => {
    const id = await account();
    const answer = await post(id, "grant", body, key);
    expect([answer.status, answer.json.code, answer.json.param]).toEqual([400, code, param]);
    expect(await balance(id)).toBe(0);
  });

  it.each(["spend", "refund"])("a %s without an Idempotency-Key is refused, and nothing happens", async (what) => {
    const id = await account();
    await post(id, "grant", { amount: 10 });
    const answer = await post(id, what, { amount: 1 }, null);
    expect([answer.status, answer.json.code]).toEqual([400, "idempotency_key_required"]);
    expect(await balance(id)).toBe(10);
  });

  it("the proof finds what does not agree", async () => {
    const id = await account();
    await post(id, "grant", { amount: 10 });
    expect((await verify()).done).toMatchObject({ differences: 0 });
    const set = (by: number) =>
      door.pipe.database.query({
        text: "update credit_balances set balance = balance + $2 where account_id = $1",
        values: [id, by],
      });
    await set(1);
    expect((await verify()).done).toMatchObject({ differences: 2 });
    const { text } = await door.admin("POST", "ledger/verify/");
    expect(JSON.parse(text.split("\n").find((line) => line.includes('difference"')) ?? "{}")).toMatchObject({
      difference: { account_id: id, tenant_id: ours.id, stored: 11, computed: 10 },
    });
    await set(-1);
  });
});

async function until(holds: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 100; tries += 1) {
    if (await holds()) return;
    await sleep(100);
  }
  throw new Error("it never came");
}
