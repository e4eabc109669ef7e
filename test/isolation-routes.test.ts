// The routes of tenants ask in their tenant's name: what a statement forgets, the database still keeps apart.
import { existsSync } from "node:fs";
import { join } from "node:path";

import { afterEach, describe, expect, it } from "vitest";
import { z } from "zod";

import { scopeOf } from "../src/api/caller.ts";
import { operation, type Route } from "../src/api/route.ts";
import { ROUTES } from "../src/api/routes.ts";
import { type Door, openDoor } from "./support/api-door.ts";
import { isTenantRoute, OWNER_USES } from "./support/owner-uses.ts";
import { registerTenant, send } from "./support/people.ts";
import { BOTH } from "./support/pipe.ts";

const TABLES = { tenants: "id", people: "id", memberships: "tenant_id", api_keys: "tenant_id", audit_log: "tenant_id" };
const PATH = "/api/v1/test/rows/";

/** Every row that the handle shows, with no condition: one query for each table. */
function forgetful(handle: "scope" | "owner"): Route {
  const ran = operation({
    tag: "Test",
    answers: { 200: z.record(z.string(), z.array(z.string())) },
    run: async (call) => {
      const database = handle === "scope" ? scopeOf(call) : call.deps.database;
      const found: Record<string, string[]> = {};
      for (const [table, owned] of Object.entries(TABLES)) {
        const { rows } = await database.query<{ owned: string }>(`select distinct ${owned} as owned from ${table}`);
        found[table] = rows.map(({ owned: value }) => value);
      }
      return found;
    },
  });
  return { method: "GET", path: PATH, who: "member", summary: "Rows, with no condition", operation: ran };
}

/** What tenants need to be there. */
const REGISTER = ROUTES.filter(({ path }) => path === "/api/v1/auth/tenants/register/");

describe.each(BOTH)("routes of tenants, %s database", (kind) => {
  let door: Door | undefined;
  afterEach(async () => {
    await door?.close();
    door = undefined;
  });

  it("a statement that forgot whose rows it wants shows the caller's own", async () => {
    door = await openDoor(kind, { routes: [...REGISTER, forgetful("scope")] });
    const tenants = [await registerTenant(door), await registerTenant(door)];
    for (const { access, id, personId, keys } of tenants) {
      const own = { tenants: [id], people: [personId], memberships: [id], api_keys: [id], audit_log: [id] };
      for (const token of [access, keys.test_secret, keys.live_secret]) {
        const { status, json } = await send(door, "GET", PATH, { token });
        expect({ status, ...json }).toEqual({ status: 200, ...own });
      }
    }
  });

  it("one that uses the owner's handle fails its tests, whatever it answers", async () => {
    const opened = await openDoor(kind, { routes: [...REGISTER, forgetful("owner")] });
    const { access } = await registerTenant(opened);
    expect((await send(opened, "GET", PATH, { token: access })).status).toBe(200);
    await expect(opened.close()).rejects.toThrow(`GET ${PATH}: test/isolation-routes.test.ts`);
  });
});

it("who may use the owner's handle is a list of files that are there", () => {
  expect(Object.keys(OWNER_USES).filter((file) => !existsSync(join(import.meta.dirname, "..", file)))).toEqual([]);
  expect(ROUTES.filter(isTenantRoute).length).toBeGreaterThan(7);
});
