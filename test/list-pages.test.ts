// Every list of the API by its pages: each takes `limit` and `cursor`, and refuses a cursor that is not its own.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { z } from "zod";

import type { Route } from "../src/api/route.ts";
import { ROUTES } from "../src/api/routes.ts";
import { ID_PREFIXES, type IdPrefix, newId } from "../src/base/ids.ts";
import type { Database } from "../src/db/database.ts";
import { OPERATOR_TOKEN, type Wire } from "./support/api-door.ts";
import { openScene, type Scene } from "./support/operator-scene.ts";
import { addMember, newEmail, registerTenant, send, type TestTenant } from "./support/people.ts";

const isList = ({ method, operation }: Route): boolean => {
  const shape = (operation.answers[200] as z.ZodObject | undefined)?.shape;
  return method === "GET" && shape !== undefined && "has_more" in shape && "next_cursor" in shape;
};
const LISTS = ROUTES.filter(isList);

/** Lists in the order of their ids, whose cursor is one of these. */
const BY_IDS: Record<string, IdPrefix> = {
  ...{ "/api/v1/events/": "msg", "/api/v1/webhook-endpoints/": "whe", "/api/v1/deliveries/": "dlv" },
  ...{ "/api/v1/recoveries/": "rcv", "/api/v1/credit-packs/": "pack", "/api/v1/plans/": "pln" },
  ...{ "/api/v1/admin/credit-packs/": "pack", "/api/v1/admin/plans/": "pln", "/api/v1/admin/jobs/": "rcv" },
};

let scene: Scene;
let tenant: TestTenant;
let account: string;

beforeAll(async () => {
  scene = await openScene("server");
  const { door } = scene;
  tenant = await registerTenant(door);
  account = String((await send(door, "POST", "/api/v1/accounts/", { token: tenant.access, body: {} })).json.id);
  for (const role of ["member", "admin"]) await addMember(door, tenant, role);
  for (let left = 3; left > 0; left -= 1) {
    const body = { email: newEmail(), role: "member" };
    await send(door, "POST", "/api/v1/auth/tenants/members/", { token: tenant.access, body });
    const hook = { url: `http://127.0.0.1:9/${String(left)}` };
    await send(door, "POST", "/api/v1/webhook-endpoints/", { token: tenant.access, body: hook });
  }
  // Two cost the same: of these the one with fewer credits comes first.
  for (const [amount, credits] of [
    [2000, 300],
    [500, 40],
    [1000, 200],
    [1000, 100],
  ] as const)
    await sellPack(door.pipe.database, door.pipe.platformTenant, { amount, credits });
});
afterAll(async () => scene.close());

const PARAMS: Record<string, () => string> = {
  "/api/v1/accounts/:id/": () => account,
  "/api/v1/admin/customers/:id/": () => "cus_op",
};

async function ask({ path, who }: Route, query: string): Promise<{ status: number; json: Wire }> {
  const [before] = Object.keys(PARAMS).filter((start) => path.startsWith(start));
  if (path.includes(":id") && before === undefined) throw new Error(`say in PARAMS whose list ${path} is`);
  const address = path.replace(":id", PARAMS[before ?? ""]?.() ?? "");
  const token = who === "operator" ? OPERATOR_TOKEN : tenant.access;
  return send(scene.door, "GET", `${address}?${query}`, { token });
}

async function pageByPage(route: Route, limit: number): Promise<unknown[]> {
  const found: unknown[] = [];
  for (let cursor = ""; ;) {
    const { status, json } = await ask(route, `limit=${limit}${cursor}`);
    const data = json.data as unknown[];
    expect([route.path, status, data.length <= limit]).toEqual([route.path, 200, true]);
    expect(json.has_more).toBe(json.next_cursor !== null);
    found.push(...data);
    if (typeof json.next_cursor !== "string") return found;
    cursor = `&cursor=${encodeURIComponent(json.next_cursor)}`;
  }
}

async function sellPack(database: Database, tenantId: string, sold: { amount: number; credits: number }) {
  const [id, price] = [newId("pack"), `price_${newId("pack")}`];
  const values = [tenantId, id, price, sold.credits, sold.amount];
  await database.query({
    text: `insert into credit_packs (tenant_id, livemode, id, name, credits, amount, currency, stripe_product_id, stripe_price_id)
           values ($1, false, $2, 'Pack', $4, $5, 'usd', 'prod_1', $3)`,
    values,
  });
  await database.query({
    text: `insert into offer_prices (tenant_id, livemode, stripe_account, stripe_price_id, stripe_product_id, offer_id, credits,
             amount, currency)
           values ($1, false, '', $3, 'prod_1', $2, $4, $5, 'usd')`,
    values,
  });
  await database.query({
    text: `insert into offer_syncs (tenant_id, livemode, offer_id, stripe_account, synced_revision, next_sync_at)
           values ($1, false, $2, '', 1, null)`,
    values: [tenantId, id],
  });
}

