// People and sessions over HTTP, on both databases: registration, sign-in, rotation, recovery, limits.
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { manualClock } from "../src/base/clock.ts";
import { Secret } from "../src/base/secret.ts";
import { newId } from "../src/base/ids.ts";
import { LIMITS } from "../src/tenants/rate-limits.ts";
import { registerAnotherTenant } from "../src/tenants/registration.ts";
import { openPeople } from "../src/tenants/open-people.ts";
import { openDoor, PUBLIC_URL, SECRET_KEY } from "./support/api-door.ts";
import type { Door, Wire } from "./support/api-door.ts";
import {
  mailedToken,
  mailsTo,
  newEmail,
  PASSWORD,
  registerPerson,
  registerTenant,
  send,
  sessionOf,
} from "./support/people.ts";
import { BOTH } from "./support/pipe.ts";

const AUTH = "/api/v1/auth";
const WIDE = { tries: 10_000, seconds: 60 };
const UNLIMITED = { address: WIDE, source: WIDE };

interface Registered {
  tenant: { id: string };
  user: Wire;
  tokens: { access: string; refresh: string };
  api_keys: Record<string, string>;
  webhook_secret: string;
}

describe.each(BOTH)("on the %s database", (kind) => {
  let door: Door;
  const post = (path: string, body: unknown, headers: Record<string, string> = {}) =>
    send(door, "POST", `${AUTH}${path}`, { body, headers });
  const me = (token: string) => send(door, "GET", `${AUTH}/me/`, { token });

  beforeAll(async () => {
    const tryLimits = {
      sign_in: UNLIMITED,
      reset: UNLIMITED,
      invitation: UNLIMITED,
      registration: UNLIMITED,
      token: UNLIMITED,
    };
    door = await openDoor(kind, { deps: { tryLimits } });
  });
  afterAll(async () => door.close());

  it("a tenant is registered with its owner, four keys and a secret, each shown once", async () => {
    const email = newEmail();
    const body = { company_name: "Acme Corp", email, password: "SecurePass123!", domain: "Acme.example" };
    const answer = await post("/tenants/register/", body);
    expect(answer.status).toBe(201);
    const { tenant, user, tokens, api_keys: keys, webhook_secret: secret } = answer.json as unknown as Registered;
    expect(tenant).toMatchObject({
      company_name: "Acme Corp",
      domain: "acme.example",
      stripe_connect_status: "not_connected",
    });
    expect(user).toMatchObject({ email, email_verified: false });
    expect(Object.keys(keys).sort()).toEqual(["live_public", "live_secret", "test_public", "test_secret"]);
    expect(keys.live_secret).toMatch(/^sk_live_[0-9A-Za-z]{32}$/);
    expect(secret).toMatch(/^whsec_[\w+/]{43}=$/);
    expect((await me(tokens.access)).json.tenants).toEqual([
      { id: tenant.id, company_name: "Acme Corp", role: "owner", platform: false },
    ]);
    expect(await mailsTo(door, email)).toEqual(["verify_address"]);
    const { rows } = await door.pipe.database.query(
      "select * from tenants natural join api_keys natural join refresh_tokens",
    );
    const stored = JSON.stringify([rows, (await door.pipe.database.query("select * from people")).rows]);
    for (const shown of [keys.live_secret, keys.test_secret, secret, tokens.refresh, "SecurePass123!"]) {
      expect(stored).not.toContain(shown);
    }
  });

  const another = (token: string, body: unknown, headers: Record<string, string> = {}) =>
    send(door, "POST", `${AUTH}/tenants/`, { token, body, headers });
  const worksAt = async (key: string | undefined, tenant: string): Promise<boolean> => {
    const headers = { "billhook-tenant": tenant };
    return (await send(door, "GET", `${AUTH}/tenants/api-keys/`, { token: key, headers })).status === 200;
  };

  it("another tenant of a person is theirs alone, with keys and a secret of its own, and told in its audit log", async () => {
    const person = await registerTenant(door);
    const body = { company_name: "Second Corp", domain: "Second.example" };
    const answer = await another(person.access, body);
    const { tenant, api_keys: keys, webhook_secret: secret } = answer.json as unknown as Registered;
    expect([answer.status, Object.keys(answer.json).sort()]).toEqual([
      201,
      ["api_keys", "message", "tenant", "webhook_secret"],
    ]);
    expect(tenant).toMatchObject({ company_name: "Second Corp", domain: "second.example" });
    expect([secret, Object.keys(keys)]).toEqual([
      expect.stringMatching(/^whsec_[\w+/]{43}=$/),
      Object.keys(person.keys),
    ]);
    expect([await worksAt(keys.test_secret, tenant.id), await worksAt(keys.test_secret, person.id)]).toEqual([
      true,
      false,
    ]);
    const { tenants } = (await me(person.access)).json;
    const owned = (tenants as Wire[]).map(({ id, role }) => [id, role]);
    expect(owned.sort()).toEqual([person.id, tenant.id].sort().map((id) => [id, "owner"]));
    const headers = { "billhook-tenant": tenant.id };
    const log = await send(door, "GET", `${AUTH}/tenants/audit-log/`, { token: person.access, headers });
    expect(log.json.data).toMatchObject([
      { action: "tenant.registered", target: tenant.id, actor: { kind: "person", id: person.personId } },
    ]);
    for (const wrong of [
      {},
      { ...body, company_name: "" },
      { ...body, domain: "no domain" },
      { ...body, email: "a@b.c" },
    ])
      expect((await another(person.access, wrong)).status).toBe(400);
  });

  it("a lost answer to another tenant costs no second one: a new run gives it other keys, and the first ones stop", async () => {
    const { access, personId } = await registerPerson(door);
    const body = { company_name: "Once Corp", domain: "once.example" };
    const headers = { "idempotency-key": newId("req") };
    const [first, replayed] = [await another(access, body, headers), await another(access, body, headers)];
    expect([replayed.status, replayed.text]).toEqual([201, first.text]);
    const founder = { personId, source: null };
    const run = () =>
      registerAnotherTenant(door.deps.people, { companyName: "Lost", domain: "a.b" }, founder, operation);
    const operation = newId("req");
    const [lost, again] = [await run(), await run()];
    expect([again.tenant, again.webhookSecret]).toEqual([lost.tenant, lost.webhookSecret]);
    const { id } = again.tenant;
    const work = [await worksAt(lost.keys.live_secret, id), await worksAt(again.keys.live_secret, id)];
    expect(work).toEqual([false, true]);
    expect((await me(access)).json.tenants).toHaveLength(2);
    // Who is no owner of it any more gets nothing, and ends nothing.
    const { database } = door.pipe;
    await database.query({ text: "update memberships set role = 'member' where tenant_id = $1", values: [id] });
    await expect(run()).rejects.toMatchObject({ code: "not_found" });
    expect(await worksAt(again.keys.live_secret, id)).toBe(true);
  });

  it("one address is one person, in whatever case", async () => {
    const email = newEmail();
    await registerPerson(door, email);
    const again = await post("/register/", { email: email.toUpperCase(), password: PASSWORD });
    expect([again.status, again.json.code, again.json.param]).toEqual([409, "email_taken", "email"]);
    expect((await post("/login/", { email: email.toUpperCase(), password: PASSWORD })).status).toBe(200);
  });

  it.each([
    ["short", "Short-1", "password_weak"],
    ["common", "password123", "password_weak"],
    ["common in capitals", "QWERTYUIOP", "password_weak"],
    ["of one letter", "aaaaaaaaaaaa", "password_weak"],
    ["empty", "", "invalid_request"],
  ])("a password that is %s is refused", async (_, password, code) => {
    const answer = await post("/register/", { email: newEmail(), password });
    expect([answer.status, answer.json.code, answer.json.param]).toEqual([400, code, "password"]);
  });

  it("a password that is the own address is refused", async () => {
    const email = newEmail();
    expect((await post("/register/", { email, password: email })).json.code).toBe("password_weak");
  });

  it("a wrong password and an unknown address are answered alike, and take as long", async () => {
    const email = newEmail();
    await registerPerson(door, email);
    const timed = async (address: string): Promise<[number, unknown]> => {
      const started = performance.now();
      const { status, json } = await post("/login/", { email: address, password: "Wrong-Horse-9" });
      return [performance.now() - started, [status, json.code, json.message]];
    };
    const [known, unknown] = [await timed(email), await timed("nobody@people.example")];
    expect(known[1]).toEqual(unknown[1]);
    expect(known[1]).toEqual([401, "credentials_invalid", expect.any(String)]);
    // argon2id alone takes over 10 ms on any machine; without it a refusal takes two or three.
    expect(Math.min(known[0], unknown[0])).toBeGreaterThan(10);
  });

  it("a refresh token works once; a second use ends the family, its access tokens included", async () => {
    const first = await registerPerson(door);
    const second = sessionOf(await post("/refresh/", { refresh: first.refresh }));
    expect(second.personId).toBe(first.personId);
    expect((await me(second.access)).status).toBe(200);
    const stolen = await post("/refresh/", { refresh: first.refresh });
    expect([stolen.status, stolen.json.code]).toEqual([401, "refresh_token_invalid"]);
    expect((await post("/refresh/", { refresh: second.refresh })).status).toBe(401);
    expect([(await me(first.access)).status, (await me(second.access)).status]).toEqual([401, 401]);
  });

  it("of two uses of a refresh token at the same time at most one goes on", async () => {
    const { refresh } = await registerPerson(door);
    const answers = await Promise.all(Array.from({ length: 5 }, () => post("/refresh/", { refresh })));
    expect(answers.filter(({ status }) => status === 200).length).toBeLessThanOrEqual(1);
    expect(answers.filter(({ status }) => status === 401).length).toBeGreaterThanOrEqual(4);
  });

  it("a browser's refresh token is in a cookie alone: no script, no other site", async () => {
    const email = newEmail();
    await registerPerson(door, email);
    const answer = await post("/login/", { email, password: PASSWORD, cookie: true });
    expect((answer.json.tokens as { refresh: null }).refresh).toBeNull();
    const cookie = answer.headers.get("set-cookie") ?? "";
    expect(cookie).toMatch(
      /^billhook_refresh=[\w-]{43}; Path=\/api\/v1\/auth\/; Max-Age=2592000; HttpOnly; SameSite=Strict$/,
    );
    const sent = { cookie: cookie.split(";")[0] ?? "" };
    expect((await post("/refresh/", undefined, { ...sent, origin: "https://evil.example" })).status).toBe(403);
    const next = await post("/refresh/", undefined, { ...sent, origin: PUBLIC_URL });
    expect(next.status).toBe(200);
    const renewed = next.headers.getSetCookie().at(-1) ?? "";
    expect(renewed).toMatch(/^billhook_refresh=[\w-]{43};/);
    const out = await post("/logout/", undefined, { cookie: renewed.split(";")[0] ?? "" });
    expect([out.status, out.headers.get("set-cookie")]).toEqual([200, expect.stringContaining("Max-Age=0")]);
    expect((await me((next.json.tokens as { access: string }).access)).status).toBe(401);
  });

  it("a logout ends the session, and says the same of a token that is none", async () => {
    const session = await registerPerson(door);
    expect((await post("/logout/", { refresh: session.refresh })).status).toBe(200);
    expect((await me(session.access)).status).toBe(401);
    expect((await post("/logout/", { refresh: "nonsense" })).status).toBe(200);
  });

  it("a forgotten password: same answer for anybody, one link, one use, all sessions end", async () => {
    const email = newEmail();
    const session = await registerPerson(door, email);
    const [known, unknown] = [
      await post("/password/forgot/", { email }),
      await post("/password/forgot/", { email: "nobody@people.example" }),
    ];
    expect([known.status, known.text]).toEqual([unknown.status, unknown.text]);
    const older = await mailedToken(door, email);
    await post("/password/forgot/", { email });
    const token = await mailedToken(door, email);
    const password = "Another-Horse-10";
    expect((await post("/password/reset/", { token: older, password })).json.code).toBe("one_time_token_invalid");
    expect((await post("/password/reset/", { token, password: "password123" })).json.code).toBe("password_weak");
    expect((await post("/password/reset/", { token, password })).status).toBe(200);
    expect((await post("/password/reset/", { token, password })).status).toBe(400);
    expect((await me(session.access)).status).toBe(401);
    expect((await post("/refresh/", { refresh: session.refresh })).status).toBe(401);
    expect((await post("/login/", { email, password: PASSWORD })).status).toBe(401);
    const again = await post("/login/", { email, password });
    expect([again.status, (again.json.user as { email_verified: boolean }).email_verified]).toEqual([200, true]);
  });

  it("a link that is too old does nothing", async () => {
    const email = newEmail();
    await registerPerson(door, email);
    const token = await mailedToken(door, email);
    await door.pipe.database.query("update one_time_tokens set expires_at = now() - interval '1 second'");
    expect((await post("/email/verify/", { token })).json.code).toBe("one_time_token_invalid");
  });

  it("an address is verified by its link, and only for what it was sent", async () => {
    const email = newEmail();
    const { access } = await registerPerson(door, email);
    await send(door, "POST", `${AUTH}/email/resend/`, { token: access });
    const token = await mailedToken(door, email);
    expect((await post("/password/reset/", { token, password: "Another-Horse-10" })).status).toBe(400);
    expect((await post("/email/verify/", { token })).status).toBe(200);
    expect((await me(access)).json.email_verified).toBe(true);
    expect((await post("/email/verify/", { token })).status).toBe(400);
    await send(door, "POST", `${AUTH}/email/resend/`, { token: access });
    expect(await mailsTo(door, email)).toHaveLength(2);
  });

  it("a password change wants the current one, and ends every other session", async () => {
    const email = newEmail();
    const here = await registerPerson(door, email);
    const there = sessionOf(await post("/login/", { email, password: PASSWORD }));
    const change = (current: string, next: string) =>
      send(door, "POST", `${AUTH}/password/change/`, {
        token: here.access,
        body: { current_password: current, new_password: next },
      });
    expect((await change("Wrong-Horse-9", "Another-Horse-10")).json.param).toBe("current_password");
    expect((await change(PASSWORD, "password123")).json.param).toBe("new_password");
    expect((await change(PASSWORD, "Another-Horse-10")).status).toBe(200);
    expect([(await me(here.access)).status, (await me(there.access)).status]).toEqual([200, 401]);
    const renamed = await send(door, "PATCH", `${AUTH}/me/`, { token: here.access, body: { name: "Ada" } });
    expect([renamed.status, renamed.json.name]).toEqual([200, "Ada"]);
  });

  it("access tokens end after 15 minutes, and live on when SECRET_KEY is rotated", async () => {
    const session = await registerPerson(door);
    const clock = manualClock(Date.now());
    const [old, rotated] = [[SECRET_KEY], ["a-new-secret-key-of-enough-characters", SECRET_KEY]].map((keys) =>
      openPeople({
        ...{ database: door.pipe.database, clock, secretKeys: keys.map((key) => new Secret(key)), keyBrand: "" },
        ...{ publicUrl: PUBLIC_URL, frontendUrl: PUBLIC_URL },
      }),
    );
    expect(await rotated?.tokens.verify(session.access)).toMatchObject({ personId: session.personId });
    expect(rotated?.tokens.jwks().keys).toHaveLength(2);
    const newer = (await rotated?.tokens.sign({ personId: session.personId, sessionId: "s" })) ?? "";
    expect(await old?.tokens.verify(newer)).toBeUndefined();
    const published = await send(door, "GET", "/.well-known/jwks.json");
    expect(published.json).toEqual(old?.tokens.jwks());
    clock.advance(15 * 60_000 + 1000);
    expect(await rotated?.tokens.verify(session.access)).toBeUndefined();
  });

  it("another site's page gets no answer, an own one does", async () => {
    const preflight = { "access-control-request-method": "PATCH" };
    const own = await door.call("OPTIONS", `${AUTH}/me/`, { headers: { ...preflight, origin: PUBLIC_URL } });
    expect([own.status, own.headers.get("access-control-allow-origin")]).toEqual([204, PUBLIC_URL]);
    const other = await door.call("OPTIONS", `${AUTH}/me/`, {
      headers: { ...preflight, origin: "https://evil.example" },
    });
    expect([other.status, other.headers.get("access-control-allow-origin")]).toEqual([405, null]);
  });

  it("the register and the audit log never hold an address or a secret in a log line", async () => {
    const tenant = await registerTenant(door);
    const told = JSON.stringify(door.lines);
    for (const secret of [tenant.email, PASSWORD, tenant.refresh, tenant.keys.live_secret])
      expect(told).not.toContain(secret);
  });
});

