// How often a key, a tenant or a source may ask: also where it is refused, and whatever a proxy writes of the address.
import { afterEach, describe, expect, it } from "vitest";

import { manualClock } from "../src/base/clock.ts";
import { type RequestLimits, requestRates } from "../src/tenants/request-rates.ts";
import { type Answer, type Door, openDoor, OPERATOR_TOKEN } from "./support/api-door.ts";
import { addMember, auditOf, newEmail, registerPerson, registerTenant, send } from "./support/people.ts";
import { BOTH } from "./support/pipe.ts";
import { makeAccount } from "./support/purchase-lives.ts";

const TENANTS = "/api/v1/auth/tenants";
const WIDE: RequestLimits = { key: 1000, tenant: 1000, source: undefined };

let door: Door | undefined;
afterEach(async () => {
  await door?.close();
  door = undefined;
});

interface Scene {
  door: Door;
  /** These limits from now on, with nothing counted yet. */
  limit(limits: Partial<RequestLimits>): void;
}

async function openScene(): Promise<Scene> {
  // Its minute does not end meanwhile.
  const clock = manualClock(Date.now());
  const opened = await openDoor("server", { deps: { trustProxy: 1 } });
  door = opened;
  const limit: Scene["limit"] = (limits) => {
    opened.deps.rates = requestRates(opened.pipe.database, clock, { ...WIDE, ...limits });
  };
  return { door: opened, limit };
}

type Ask = (at: number) => Promise<Answer>;

async function statusesOf(many: number, ask: Ask): Promise<number[]> {
  const found: number[] = [];
  for (let at = 0; at < many; at += 1) found.push((await ask(at)).status);
  return found;
}

const from = (source: string): Record<string, string> => ({ "x-forwarded-for": source });

describe("requests that are refused count", () => {
  it("of a key: for a route that is not for it, for an open route, for another mode and for another's tenant", async () => {
    const scene = await openScene();
    const { keys, id } = await registerTenant(scene.door);
    const other = await registerTenant(scene.door);
    const named = { headers: { "billhook-tenant": other.id } };
    const asks: [string, number, Ask][] = [
      [
        "members by a public key",
        403,
        () => send(scene.door, "GET", `${TENANTS}/members/`, { token: keys.test_public }),
      ],
      [
        "keys by a secret key",
        403,
        () => send(scene.door, "POST", `${TENANTS}/api-keys/revoke/`, { token: keys.test_secret }),
      ],
      ["the operator's", 403, () => send(scene.door, "GET", "/api/v1/admin/overview/", { token: keys.test_secret })],
      ["a customer's", 403, () => send(scene.door, "GET", "/account/", { token: keys.test_secret })],
      ["a person's", 403, () => send(scene.door, "GET", "/api/v1/auth/me/", { token: keys.test_public })],
      [
        "another's tenant",
        404,
        () => send(scene.door, "GET", `${TENANTS}/api-keys/`, { token: keys.test_secret, ...named }),
      ],
      [
        "another mode",
        400,
        () =>
          send(scene.door, "GET", "/api/v1/events/", { token: keys.test_secret, headers: { "billhook-mode": "live" } }),
      ],
      ["a status", 403, () => send(scene.door, "GET", "/api/v1/status/cs_1/", { token: keys.test_secret })],
      ["plans by a public key", 200, () => send(scene.door, "GET", "/api/v1/plans/", { token: keys.live_public })],
      ["plans by a secret key", 200, () => send(scene.door, "GET", "/api/v1/plans/", { token: keys.live_secret })],
    ];
    for (const [name, status, ask] of asks) {
      scene.limit({ key: 3 });
      expect([name, await statusesOf(5, ask)]).toEqual([name, [status, status, status, 429, 429]]);
      expect((await ask(0)).headers.get("ratelimit-limit")).toBe("3");
    }
    expect(id).not.toBe(other.id);
  });

  it("of a tenant: by its secret keys and by a member who may not, and nobody else's", async () => {
    const scene = await openScene();
    const [tenant, other] = [await registerTenant(scene.door), await registerTenant(scene.door)];
    const member = await addMember(scene.door, tenant, "member");
    const refused: Ask = () => send(scene.door, "GET", `${TENANTS}/audit-log/`, { token: member.access });
    const byKey: Ask = () =>
      send(scene.door, "POST", `${TENANTS}/api-keys/revoke/`, { token: tenant.keys.test_secret });
    scene.limit({ tenant: 4 });
    expect([...(await statusesOf(2, refused)), ...(await statusesOf(2, byKey))]).toEqual([403, 403, 403, 403]);
    expect([(await refused(0)).status, (await byKey(0)).status]).toEqual([429, 429]);
    const stranger = { token: other.access, headers: { "billhook-tenant": tenant.id } };
    scene.limit({ tenant: 2 });
    expect(await statusesOf(5, () => send(scene.door, "GET", `${TENANTS}/members/`, stranger))).toEqual([
      404, 404, 404, 404, 404,
    ]);
    expect((await refused(0)).status).toBe(403);
  });

  it("of a tenant not by its public keys, which any visitor of a page has", async () => {
    const scene = await openScene();
    const { keys } = await registerTenant(scene.door);
    scene.limit({ tenant: 2 });
    for (const path of ["/api/v1/plans/", "/api/v1/events/"])
      expect(
        (await statusesOf(4, () => send(scene.door, "GET", path, { token: keys.test_public }))).includes(429),
      ).toBe(false);
    expect((await send(scene.door, "GET", "/api/v1/events/", { token: keys.test_secret })).status).toBe(200);
  });

  it("of a tenant not by its customers, each of whom has a limit of their own", async () => {
    const scene = await openScene();
    const { id: tenantId, keys } = await registerTenant(scene.door);
    const { database } = scene.door.pipe;
    const sessions = await Promise.all(
      [await makeAccount(database, tenantId), await makeAccount(database, tenantId)].map(async (id) => {
        const path = `/api/v1/accounts/${id}/session/`;
        return (await send(scene.door, "POST", path, { token: keys.test_secret })).json.token as string;
      }),
    );
    scene.limit({ key: 3, tenant: 2 });
    for (const token of sessions)
      expect(await statusesOf(4, () => send(scene.door, "GET", "/account/", { token }))).toEqual([200, 200, 200, 429]);
    expect((await send(scene.door, "GET", "/api/v1/events/", { token: keys.test_secret })).status).toBe(200);
  });

  it("of a source: without a token, with one that is none, and on open routes", async () => {
    const scene = await openScene();
    const asks: [number, Ask][] = [
      [401, () => send(scene.door, "GET", `${TENANTS}/members/`, { headers: from("203.0.113.7") })],
      [401, () => send(scene.door, "GET", `${TENANTS}/members/`, { token: "nonsense", headers: from("203.0.113.7") })],
      [401, () => send(scene.door, "GET", "/api/v1/plans/", { token: "nonsense", headers: from("203.0.113.7") })],
      [403, () => send(scene.door, "GET", "/account/", { token: OPERATOR_TOKEN, headers: from("203.0.113.7") })],
      [200, () => send(scene.door, "GET", "/api/v1/plans/", { headers: from("203.0.113.7") })],
    ];
    for (const [status, ask] of asks) {
      scene.limit({ source: 2 });
      const last = status === 403 ? 403 : 429;
      expect(await statusesOf(3, ask)).toEqual([status, status, last]);
    }
  });
});

