// Account sessions: what a tenant's customer may do with one, for how long, and for whom.
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { readAccountSession, signAccountSession } from "../src/accounts/account-sessions.ts";
import { manualClock } from "../src/base/clock.ts";
import { newId } from "../src/base/ids.ts";
import { keyRing } from "../src/base/key-ring.ts";
import { Secret } from "../src/base/secret.ts";
import { type Answer, type Door, openDoor, type Wire } from "./support/api-door.ts";
import { registerTenant, send, type TestTenant } from "./support/people.ts";
import { BOTH } from "./support/pipe.ts";

describe.each(BOTH)("on the %s database", (kind) => {
  let door: Door;
  let tenant: TestTenant;
  beforeAll(async () => {
    door = await openDoor(kind);
    tenant = await registerTenant(door);
  });
  afterAll(async () => door.close());

  const account = async (body: object = {}, token = tenant.keys.test_secret): Promise<string> =>
    String((await send(door, "POST", "/api/v1/accounts/", { token, body })).json.id);
  const session = (id: string, body?: object, token = tenant.keys.test_secret): Promise<Answer> =>
    send(door, "POST", `/api/v1/accounts/${id}/session/`, { token, body });
  const me = (token: unknown, headers: Record<string, string> = {}): Promise<Answer> =>
    send(door, "GET", "/account/", { token: String(token), headers });

  it("a token is for its account alone, in the key's tenant and mode, for 15 minutes", async () => {
    const [ada, bob] = [await account({ email: "ada@a.example" }), await account({ email: "bob@a.example" })];
    const { status, json } = await session(ada);
    expect([status, Object.keys(json).sort()]).toEqual([201, ["account_id", "expires_at", "scopes", "token"]]);
    expect(json).toMatchObject({ account_id: ada, scopes: ["read", "purchase", "subscription", "payment_method"] });
    const left = Date.parse(String(json.expires_at)) - Date.now();
    expect(left).toBeGreaterThan(14 * 60_000);
    expect(left).toBeLessThanOrEqual(15 * 60_000);
    expect((await me(json.token)).json).toMatchObject({ id: ada, email: "ada@a.example", livemode: false });
    expect((await me((await session(bob)).json.token)).json).toMatchObject({ id: bob });
    expect((await me(json.token, { "billhook-mode": "live" })).status).toBe(400);
    const other = await registerTenant(door);
    expect((await me(json.token, { "billhook-tenant": other.id })).status).toBe(404);
    const live = await account({}, tenant.keys.live_secret);
    expect((await session(live)).status).toBe(404);
    expect((await me((await session(live, undefined, tenant.keys.live_secret)).json.token)).json).toMatchObject({
      ...{ id: live, livemode: true },
    });
  });

  it("a session for an account that is another tenant's, or none, is not there", async () => {
    const other = await registerTenant(door);
    const theirs = await account({}, other.keys.test_secret);
    for (const id of [theirs, newId("acc"), "nonsense"]) expect((await session(id)).status).toBe(404);
  });

  it("scopes are what it was made with, and no others", async () => {
    const id = await account();
    const { json } = await session(id, { scopes: ["read", "read"] });
    expect(json.scopes).toEqual(["read"]);
    const token = String(json.token);
    for (const path of ["", "credit-packs/", "purchases/", "credits/ledger/", "invoices/"])
      expect((await send(door, "GET", `/account/${path}`, { token })).status).toBe(200);
    const body = { price_id: "price_1" };
    const refused = await send(door, "POST", "/account/purchase-credits/", { token, body });
    expect([refused.status, refused.json.code]).toEqual([403, "forbidden"]);
    expect(refused.json.message).toContain("purchase");
    const buyer = String((await session(id, { scopes: ["purchase"] })).json.token);
    expect((await me(buyer)).status).toBe(403);
    for (const scopes of [[], ["admin"], "read", null]) expect((await session(id, { scopes })).status).toBe(400);
  });

  it("it ends with its key, at the next request, and goes on through a grace", async () => {
    const id = await account();
    const regenerate = async (body: object): Promise<string> => {
      const path = "/api/v1/auth/tenants/api-keys/regenerate/";
      const all = { key_type: "test", confirm: true, ...body };
      const { json } = await send(door, "POST", path, { token: tenant.access, body: all });
      return (json.keys as Record<string, string>).test_secret ?? "";
    };
    const first = (await session(id)).json.token;
    const second = await regenerate({ grace_seconds: 60 });
    expect((await me(first)).status).toBe(200);
    const renewed = (await session(id, undefined, second)).json.token;
    const body = { key_type: "test", reason: "leaked", confirm: true };
    await send(door, "POST", "/api/v1/auth/tenants/api-keys/revoke/", { token: tenant.access, body });
    for (const token of [first, renewed]) expect((await me(token)).status).toBe(401);
    tenant.keys.test_secret = await regenerate({});
  });

  it("nobody else can make one: changed claims, other keys, and a person's token are worth nothing", async () => {
    const id = await account();
    const token = String((await session(id)).json.token);
    const [head = "", claims = "", mac = ""] = token.split(".");
    const said = JSON.parse(Buffer.from(claims, "base64url").toString("utf8")) as Wire;
    expect(said).not.toHaveProperty("email");
    const changed = (also: object): string => Buffer.from(JSON.stringify({ ...said, ...also })).toString("base64url");
    const none = Buffer.from('{"alg":"none","typ":"account-session+jwt"}').toString("base64url");
    const forged = [
      `${head}.${changed({ sub: newId("acc") })}.${mac}`,
      `${head}.${changed({ exp: 4_000_000_000 })}.${mac}`,
      `${none}.${claims}.`,
      `${head}.${claims}.`,
      `${token}.x`,
    ];
    for (const one of forged) expect((await me(one)).status).toBe(401);
    const scopes = ["read"] as const;
    const keyId = String(said.key);
    const mine = { tenantId: tenant.id, livemode: false, accountId: id, keyId, scopes };
    const stranger = { ...door.deps, people: { ring: keyRing([new Secret("another-secret-key-of-some-length")]) } };
    expect((await me((await signAccountSession(stranger, mine)).token)).status).toBe(401);
    const late = { ...door.deps, clock: manualClock(Date.now() - 15 * 60_000 - 1000) };
    expect((await me((await signAccountSession(late, mine)).token)).status).toBe(401);
    // A person's token says nothing of an account, and is no session.
    expect(await readAccountSession(door.deps, tenant.access)).toBeUndefined();
  });

  it("a token signed before SECRET_KEY was rotated works on", async () => {
    const [old, current] = ["old", "new"].map((name) => new Secret(`the-${name}-secret-key-of-some-length`));
    if (old === undefined || current === undefined) throw new Error("two keys");
    const session = { tenantId: tenant.id, livemode: true, accountId: newId("acc"), keyId: newId("key") };
    const signed = await signAccountSession(
      { ...door.deps, people: { ring: keyRing([old]) } },
      { ...session, scopes: ["purchase"] },
    );
    const rotated = { ...door.deps, people: { ring: keyRing([current, old]) } };
    expect(await readAccountSession(rotated, signed.token)).toEqual({ ...session, scopes: ["purchase"] });
  });
});
