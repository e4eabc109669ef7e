// Invitations on both databases: no longer than the right of who made them, and never a way into an account that another opened.
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { openDoor } from "./support/api-door.ts";
import type { Answer, Door, Wire } from "./support/api-door.ts";
import { addMember, auditOf, mailedToken, meanwhileOf, newEmail, PASSWORD } from "./support/people.ts";
import { registerPerson, registerTenant, send, UNLIMITED_TRIES } from "./support/people.ts";
import type { Session, TestTenant } from "./support/people.ts";
import { BOTH } from "./support/pipe.ts";

const AUTH = "/api/v1/auth";
const MEMBERS = `${AUTH}/tenants/members/`;
const CHOSEN = "Victims-Choice-99-q";
const DEAD = [400, "one_time_token_invalid", "token"];

it("five invitations of one address in an hour are the most of a tenant, and cost no other tenant's and no reset", async () => {
  const door = await openDoor("embedded", {});
  try {
    const [one, other] = [await registerTenant(door), await registerTenant(door)];
    const email = newEmail();
    await registerPerson(door, email);
    const invite = async (token: string) =>
      (await send(door, "POST", MEMBERS, { token, body: { email, role: "member" } })).status;
    const statuses: number[] = [];
    for (let count = 0; count < 6; count += 1) statuses.push(await invite(one.access));
    expect(statuses).toEqual([201, 201, 201, 201, 201, 429]);
    expect(await invite(other.access)).toBe(201);
    expect((await send(door, "POST", `${AUTH}/password/forgot/`, { body: { email } })).status).toBe(200);
  } finally {
    await door.close();
  }
});