describe.each(BOTH)("limits on the %s database", (kind) => {
  let door: Door;
  beforeAll(async () => {
    door = await openDoor(kind, {
      deps: {
        trustProxy: 1,
        tryLimits: { ...LIMITS, sign_in: { address: { tries: 3, seconds: 900 }, source: { tries: 6, seconds: 900 } } },
      },
    });
  });
  afterAll(async () => door.close());
  const tryOnce = (email: string, source: string, password = "Wrong-Horse-9") =>
    send(door, "POST", `${AUTH}/login/`, { body: { email, password }, headers: { "x-forwarded-for": source } });

  it("tries are counted per address and per source, told in headers, and end in 429", async () => {
    const email = newEmail();
    await registerPerson(door, email);
    const statuses: number[] = [];
    for (let index = 0; index < 4; index += 1) statuses.push((await tryOnce(email, `203.0.113.${index}`)).status);
    expect(statuses).toEqual([401, 401, 401, 429]);
    const refused = await tryOnce(email.toUpperCase(), "203.0.113.9", PASSWORD);
    expect([refused.status, refused.json.code]).toEqual([429, "rate_limited"]);
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(800);
    expect(refused.headers.get("ratelimit-remaining")).toBe("0");
    const rest: number[] = [];
    for (let index = 0; index < 7; index += 1) rest.push((await tryOnce(newEmail(), "198.51.100.1")).status);
    expect(rest).toEqual([401, 401, 401, 401, 401, 401, 429]);
  });

  it("a person makes five tenants an hour, from wherever, and nobody else has fewer for that", async () => {
    const [one, other] = [await registerPerson(door), await registerPerson(door)];
    const make = async (token: string, index: number): Promise<number> => {
      const body = { company_name: "One of many", domain: "many.example" };
      const headers = { "x-forwarded-for": `203.0.113.${100 + index}` };
      return (await send(door, "POST", `${AUTH}/tenants/`, { token, body, headers })).status;
    };
    const statuses: number[] = [];
    for (let index = 0; index < 6; index += 1) statuses.push(await make(one.access, index));
    expect([statuses, await make(other.access, 5)]).toEqual([[201, 201, 201, 201, 201, 429], 201]);
  });

  it("a success gives an address its tries back; what a client writes before the proxy's entry counts for nothing", async () => {
    const email = newEmail();
    await registerPerson(door, email);
    await tryOnce(email, "203.0.113.50");
    await tryOnce(email, "203.0.113.51");
    const good = await tryOnce(email, "203.0.113.52", PASSWORD);
    expect([good.status, good.headers.get("ratelimit-remaining")]).toEqual([200, "0"]);
    expect((await tryOnce(email, "203.0.113.53")).headers.get("ratelimit-remaining")).toBe("2");
    const forged: number[] = [];
    for (let index = 0; index < 7; index += 1)
      forged.push((await tryOnce(newEmail(), `10.0.0.${index}, 203.0.113.60`)).status);
    expect(forged.at(-1)).toBe(429);
    const { rows } = await door.pipe.database.query("select key from rate_limits");
    expect(JSON.stringify(rows)).not.toContain("example");
  });
});

it("behind https browsers are told to stay there, and the cookie travels by it alone", async () => {
  const door = await openDoor("embedded", { deps: { publicUrl: "https://billing.example.com" } });
  try {
    const body = { email: newEmail(), password: PASSWORD, cookie: true };
    const answer = await send(door, "POST", `${AUTH}/register/`, { body });
    expect(answer.status).toBe(201);
    expect(answer.headers.get("strict-transport-security")).toBe("max-age=31536000");
    expect(answer.headers.get("set-cookie")).toMatch(/; Secure$/);
    expect(answer.headers.get("ratelimit-limit")).toBe("5");
  } finally {
    await door.close();
  }
});
