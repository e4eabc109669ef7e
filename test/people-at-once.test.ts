// People and keys when two things happen at once, on both databases: what ends something ends also what was under way.
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { openDoor } from "./support/api-door.ts";
import type { Answer, Door } from "./support/api-door.ts";
import { mailedToken, meanwhileOf, newEmail, PASSWORD } from "./support/people.ts";
import { registerPerson, registerTenant, send, sessionOf, UNLIMITED_TRIES } from "./support/people.ts";
import type { TestTenant } from "./support/people.ts";
import { BOTH } from "./support/pipe.ts";

const AUTH = "/api/v1/auth";
const OWNERS = "Owner-Chooses-11-yy";
const THIEFS = "Thief-Chooses-22-xx";

describe.each(BOTH)("on the %s database", (kind) => {
  let door: Door;
  beforeAll(async () => {
    door = await openDoor(kind, { deps: { tryLimits: UNLIMITED_TRIES } });
  });
  afterAll(async () => door.close());

  const post = (path: string, body: unknown, token?: string) => send(door, "POST", `${AUTH}${path}`, { body, token });
  const login = (email: string, password: string) => post("/login/", { email, password });
  const me = (token: string) => send(door, "GET", `${AUTH}/me/`, { token });
  const change = (token: string, password = THIEFS) =>
    post("/password/change/", { current_password: PASSWORD, new_password: password }, token);
  const codeOf = ({ status, json }: Answer) => [status, json.code];
  const forgotten = async (email: string): Promise<string> => {
    await post("/password/forgot/", { email });
    return mailedToken(door, email);
  };
  const reset = async (token: string): Promise<void> => {
    expect((await post("/password/reset/", { token, password: OWNERS })).status).toBe(200);
  };
  const fits = async (email: string): Promise<Record<string, number>> => ({
    first: (await login(email, PASSWORD)).status,
    owners: (await login(email, OWNERS)).status,
    thiefs: (await login(email, THIEFS)).status,
  });

  describe("a password reset", () => {
    it("is not undone by a change of the password that was under way", async () => {
      const email = newEmail();
      const thief = await registerPerson(door, email);
      const token = await forgotten(email);
      const changed = await meanwhileOf(
        door,
        () => change(thief.access),
        () => reset(token),
      );
      expect([codeOf(changed), changed.json.param]).toEqual([[401, "credentials_invalid"], "current_password"]);
      expect(await fits(email)).toEqual({ first: 401, owners: 200, thiefs: 401 });
    });

    it("and a change that is sent beside it: the first to be carried out ends the other", async () => {
      for (let round = 0; round < 3; round += 1) {
        const email = newEmail();
        const person = await registerPerson(door, email);
        const token = await forgotten(email);
        const answers = [post("/password/reset/", { token, password: OWNERS }), change(person.access)];
        const [byLink, byChange] = (await Promise.all(answers)).map(({ status }) => status);
        const won = byLink === 200;
        expect([byLink, byChange]).toEqual(won ? [200, 401] : [400, 200]);
        expect(await fits(email)).toEqual({ first: 401, owners: won ? 200 : 401, thiefs: won ? 401 : 200 });
      }
    });

    it("is not carried out by a link that was mailed before the password was changed, also when it was under way", async () => {
      for (const isUnderWay of [false, true]) {
        const email = newEmail();
        const person = await registerPerson(door, email);
        const token = await forgotten(email);
        const byLink = () => post("/password/reset/", { token, password: THIEFS });
        const byChange = async () => {
          expect((await change(person.access, OWNERS)).status).toBe(200);
        };
        if (!isUnderWay) await byChange();
        const answer = isUnderWay ? await meanwhileOf(door, byLink, byChange) : await byLink();
        expect(codeOf(answer)).toEqual([400, "one_time_token_invalid"]);
        expect((await me(person.access)).status).toBe(200);
        expect(await fits(email)).toEqual({ first: 401, owners: 200, thiefs: 401 });
      }
    });

    it("lets no sign-in by the old password through that was under way", async () => {
      const email = newEmail();
      await registerPerson(door, email);
      const token = await forgotten(email);
      const signedIn = await meanwhileOf(
        door,
        () => login(email, PASSWORD),
        () => reset(token),
      );
      expect(codeOf(signedIn)).toEqual([401, "credentials_invalid"]);
      const { rows } = await door.pipe.database.query("select action from audit_log order by at desc, id desc limit 1");
      expect(rows).toEqual([{ action: "sign_in.failed" }]);
    });

    it("ends all sessions, those of eight sign-ins beside it too", async () => {
      const email = newEmail();
      await registerPerson(door, email);
      const token = await forgotten(email);
      const [, ...logins] = await Promise.all([
        reset(token),
        ...Array.from({ length: 8 }, () => login(email, PASSWORD)),
      ]);
      const begun = logins.filter(({ status }) => status === 200).map((answer) => sessionOf(answer).access);
      expect(await Promise.all(begun.map(async (access) => (await me(access)).status))).toEqual(begun.map(() => 401));
    });
  });

  it("of two changes of one password at once one is carried out", async () => {
    const email = newEmail();
    const [here, there] = [await registerPerson(door, email), sessionOf(await login(email, PASSWORD))];
    const answers = await Promise.all([change(here.access, OWNERS), change(there.access, THIEFS)]);
    expect(answers.map(({ status }) => status).sort()).toEqual([200, 401]);
    const won = answers[0].status === 200;
    expect(await fits(email)).toEqual({ first: 401, owners: won ? 200 : 401, thiefs: won ? 401 : 200 });
  });

  it("a session that is ended changes no password, also when the change was under way", async () => {
    const email = newEmail();
    const thief = await registerPerson(door, email);
    const changed = await meanwhileOf(
      door,
      () => change(thief.access),
      async () => post("/logout/", { refresh: thief.refresh }),
    );
    expect(codeOf(changed)).toEqual([401, "unauthorized"]);
    expect(await fits(email)).toEqual({ first: 200, owners: 401, thiefs: 401 });
  });

  describe("API keys", () => {
    const KEYS = "/tenants/api-keys/";
    const regenerate = ({ access }: TestTenant) =>
      post(`${KEYS}regenerate/`, { key_type: "all", confirm: true }, access);
    const revoke = ({ access }: TestTenant) =>
      post(`${KEYS}revoke/`, { key_type: "all", reason: "leak", confirm: true }, access);
    const listed = async ({ access }: TestTenant): Promise<string[]> => {
      const { keys } = (await send(door, "GET", `${AUTH}${KEYS}`, { token: access })).json as {
        keys: { type: string }[];
      };
      return keys.map(({ type }) => type);
    };
    const ALL = ["live_public", "live_secret", "test_public", "test_secret"];

    it("that are revoked are revoked, whatever is regenerated beside it", async () => {
      for (let round = 0; round < 4; round += 1) {
        const tenant = await registerTenant(door);
        const [made, revoked] = await Promise.all([regenerate(tenant), revoke(tenant)]);
        expect([made.status, revoked.status, revoked.json.revoked_keys]).toEqual([200, 200, ALL]);
        // The old ones, or those that came in their place: those that are made later are no matter of the revocation.
        const { rows } = await door.pipe.database.query<{ reason: string }>({
          text: "select distinct revoked_reason as reason from api_keys where tenant_id = $1 and revoked_at is not null",
          values: [tenant.id],
        });
        const wasFirst = !rows.some(({ reason }) => reason === "regenerated");
        expect(await listed(tenant)).toEqual(wasFirst ? ALL : []);
      }
    });

    it("are one of each type after three regenerations at once", async () => {
      for (let round = 0; round < 3; round += 1) {
        const tenant = await registerTenant(door);
        const made = await Promise.all([regenerate(tenant), regenerate(tenant), regenerate(tenant)]);
        expect(made.map(({ status }) => status)).toEqual([200, 200, 200]);
        expect(await listed(tenant)).toEqual(ALL);
      }
    });
  });

  it("three invitations of one address at once are all answered, and one of them is open", async () => {
    const tenant = await registerTenant(door);
    for (let round = 0; round < 3; round += 1) {
      const email = newEmail();
      const invite = (address: string) => post("/tenants/members/", { email: address, role: "admin" }, tenant.access);
      const answers = await Promise.all([invite(email), invite(email.toUpperCase()), invite(email)]);
      expect(answers.map(({ status }) => status)).toEqual([201, 201, 201]);
      const { rows } = await door.pipe.database.query({
        text: "select count(*) as count from invitations where lower(email) = $1 and revoked_at is null",
        values: [email],
      });
      expect(rows).toEqual([{ count: 1 }]);
    }
  });
});