describe.each(BOTH)("on the %s database", (kind) => {
  let door: Door;
  beforeAll(async () => {
    door = await openDoor(kind, { deps: { tryLimits: UNLIMITED_TRIES } });
  });
  afterAll(async () => door.close());

  const post = (path: string, body: unknown) => send(door, "POST", `${AUTH}${path}`, { body });
  /** The token that was mailed. */
  const invited = async ({ access: token }: Session, email: string, role: string): Promise<string> => {
    expect((await send(door, "POST", MEMBERS, { token, body: { email, role } })).status).toBe(201);
    return mailedToken(door, email);
  };
  const accept = (token: string, password: string | undefined = PASSWORD) =>
    post("/tenants/members/accept/", { token, password });
  const codeOf = ({ status, json }: Answer) => [status, json.code, json.param];
  const list = async ({ access: token }: TestTenant) =>
    (await send(door, "GET", MEMBERS, { token })).json.data as Wire[];
  const waiting = async (tenant: TestTenant) =>
    (await list(tenant)).flatMap(({ email, status }) => (status === "invited" ? [email] : []));

  describe("an invitation", () => {
    it("ends when who made it is removed: it leaves the list, its token is dead, and the audit log tells it", async () => {
      const tenant = await registerTenant(door);
      const [admin, second, other] = [await addMember(door, tenant, "admin"), newEmail(), newEmail()];
      const token = await invited(admin, second, "admin");
      await invited(tenant, other, "admin");
      const path = `${MEMBERS}${admin.personId}/`;
      expect((await send(door, "DELETE", path, { token: tenant.access })).status).toBe(200);
      expect(await waiting(tenant)).toEqual([other]);
      expect(codeOf(await accept(token))).toEqual(DEAD);
      const told = (await auditOf(door, tenant)).filter(({ action }) => action === "invitation.revoked");
      expect(told).toMatchObject([{ actor: { id: tenant.personId }, before: { email: second, role: "admin" } }]);
    });

    it("ends when who made it may no longer grant its role, and goes on where they may", async () => {
      const tenant = await registerTenant(door);
      const [second, owner, member] = [await addMember(door, tenant, "owner"), newEmail(), newEmail()];
      const [toOwner, toMember] = [await invited(second, owner, "owner"), await invited(second, member, "member")];
      const demotion = { token: tenant.access, body: { role: "admin" } };
      expect((await send(door, "PATCH", `${MEMBERS}${second.personId}/`, demotion)).status).toBe(200);
      expect(await waiting(tenant)).toEqual([member]);
      expect(codeOf(await accept(toOwner))).toEqual(DEAD);
      expect((await accept(toMember)).json.role).toBe("member");
    });

    it.each(["delete from memberships", "update memberships set role = 'member'"])(
      "that was made beside `%s` of who made it counts for nothing, though it waits",
      async (change) => {
        const tenant = await registerTenant(door);
        const admin = await addMember(door, tenant, "admin");
        const email = newEmail();
        const token = await invited(admin, email, "admin");
        const text = `${change} where tenant_id = $1 and person_id = $2`;
        await door.pipe.database.query({ text, values: [tenant.id, admin.personId] });
        expect(await waiting(tenant)).toEqual([email]);
        expect(codeOf(await accept(token))).toEqual(DEAD);
        expect((await list(tenant)).filter((one) => one.status === "active" && one.email === email)).toEqual([]);
      },
    );
  });

  /** Registered by a thief with a password of theirs; whom the address belongs to has clicked the link that came of it. */
  const hijacked = async (email: string): Promise<Session> => {
    const thief = await registerPerson(door, email);
    expect((await post("/email/verify/", { token: await mailedToken(door, email) })).status).toBe(200);
    return thief;
  };
  const tenantsOf = async ({ access: token }: Session): Promise<unknown> => {
    const { status, json } = await send(door, "GET", `${AUTH}/me/`, { token });
    return status === 200 ? (json.tenants as Wire[]).map(({ id, role }) => [id, role]) : status;
  };

  describe("who accepts with an address that has a verified account", () => {
    it("and sends another password makes nobody a member: the account may be a thief's", async () => {
      const [tenant, email] = [await registerTenant(door), newEmail()];
      const thief = await hijacked(email);
      const token = await invited(tenant, email, "admin");
      const refused = await post("/tenants/members/accept/", { token, password: CHOSEN, cookie: true });
      expect([codeOf(refused), refused.headers.get("set-cookie")]).toEqual([
        [401, "credentials_invalid", "password"],
        null,
      ]);
      expect(refused.json.message).toContain("reset");
      expect([await tenantsOf(thief), await waiting(tenant)]).toEqual([[], [email]]);
    });

    it("takes the account back by a reset, and joins alone", async () => {
      const [tenant, email] = [await registerTenant(door), newEmail()];
      const thief = await hijacked(email);
      const token = await invited(tenant, email, "admin");
      await post("/password/forgot/", { email });
      expect((await post("/password/reset/", { token: await mailedToken(door, email), password: CHOSEN })).status).toBe(
        200,
      );
      expect((await accept(token, CHOSEN)).json).toMatchObject({ role: "admin", user: { email }, tokens: null });
      expect(await tenantsOf(thief)).toBe(401);
      expect((await post("/login/", { email, password: PASSWORD })).status).toBe(401);
    });

    it("does not join by a password that was replaced meanwhile", async () => {
      const [tenant, email] = [await registerTenant(door), newEmail()];
      await hijacked(email);
      const token = await invited(tenant, email, "admin");
      await post("/password/forgot/", { email });
      const reset = await mailedToken(door, email);
      const answer = await meanwhileOf(
        door,
        () => accept(token),
        () => post("/password/reset/", { token: reset, password: CHOSEN }),
      );
      expect(codeOf(answer)).toEqual([401, "credentials_invalid", "password"]);
      expect(await waiting(tenant)).toEqual([email]);
    });

    it("does not take it over by a password that was chosen while it had none", async () => {
      const [tenant, email] = [await registerTenant(door), newEmail()];
      const owner = await registerPerson(door, email);
      const link = await mailedToken(door, email);
      const token = await invited(tenant, email, "admin");
      const answer = await meanwhileOf(
        door,
        () => accept(token, CHOSEN),
        () => post("/email/verify/", { token: link }),
      );
      expect(codeOf(answer)).toEqual([409, "email_taken", "email"]);
      expect([await tenantsOf(owner), await waiting(tenant)]).toEqual([[], [email]]);
    });
  });

  it("who accepts and chooses a password ends the links that were mailed to reset another one", async () => {
    const [tenant, email] = [await registerTenant(door), newEmail()];
    await registerPerson(door, email);
    await post("/password/forgot/", { email });
    const link = await mailedToken(door, email);
    const token = await invited(tenant, email, "admin");
    expect((await accept(token, CHOSEN)).status).toBe(200);
    expect(codeOf(await post("/password/reset/", { token: link, password: PASSWORD }))).toEqual(DEAD);
  });

  describe("a password that is the own address or name", () => {
    it("is refused when an invitation is accepted, and the invitation waits on", async () => {
      const [tenant, email] = [await registerTenant(door), `Somebody-${newEmail()}`];
      const token = await invited(tenant, email, "member");
      for (const password of [email, email.toLowerCase(), email.split("@")[0]])
        expect(codeOf(await accept(token, password))).toEqual([400, "password_weak", "password"]);
      expect((await accept(token)).status).toBe(200);
    });

    it("is refused when a password is reset, and the link works on", async () => {
      const [email, name] = [newEmail(), "Ada of Lovelace"];
      const registered = await post("/register/", { email, name, password: PASSWORD });
      expect(registered.status).toBe(201);
      await post("/password/forgot/", { email });
      const token = await mailedToken(door, email);
      for (const password of [email, email.toUpperCase(), name])
        expect(codeOf(await post("/password/reset/", { token, password }))).toEqual([400, "password_weak", "password"]);
      expect((await post("/password/reset/", { token, password: CHOSEN })).status).toBe(200);
    });
  });

  it.each(["/tenants/members/accept/", "/password/reset/"])(
    "of a wrong token %s looks at no password",
    async (path) => {
      expect(codeOf(await post(path, { token: "x".repeat(43), password: "password123" }))).toEqual(DEAD);
    },
  );
});
