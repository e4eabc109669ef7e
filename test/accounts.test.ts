// Accounts of a tenant, by its own server: made, found, changed; nobody else's, in no other mode.
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { type Door, openDoor, type Wire } from "./support/api-door.ts";
import { registerTenant, send, type TestTenant } from "./support/people.ts";
import { BOTH } from "./support/pipe.ts";

describe.each(BOTH)("accounts, %s database", (kind) => {
  let door: Door;
  let ours: TestTenant;
  let other: TestTenant;
  beforeAll(async () => {
    door = await openDoor(kind, { deps: { trialCredits: 25 } });
    [ours, other] = [await registerTenant(door), await registerTenant(door)];
  });
  afterAll(() => door.close());

  const key = (): string => ours.keys.test_secret;
  const create = (body: unknown, token = key(), headers: Record<string, string> = {}) =>
    send(door, "POST", "/api/v1/accounts/", { token, body, headers });
  const read = (id: unknown, token = key()) => send(door, "GET", `/api/v1/accounts/${String(id)}/`, { token });
  const change = (id: unknown, body: unknown) =>
    send(door, "PATCH", `/api/v1/accounts/${String(id)}/`, { token: key(), body });

  it("an account is made with its trial credits, and read back as it was made", async () => {
    const body = { external_id: "customer-1", email: "Ada@Example.com", name: "Ada", metadata: { plan: "gold" } };
    const made = await create({ ...body, credit_low_threshold: 5 });
    expect(made.status).toBe(201);
    expect(made.json).toMatchObject({
      ...{
        ...body,
        credit_balance: 25,
        credit_low_threshold: 5,
        is_trial_user: true,
        status: "trial",
        livemode: false,
      },
      ...{ stripe_customer_id: null, default_payment_method: null, period_end: null, trial_end: null },
    });
    const found = await read(made.json.id);
    expect([found.status, found.json]).toEqual([200, { ...made.json, subscription: null }]);
    const ledger = await send(door, "GET", `/api/v1/accounts/${String(made.json.id)}/credits/ledger/`, {
      token: key(),
    });
    expect(ledger.json.data).toMatchObject([{ kind: "grant", amount: 25, balance_after: 25, reason: "trial credits" }]);
  });

  it("an external id is one account's, per tenant and mode", async () => {
    const body = { external_id: "customer-2" };
    const first = await create(body);
    const again = await create(body);
    expect([again.status, again.json.code, again.json.param]).toEqual([409, "external_id_taken", "external_id"]);
    expect((await create(body, other.keys.test_secret)).status).toBe(201);
    expect((await create(body, ours.keys.live_secret)).status).toBe(201);
    const second = await create({ external_id: "customer-3" });
    const taken = await change(second.json.id, body);
    expect([taken.status, taken.json.code]).toEqual([409, "external_id_taken"]);
    expect((await change(first.json.id, body)).status).toBe(200);
  });

  it("two requests at the same time with one external id make one account", async () => {
    const answers = await Promise.all(Array.from({ length: 8 }, () => create({ external_id: "raced" })));
    expect(answers.map(({ status }) => status).sort()).toEqual([201, ...Array.from({ length: 7 }, () => 409)]);
  });

  it("the same Idempotency-Key makes one account, and answers alike", async () => {
    const headers = { "idempotency-key": "make-one" };
    const first = await create({ name: "Once" }, key(), headers);
    const again = await create({ name: "Once" }, key(), headers);
    expect(again.json).toEqual(first.json);
    expect(again.headers.get("idempotent-replayed")).toBe("true");
  });

  it("what is not named stays, null takes away, metadata is replaced", async () => {
    const { json } = await create({
      external_id: "c-4",
      email: "a@b.example",
      name: "A",
      metadata: { a: "1", b: "2" },
    });
    const changed = await change(json.id, { name: null, metadata: { c: "3" }, credit_low_threshold: 7 });
    expect(changed.json).toEqual({ ...json, name: null, metadata: { c: "3" }, credit_low_threshold: 7 });
    expect((await change(json.id, {})).json).toEqual(changed.json);
    expect((await change(json.id, { credit_low_threshold: null })).json.credit_low_threshold).toBeNull();
  });

  it("another tenant's account and one of the other mode are 404", async () => {
    const { json } = await create({});
    for (const token of [other.keys.test_secret, ours.keys.live_secret]) {
      expect((await read(json.id, token)).status).toBe(404);
      const path = `/api/v1/accounts/${String(json.id)}/`;
      expect((await send(door, "PATCH", path, { token, body: { name: "mine" } })).status).toBe(404);
      expect((await send(door, "GET", `${path}credits/ledger/`, { token })).status).toBe(404);
    }
    expect((await read("acc_none")).status).toBe(404);
  });

  it("the list is newest first, in pages, and filtered", async () => {
    const tenant = await registerTenant(door);
    const token = tenant.keys.test_secret;
    const list = async (query: string): Promise<Wire> =>
      (await send(door, "GET", `/api/v1/accounts/?${query}`, { token })).json;
    const made: unknown[] = [];
    for (let index = 0; index < 5; index += 1) {
      made.unshift(
        (await create({ external_id: `e-${String(index)}`, email: `p${String(index)}@x.example` }, token)).json,
      );
    }
    const first = await list("limit=2");
    const second = await list(`limit=2&cursor=${String(first.next_cursor)}`);
    const third = await list(`limit=2&cursor=${String(second.next_cursor)}`);
    const pages = [first, second, third];
    expect(pages.flatMap(({ data }) => data)).toEqual(made);
    expect(pages.map(({ has_more }) => has_more)).toEqual([true, true, false]);
    expect((await list("external_id=e-3")).data).toEqual([made[1]]);
    expect((await list("email=P2%40X.example")).data).toEqual([made[2]]);
    expect((await list("status=active")).data).toEqual([]);
    const wrong = await send(door, "GET", "/api/v1/accounts/?cursor=nothing", { token });
    expect([wrong.status, wrong.json.param]).toEqual([400, "cursor"]);
  });

  it.each<[string, Record<string, unknown>, string]>([
    ["an unknown field", { credit_balance: 5 }, "credit_balance"],
    ["an address that is none", { email: "ada" }, "email"],
    ["control characters", { name: "a\u0000b" }, "name"],
    ["a lone surrogate in metadata", { metadata: { a: "\ud800" } }, "metadata.a"],
    ["metadata that is no text", { metadata: { a: 1 } }, "metadata.a"],
    ["a threshold below zero", { credit_low_threshold: -1 }, "credit_low_threshold"],
    ["an empty external id", { external_id: "  " }, "external_id"],
  ])("%s is refused with the field's name", async (_, body, param) => {
    const answer = await create(body);
    expect([answer.status, answer.json.code, answer.json.param]).toEqual([400, "invalid_request", param]);
  });
});
