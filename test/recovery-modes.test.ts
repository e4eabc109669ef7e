// Whose recoveries are seen and canceled from which mode, on both databases: a person's of both, a key's of its own alone.
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { type Door, openDoor, type Wire } from "./support/api-door.ts";
import { registerTenant, send, type TestTenant } from "./support/people.ts";
import { BOTH } from "./support/pipe.ts";

const [ENDPOINTS, RECOVERIES] = ["/api/v1/webhook-endpoints/", "/api/v1/recoveries/"];
const IN_TEST_MODE = { "billhook-mode": "test" };

describe.each(BOTH)("a recovery of a live endpoint, %s database", (kind) => {
  let door: Door;
  let tenant: TestTenant;
  beforeAll(async () => {
    door = await openDoor(kind);
    tenant = await registerTenant(door);
  });
  afterAll(async () => door.close());

  /** By a person in test mode, of a new live endpoint. */
  const begin = async (): Promise<{ id: string; endpoint: string }> => {
    const token = tenant.access;
    const wanted = { url: "https://hooks.example/in", enabled_events: ["invoice.*"], livemode: true };
    const endpoint = String((await send(door, "POST", ENDPOINTS, { token, body: wanted })).json.id);
    const body = { since: new Date(Date.now() - 60_000).toISOString() };
    const path = `${ENDPOINTS}${endpoint}/recover/`;
    const { status, json } = await send(door, "POST", path, { token, body, headers: IN_TEST_MODE });
    expect([status, json.livemode, json.status]).toEqual([202, true, "running"]);
    return { id: String(json.id), endpoint };
  };
  const ask = async (token: string, path: string, method = "GET", headers: Record<string, string> = {}) =>
    send(door, method, `${RECOVERIES}${path}`, { token, headers });
  const listed = async (token: string, endpoint: string, headers: Record<string, string> = {}): Promise<unknown[]> =>
    ((await ask(token, `?endpoint_id=${endpoint}`, "GET", headers)).json.data as Wire[]).map(({ id }) => id);

  it("that a person began in test mode is found, listed and canceled there", async () => {
    const { id, endpoint } = await begin();
    const found = await ask(tenant.access, `${id}/`, "GET", IN_TEST_MODE);
    expect([found.status, found.json.id, found.json.livemode]).toEqual([200, id, true]);
    expect(await listed(tenant.access, endpoint, IN_TEST_MODE)).toEqual([id]);
    for (const _ of ["at first", "again"]) {
      const canceled = await ask(tenant.access, `${id}/cancel/`, "POST", IN_TEST_MODE);
      expect([canceled.status, canceled.json.id, canceled.json.status]).toEqual([200, id, "canceled"]);
    }
  });

  it("is not there for a test key, nor for another tenant's people: they neither see nor cancel it", async () => {
    const { id, endpoint } = await begin();
    const other = await registerTenant(door);
    for (const token of [tenant.keys.test_secret, other.keys.live_secret, other.access]) {
      const answers = [await ask(token, `${id}/`), await ask(token, `${id}/cancel/`, "POST")];
      expect(answers.map(({ status, json }) => [status, json.code])).toEqual(answers.map(() => [404, "not_found"]));
      expect(await listed(token, endpoint)).toEqual([]);
    }
    expect((await ask(tenant.keys.live_secret, `${id}/`)).json.status).toBe("running");
    expect(await listed(tenant.keys.live_secret, endpoint)).toEqual([id]);
    expect((await ask(tenant.keys.live_secret, `${id}/cancel/`, "POST")).json.status).toBe("canceled");
  });
});