const textsOf = (rows: readonly unknown[]): string[] => rows.map((row) => JSON.stringify(row)).sort();

const forged = (values: readonly unknown[]): string => Buffer.from(JSON.stringify(values)).toString("base64url");

describe.each(LISTS.map((route) => [route.path, route] as const))("GET %s", (path, route) => {
  it("takes limit and cursor: page by page it is the same as at once", async () => {
    const [pages, whole] = [await pageByPage(route, 1), await pageByPage(route, 100)];
    // The log puts what shares a second in order page by page: see inbox/billing-log.ts.
    const order = path === "/api/v1/admin/billing-log/" ? textsOf : (rows: unknown[]): unknown[] => rows;
    expect(order(pages)).toEqual(order(whole));
  });

  it("takes a limit of 1 to 100 in decimal digits, and nothing else for one", async () => {
    expect((await ask(route, "limit=05")).status).toBe(200);
    for (const limit of ["0", "101", "-1", "+5", "%205%20", "5%0A", "0x10", "1e1", "1.0", "ten", "", "9".repeat(400)]) {
      const { status, json } = await ask(route, `limit=${limit}`);
      expect([path, limit, status, json.code, json.param]).toEqual([path, limit, 400, "invalid_request", "limit"]);
      expect(json.message).toContain("must be a whole number from 1 to 100");
    }
  });

  it("refuses a cursor that it did not give out", async () => {
    const own = BY_IDS[path];
    const foreign = (Object.keys(ID_PREFIXES) as IdPrefix[]).filter((prefix) => prefix !== own);
    const cursors = [
      ...["x", "WzEsMl0", forged([]), forged(["", ""]), forged([null, "x", 1])],
      ...foreign.map((prefix) => forged([newId(prefix)])),
    ];
    for (const cursor of cursors) {
      const { status, json } = await ask(route, `cursor=${cursor}`);
      expect([path, cursor, status, json.param]).toEqual([path, cursor, 400, "cursor"]);
    }
  });
});

it("the routes whose answer is a list are those that the tests above walk", () => {
  expect(LISTS.length).toBeGreaterThan(30);
  expect(Object.keys(BY_IDS).filter((path) => !LISTS.some((route) => route.path === path))).toEqual([]);
});

describe("a list that is read whole", () => {
  const route = (path: string): Route => {
    const found = LISTS.find((list) => list.path === path);
    if (found === undefined) throw new Error(`${path} is no list`);
    return found;
  };

  it("has members before invitations, the oldest first, on every page", async () => {
    const rows = (await pageByPage(route("/api/v1/auth/tenants/members/"), 2)) as Wire[];
    expect(rows.map(({ role, status }) => `${String(role)} ${String(status)}`)).toEqual([
      ...["owner active", "member active", "admin active"],
      ...["member invited", "member invited", "member invited"],
    ]);
  });

  it("has the cheapest packs first, on every page", async () => {
    const rows = (await pageByPage(route("/account/credit-packs/"), 1)) as Wire[];
    expect(rows.map(({ amount, credits }) => [amount, credits])).toEqual([
      ...[
        [500, 40],
        [1000, 100],
        [1000, 200],
        [2000, 300],
      ],
    ]);
  });

  it("goes on behind a row that is gone meanwhile", async () => {
    const members = route("/api/v1/auth/tenants/members/");
    const all = (await pageByPage(members, 100)) as Wire[];
    const first = await ask(members, "limit=4");
    const gone = String(all[3]?.id);
    expect((await send(scene.door, "DELETE", `${members.path}${gone}/`, { token: tenant.access })).status).toBe(200);
    const second = await ask(members, `cursor=${String(first.json.next_cursor)}`);
    expect(second.json.data).toEqual(all.slice(4));
  });

  const WHOLE = ["/api/v1/auth/tenants/members/", "/account/credit-packs/"];
  it.each(WHOLE)("%s refuses the other's cursor", async (path) => {
    const [other = ""] = WHOLE.filter((one) => one !== path);
    const { json } = await ask(route(other), "limit=1");
    expect(typeof json.next_cursor).toBe("string");
    const refused = await ask(route(path), `cursor=${String(json.next_cursor)}`);
    expect([refused.status, refused.json.param]).toEqual([400, "cursor"]);
  });
});
