// Tenants over HTTP, on both databases: members with roles, invitations, API keys, the audit log, the first operator.
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { manualClock, systemClock } from "../src/base/clock.ts";
import { firstOperatorLink } from "../src/tenants/first-operator.ts";
import { ROUTES } from "../src/api/routes.ts";
import { keyUse } from "../src/tenants/key-use.ts";
import { requestRates } from "../src/tenants/request-rates.ts";
import { openDoor, OPERATOR_TOKEN, PUBLIC_URL } from "./support/api-door.ts";
import type { Door, Wire } from "./support/api-door.ts";
import {
  addMember,
  auditOf,
  mailedToken,
  mailsTo,
  newEmail,
  PASSWORD,
  registerPerson,
  registerTenant,
  send,
  sessionOf,
} from "./support/people.ts";
import type { TestTenant } from "./support/people.ts";
import { BOTH } from "./support/pipe.ts";

const TENANTS = "/api/v1/auth/tenants";
const WIDE = { tries: 10_000, seconds: 60 };
const UNLIMITED = { address: WIDE, source: WIDE };

describe.each(BOTH)("on the %s database", (kind) => {
  let door: Door;
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

  const call = (token: string | undefined, method: string, path: string, body?: unknown, headers = {}) =>
    send(door, method, `${TENANTS}${path}`, { token, body, headers });
  const invite = (by: { access: string }, email: string, role: string) =>
    call(by.access, "POST", "/members/", { email, role });
  const accept = (body: object) => call(undefined, "POST", "/members/accept/", body);
  const codeOf = ({ status, json }: { status: number; json: Wire }) => [status, json.code];

  describe("members", () => {
    it("are invited by mail and join by its token alone, once", async () => {
      const tenant = await registerTenant(door);
      const email = newEmail();
      const invited = await invite(tenant, email, "admin");
      expect([invited.status, invited.json.status, invited.json.role]).toEqual([201, "invited", "admin"]);
      expect(await mailsTo(door, email)).toEqual(["invite"]);
      const token = await mailedToken(door, email);
      expect(codeOf(await accept({ token: `${token}x`, password: PASSWORD }))).toEqual([400, "one_time_token_invalid"]);
      expect((await accept({ token })).json.param).toBe("password");
      expect((await accept({ token, password: "password123" })).json.code).toBe("password_weak");
      const joined = await accept({ token, password: PASSWORD, name: "Ada" });
      expect(joined.json).toMatchObject({
        role: "admin",
        tenant: { id: tenant.id },
        user: { email, email_verified: true },
      });
      expect(codeOf(await accept({ token, password: PASSWORD }))).toEqual([400, "one_time_token_invalid"]);
      const { data } = (await call(sessionOf(joined).access, "GET", "/members/")).json as { data: Wire[] };
      expect(data.map(({ role, status }) => [role, status])).toEqual([
        ["owner", "active"],
        ["admin", "active"],
      ]);
      expect(codeOf(await invite(tenant, email.toUpperCase(), "member"))).toEqual([409, "already_member"]);
    });

    it("a browser that accepts gets the refresh token in a cookie alone", async () => {
      const tenant = await registerTenant(door);
      const email = newEmail();
      await invite(tenant, email, "member");
      const joined = await accept({ token: await mailedToken(door, email), password: PASSWORD, cookie: true });
      expect(joined.json.tokens).toEqual({ access: expect.any(String), refresh: null });
      const cookie = joined.headers.get("set-cookie") ?? "";
      expect(cookie).toMatch(/^billhook_refresh=[\w-]{43}; Path=\/api\/v1\/auth\/; .*HttpOnly; SameSite=Strict$/);
      const headers = { cookie: cookie.split(";")[0] ?? "", origin: PUBLIC_URL };
      expect((await send(door, "POST", "/api/v1/auth/refresh/", { headers })).status).toBe(200);
    });

    it("read every list of the tenant but its keys and what was done, and no secret in any", async () => {
      const reads = ROUTES.filter(({ method, path }) => method === "GET" && !path.includes(":"));
      const pathsFor = (who: string) => reads.filter((route) => route.who === who).map(({ path }) => path);
      expect(pathsFor("admin").sort()).toEqual(
        ["api-keys", "audit-log", "stripe/status", "terms", "webhooks/config"].map((name) => `${TENANTS}/${name}/`),
      );
      const tenant = await registerTenant(door);
      const { access: token } = await addMember(door, tenant, "member");
      const body = { url: "https://hooks.example/in" };
      const made = await send(door, "POST", "/api/v1/webhook-endpoints/", { token: tenant.access, body });
      const secrets = [made.json.secret, tenant.keys.test_secret, tenant.keys.live_secret].map(String);
      const lists = pathsFor("member").filter((path) => path !== "/api/v1/search/");
      expect(lists.length).toBeGreaterThan(7);
      for (const path of [...lists, "/api/v1/plans/", `/api/v1/webhook-endpoints/${String(made.json.id)}/`]) {
        const { status, text } = await send(door, "GET", path, { token });
        expect([path, status, secrets.filter((secret) => text.includes(secret))]).toEqual([path, 200, []]);
      }
    });

    it("who has a verified account joins with it, and gets no session from the token", async () => {
      const tenant = await registerTenant(door);
      const email = newEmail();
      await registerPerson(door, email);
      await send(door, "POST", "/api/v1/auth/email/verify/", { body: { token: await mailedToken(door, email) } });
      await invite(tenant, email, "member");
      const joined = await accept({ token: await mailedToken(door, email), cookie: true });
      expect([joined.status, joined.json.tokens, joined.headers.get("set-cookie")]).toEqual([200, null, null]);
    });

    it("an account that somebody made with another's address is taken over by the invitation's token", async () => {
      const tenant = await registerTenant(door);
      const email = newEmail();
      const squatter = await registerPerson(door, email);
      await invite(tenant, email, "admin");
      const joined = await accept({ token: await mailedToken(door, email), password: "Rightful-Horse-11" });
      expect(joined.status).toBe(200);
      expect((await send(door, "GET", "/api/v1/auth/me/", { token: squatter.access })).status).toBe(401);
      const login = await send(door, "POST", "/api/v1/auth/login/", { body: { email, password: PASSWORD } });
      expect(login.status).toBe(401);
    });

    it("nobody grants a role above the own", async () => {
      const tenant = await registerTenant(door);
      const admin = await addMember(door, tenant, "admin");
      expect(codeOf(await invite(admin, newEmail(), "owner"))).toEqual([403, "forbidden"]);
      expect((await invite(admin, newEmail(), "admin")).status).toBe(201);
      const raised = await call(admin.access, "PATCH", `/members/${admin.personId}/`, { role: "owner" });
      expect(raised.status).toBe(403);
    });

    it("a role that changes, or is taken away, counts at once", async () => {
      const tenant = await registerTenant(door);
      const person = await addMember(door, tenant, "admin");
      expect((await call(person.access, "GET", "/api-keys/")).status).toBe(200);
      const change = await call(tenant.access, "PATCH", `/members/${person.personId}/`, { role: "member" });
      expect([change.status, change.json.role]).toEqual([200, "member"]);
      expect((await call(person.access, "GET", "/api-keys/")).status).toBe(403);
      expect((await call(tenant.access, "DELETE", `/members/${person.personId}/`)).status).toBe(200);
      const named = { "billhook-tenant": tenant.id };
      expect((await call(person.access, "GET", "/members/", undefined, named)).status).toBe(404);
      expect((await call(tenant.access, "DELETE", `/members/${person.personId}/`)).status).toBe(404);
    });

    it("the last owner neither goes nor steps down, also when two owners go at the same time", async () => {
      const tenant = await registerTenant(door);
      const self = `/members/${tenant.personId}/`;
      expect(codeOf(await call(tenant.access, "DELETE", self))).toEqual([409, "last_owner"]);
      expect(codeOf(await call(tenant.access, "PATCH", self, { role: "admin" }))).toEqual([409, "last_owner"]);
      const second = await addMember(door, tenant, "owner");
      const answers = await Promise.all([
        call(tenant.access, "DELETE", self),
        call(second.access, "DELETE", `/members/${second.personId}/`),
      ]);
      expect(answers.map(({ status }) => status).sort()).toEqual([200, 409]);
    });

    it("another tenant's people and invitations are not there", async () => {
      const [ours, theirs] = [await registerTenant(door), await registerTenant(door)];
      const email = newEmail();
      const { id } = (await invite(theirs, email, "member")).json as { id: string };
      for (const target of [theirs.personId, id]) {
        expect((await call(ours.access, "DELETE", `/members/${target}/`)).status).toBe(404);
      }
      expect((await call(ours.access, "PATCH", `/members/${theirs.personId}/`, { role: "member" })).status).toBe(404);
      expect((await call(theirs.access, "DELETE", `/members/${id}/`)).status).toBe(200);
      const token = await mailedToken(door, email);
      expect(codeOf(await accept({ token, password: PASSWORD }))).toEqual([400, "one_time_token_invalid"]);
    });

    it("with several tenants a person says which", async () => {
      const [one, two] = [await registerTenant(door), await registerTenant(door)];
      await invite(two, one.email, "member");
      await accept({ token: await mailedToken(door, one.email), password: PASSWORD });
      const session = sessionOf(
        await send(door, "POST", "/api/v1/auth/login/", { body: { email: one.email, password: PASSWORD } }),
      );
      expect(codeOf(await call(session.access, "GET", "/members/"))).toEqual([400, "tenant_required"]);
      for (const [id, role] of [
        [one.id, 200],
        [two.id, 403],
      ] as const) {
        const answer = await call(session.access, "GET", "/api-keys/", undefined, { "billhook-tenant": id });
        expect(answer.status).toBe(role);
      }
      for (const bad of ["ten_00000000000000000000000000", "nonsense"]) {
        const answer = await call(session.access, "GET", "/members/", undefined, { "billhook-tenant": bad });
        expect(answer.status).toBe(404);
      }
    });
  });

  describe("API keys", () => {
    const list = async (token: string): Promise<Wire[]> => (await call(token, "GET", "/api-keys/")).json.keys as Wire[];
    const regenerate = (tenant: TestTenant, body: object) =>
      call(tenant.access, "POST", "/api-keys/regenerate/", { confirm: true, ...body });

    it("are listed with the secret ones masked, and a key sees its own mode alone", async () => {
      const tenant = await registerTenant(door);
      const keys = await list(tenant.access);
      expect(keys.map(({ type, masked }) => [type, masked])).toEqual([
        ["live_public", false],
        ["live_secret", true],
        ["test_public", false],
        ["test_secret", true],
      ]);
      expect(keys[0]?.key).toBe(tenant.keys.live_public);
      expect(keys[3]?.key).toBe(`sk_test_****...${tenant.keys.test_secret.slice(-4)}`);
      expect((await list(tenant.keys.test_secret)).map(({ type }) => type)).toEqual(["test_public", "test_secret"]);
      expect((await list(tenant.keys.live_secret)).map(({ type }) => type)).toEqual(["live_public", "live_secret"]);
    });

    it("are replaced at once, or after a grace in which both work", async () => {
      const tenant = await registerTenant(door);
      const answer = await regenerate(tenant, { key_type: "test" });
      const { test_secret: fresh = "", ...rest } = answer.json.keys as Record<string, string>;
      expect([answer.status, Object.keys(rest)]).toEqual([200, ["test_public"]]);
      expect((await call(tenant.keys.test_secret, "GET", "/api-keys/")).status).toBe(401);
      expect((await call(fresh, "GET", "/api-keys/")).status).toBe(200);
      expect((await call(tenant.keys.live_secret, "GET", "/api-keys/")).status).toBe(200);
      const graced = await regenerate(tenant, { key_type: "all", grace_seconds: 3600 });
      const { live_secret: live = "" } = graced.json.keys as Record<string, string>;
      for (const key of [tenant.keys.live_secret, fresh, live]) {
        expect((await call(key, "GET", "/api-keys/")).status).toBe(200);
      }
      const ends = (await list(tenant.access)).map(({ expires_at: end }) => end === null);
      expect(ends.filter((never) => never)).toHaveLength(4);
      expect(ends).toHaveLength(8);
      await door.pipe.database.query(
        "update api_keys set expires_at = now() - interval '1 second' where expires_at is not null",
      );
      expect((await call(tenant.keys.live_secret, "GET", "/api-keys/")).status).toBe(401);
      expect((await call(live, "GET", "/api-keys/")).status).toBe(200);
    });

    it("are revoked with a reason, at once, and told in the audit log", async () => {
      const tenant = await registerTenant(door);
      const revoke = (body: object) => call(tenant.access, "POST", "/api-keys/revoke/", body);
      const reason = "Security incident - suspected key leak";
      for (const confirm of [undefined, false]) {
        expect(codeOf(await revoke({ key_type: "all", reason, confirm }))).toEqual([400, "confirmation_required"]);
      }
      const answer = await revoke({ key_type: "all", reason, confirm: true });
      expect(answer.json).toMatchObject({
        revoked_keys: ["live_public", "live_secret", "test_public", "test_secret"],
        reason,
      });
      expect((await call(tenant.keys.live_secret, "GET", "/api-keys/")).status).toBe(401);
      expect(await list(tenant.access)).toEqual([]);
      const [entry] = await auditOf(door, tenant);
      expect(entry).toMatchObject({
        action: "api_keys.revoked",
        actor: { kind: "person", id: tenant.personId },
        after: { reason },
        source: "127.0.0.1",
      });
    });

    it.each([[{ grace_seconds: 604_801 }], [{ grace_seconds: -1 }], [{ grace_seconds: 1.5 }], [{ key_type: "both" }]])(
      "%j is refused",
      async (body) => {
        expect((await regenerate(await registerTenant(door), { key_type: "test", ...body })).status).toBe(400);
      },
    );

    it("tell when they were used last, written in batches and not by each request", async () => {
      const tenant = await registerTenant(door);
      const gathered = keyUse(door.pipe.database, systemClock);
      const keys = await list(tenant.access);
      expect(keys.map(({ last_used_at: at }) => at)).toEqual([null, null, null, null]);
      gathered.used(String(keys[3]?.id));
      gathered.used(String(keys[3]?.id));
      expect((await list(tenant.access))[3]?.last_used_at).toBeNull();
      await gathered.flush();
      const used = Date.parse(String((await list(tenant.access))[3]?.last_used_at));
      expect(Math.abs(used - Date.now())).toBeLessThan(5000);
      await gathered.flush();
    });
  });

  it("the audit log tells who did what to whom, newest first, page by page", async () => {
    const tenant = await registerTenant(door);
    const person = await addMember(door, tenant, "admin");
    await call(tenant.access, "PATCH", `/members/${person.personId}/`, { role: "member" });
    const entries = await auditOf(door, tenant);
    expect(entries.map(({ action }) => action)).toEqual([
      "member.changed",
      "member.joined",
      "member.invited",
      "tenant.registered",
    ]);
    expect(entries[0]).toMatchObject({ before: { role: "admin" }, after: { role: "member" }, target: person.personId });
    const first = await call(tenant.access, "GET", "/audit-log/?limit=3");
    const cursor = String(first.json.next_cursor);
    const second = await call(tenant.access, "GET", `/audit-log/?limit=3&cursor=${cursor}`);
    expect([first.json.has_more, second.json.has_more]).toEqual([true, false]);
    expect([...(first.json.data as Wire[]), ...(second.json.data as Wire[])]).toEqual(entries);
  });

  it("the platform's first operator is invited by the newest link alone, which works once, and is an operator then", async () => {
    const { database, platformTenant } = door.pipe;
    const make = () => firstOperatorLink(database, { platformTenant, frontendUrl: PUBLIC_URL });
    const [former, token] = [await make(), await make()].map(
      (link) => link?.split(`${PUBLIC_URL}/invitation#token=`)[1],
    );
    expect(codeOf(await accept({ token: former, email: newEmail(), password: PASSWORD }))).toEqual([
      400,
      "one_time_token_invalid",
    ]);
    const taken = await registerTenant(door);
    expect(codeOf(await accept({ token, email: taken.email, password: PASSWORD }))).toEqual([409, "email_taken"]);
    expect((await accept({ token, password: PASSWORD })).json.param).toBe("email");
    const operator = sessionOf(await accept({ token, email: newEmail(), password: PASSWORD }));
    const overview = (bearer: string) => send(door, "GET", "/api/v1/admin/overview/", { token: bearer });
    expect((await overview(operator.access)).status).toBe(200);
    expect((await overview(OPERATOR_TOKEN)).status).toBe(200);
    expect((await overview(taken.access)).status).toBe(403);
    expect(codeOf(await accept({ token, email: newEmail(), password: PASSWORD }))).toEqual([
      400,
      "one_time_token_invalid",
    ]);
    expect(await make()).toBeUndefined();
  });
});

it("a key that asks too often is answered 429, and its tenant's people are not", async () => {
  const limits = { key: 3, tenant: 100, source: undefined };
  // Its minute does not end meanwhile.
  const clock = manualClock(Date.now());
  const door = await openDoor("server", {
    deps: (database) => ({ rates: requestRates(database, clock, limits) }),
  });
  try {
    const tenant = await registerTenant(door);
    const ask = (token: string) => send(door, "GET", `${TENANTS}/api-keys/`, { token });
    const answers = [1, 2, 3, 4].map(() => ask(tenant.keys.live_secret));
    const statuses = (await Promise.all(answers)).map(({ status }) => status);
    expect(statuses.sort()).toEqual([200, 200, 200, 429]);
    const refused = await ask(tenant.keys.live_secret);
    expect([refused.json.code, refused.headers.get("ratelimit-limit")]).toEqual(["rate_limited", "3"]);
    expect(Number(refused.headers.get("retry-after"))).toBeGreaterThan(0);
    const person = await ask(tenant.access);
    expect([person.status, person.headers.get("ratelimit-limit")]).toEqual([200, "100"]);
  } finally {
    await door.close();
  }
});