it("each request counts once, and its answer tells the tightest of the limits", async () => {
  const scene = await openScene();
  const { keys, access } = await registerTenant(scene.door);
  const person = await registerPerson(scene.door);
  scene.limit({ key: 20, tenant: 30, source: 40 });
  const told = async (path: string, token: string | undefined, source: string): Promise<(string | null)[]> => {
    const { headers } = await send(scene.door, "GET", path, { token, headers: from(source) });
    return [headers.get("ratelimit-limit"), headers.get("ratelimit-remaining")];
  };
  for (const left of ["19", "18", "17"])
    expect(await told("/api/v1/events/", keys.test_secret, "203.0.113.1")).toEqual(["20", left]);
  for (const left of ["26", "25"]) expect(await told("/api/v1/events/", access, "203.0.113.1")).toEqual(["30", left]);
  expect(await told("/api/v1/plans/", keys.live_public, "203.0.113.1")).toEqual(["20", "19"]);
  // A person's requests on open routes are no tenant's. Six came from there before.
  expect(await told("/api/v1/plans/", access, "203.0.113.1")).toEqual(["40", "33"]);
  expect(await told("/api/v1/plans/", undefined, "203.0.113.1")).toEqual(["40", "32"]);
  expect(await told("/account/", person.access, "203.0.113.2")).toEqual(["20", "19"]);
  expect(await told("/healthz", keys.live_public, "203.0.113.1")).toEqual([null, null]);
});

describe.each(BOTH)("a source on the %s database", (kind) => {
  const limit = { address: { tries: 100, seconds: 900 }, source: { tries: 2, seconds: 900 } };

  it.each([
    ["203.0.113.8", (at: number) => `203.0.113.8:${String(5000 + at)}`],
    ["2001:db8:1:2::", (at: number) => `[2001:db8:1:2::${String(at + 1)}]:${String(5000 + at)}`],
    ["::ffff:203.0.113.9", (at: number) => ["::ffff:203.0.113.9", "::ffff:cb00:7109", "203.0.113.9:1"][at] ?? ""],
  ])("is one to the limits, %s, however its proxy writes it", async (_, spelling) => {
    door = await openDoor(kind, { deps: { trustProxy: 1, tryLimits: { sign_in: limit } } });
    const opened = door;
    const login = (at: number) =>
      send(opened, "POST", "/api/v1/auth/login/", {
        body: { email: newEmail(), password: "x" },
        headers: from(spelling(at)),
      });
    expect(await statusesOf(3, login)).toEqual([401, 401, 429]);
  });

  it("stands in the audit log as an address, without the proxy's port", async () => {
    door = await openDoor(kind, { deps: { trustProxy: 1 } });
    const tenant = await registerTenant(door);
    const sources = ["203.0.113.7:51234", "[2001:DB8::9]:443", "::ffff:cb00:7107"];
    for (const source of sources) {
      const body = { email: newEmail() };
      await send(door, "POST", `${TENANTS}/members/`, { token: tenant.access, body, headers: from(source) });
    }
    const told = (await auditOf(door, tenant)).filter(({ action }) => action === "member.invited");
    expect(told.map(({ source }) => source)).toEqual(["203.0.113.7", "2001:db8::9", "203.0.113.7"]);
  });
});
