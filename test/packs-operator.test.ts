// The operator's syncs and lists: a file, the rows or Stripe brought together; dry runs, drift, every tenant; and the commands.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { newId } from "../src/base/ids.ts";
import { openAccount } from "../src/billing/open-account.ts";
import { insertPurchase } from "../src/credits/purchase-table.ts";
import { OPERATOR_TOKEN, type Wire } from "./support/api-door.ts";
import { type InvoiceScene, openInvoiceScene } from "./support/connected-invoice-scene.ts";
import { BOTH } from "./support/pipe.ts";
import { runBillhook } from "./support/run-billhook.ts";

const SMALL = { key: "small", name: "Small", credits: 10, amount: 500, currency: "usd" };
const LARGE = { key: "large", name: "Large", credits: 100, amount: 4_000, currency: "eur" };

interface Action {
  at: string;
  key: string | null;
  action: string;
  tenant_id: string;
}

describe.each(BOTH)("the operator's packs and plans, %s", (kind) => {
  let scene: InvoiceScene;
  beforeAll(async () => {
    scene = await openInvoiceScene(kind);
  });
  afterAll(async () => scene.close());

  const sync = async (name: "credit-packs" | "plans", body: object): Promise<Action[]> => {
    const answer = await scene.door.admin("POST", `${name}/sync/`, body);
    expect([answer.status, answer.text]).toEqual([200, answer.text]);
    expect(answer.json.failures).toEqual([]);
    return answer.json.actions as Action[];
  };
  const list = async (path: string): Promise<Wire[]> => {
    const answer = await scene.door.admin("GET", path);
    expect([answer.status, answer.text]).toEqual([200, answer.text]);
    return answer.json.data as Wire[];
  };
  const texts = (actions: readonly Action[]): string[] =>
    actions.map(({ at, key, action }) => `${key ?? ""} ${at}: ${action}`);

  it("a dry run says what a file would do, and changes nothing here or there", async () => {
    const expected = [
      "small billhook: make the credit pack: 10 credits for 500 usd",
      "large billhook: make the credit pack: 100 credits for 4000 eur",
      "small stripe: create the product with the price 10 credits for 500 usd",
      "large stripe: create the product with the price 100 credits for 4000 eur",
    ];
    const before = scene.sandbox.events().length;
    const items = [SMALL, LARGE];
    expect(texts(await sync("credit-packs", { items, dry_run: true })).sort()).toEqual([...expected].sort());
    expect(await list("credit-packs/")).toEqual([]);
    expect(scene.sandbox.events()).toHaveLength(before);
    expect(texts(await sync("credit-packs", { items })).sort()).toEqual([...expected].sort());
    expect(await sync("credit-packs", { items })).toEqual([]);
    expect(await sync("credit-packs", { items, dry_run: true })).toEqual([]);
  });

  it("a changed file changes the row and Stripe, as the dry run has said; what it leaves out stays", async () => {
    const items = [{ ...SMALL, amount: 700 }];
    const planned = texts(await sync("credit-packs", { items, dry_run: true }));
    expect(texts(await sync("credit-packs", { items })).map((text) => text.replace(/price_\w+/, "…"))).toEqual(
      planned.map((text) => text.replace(/price_\w+/, "…")),
    );
    expect(planned).toContain("small billhook: change amount: 10 credits for 700 usd");
    expect(planned).toContain("small stripe: create the price 10 credits for 700 usd");
    const rows = await list("credit-packs/");
    expect(rows.map(({ key, amount, sync_pending: pending }) => [key, amount, pending])).toEqual([
      ["large", 4_000, false],
      ["small", 700, false],
    ]);
  });

  it("what was changed at Stripe is shown as drift, and put right by a sync", async () => {
    const [large] = await list("credit-packs/");
    await scene.sandbox.stripe.products.update(String(large?.product_id), { name: "Theirs", active: false });
    await scene.settle();
    const drift = ["the product is called Theirs at Stripe", "the product is inactive at Stripe"];
    expect((await list("credit-packs/"))[0]).toMatchObject({ key: "large", name: "Large", drift });
    expect(texts(await sync("credit-packs", {}))).toEqual([
      `large stripe: update the product ${String(large?.product_id)}: name, active`,
    ]);
    await scene.settle();
    expect((await list("credit-packs/"))[0]).toMatchObject({ drift: [] });
  });

  it("from Stripe: what the tenant marked there becomes rows, and a second run has nothing to do", async () => {
    const { stripe, tenant } = scene;
    await stripe.prices.create({
      currency: "usd",
      unit_amount: 1_500,
      product_data: { name: "Made there" },
      metadata: { credits: "150" },
    });
    await stripe.prices.create({
      ...{ currency: "usd", unit_amount: 2_000, recurring: { interval: "year" } },
      product_data: { name: "Yearly", metadata: { billhook_plan: "yearly" } },
    });
    await stripe.prices.create({ currency: "usd", unit_amount: 1, product_data: { name: "A mug" } });
    const request = { tenant: tenant.id, from_stripe: true };
    const dry = await sync("credit-packs", { ...request, dry_run: true });
    expect(texts(dry)).toEqual([" billhook: make the credit pack: 150 credits for 1500 usd"]);
    await sync("credit-packs", request);
    await sync("plans", request);
    expect(await list(`credit-packs/?tenant=${tenant.id}`)).toMatchObject([
      { name: "Made there", credits: 150, amount: 1_500, sync_pending: false },
    ]);
    expect(await list(`plans/?tenant=${tenant.id}`)).toMatchObject([
      { key: "yearly", name: "Yearly", billing_interval: "year", price: 2_000, is_active: true },
    ]);
    for (const name of ["credit-packs", "plans"] as const) {
      expect(await sync(name, request)).toEqual([]);
      expect(await sync(name, { tenant: tenant.id })).toEqual([]);
    }
    // The seller renames it there, and says that Stripe is right.
    const [pack] = await list(`credit-packs/?tenant=${tenant.id}`);
    await stripe.products.update(String(pack?.product_id), { name: "Renamed there" });
    await sync("credit-packs", request);
    expect(await list(`credit-packs/?tenant=${tenant.id}`)).toMatchObject([{ id: pack?.id, name: "Renamed there" }]);
  });

  it("a price that bears the key of a pack that is sold already becomes a pack of its own", async () => {
    const [large] = await list("credit-packs/");
    await scene.sandbox.stripe.prices.create({
      ...{ currency: "usd", unit_amount: 900, lookup_key: "large", metadata: { credits: "9" } },
      product_data: { name: "Another large" },
    });
    await sync("credit-packs", { from_stripe: true });
    const rows = await list("credit-packs/");
    expect(rows.find(({ key }) => key === "large")).toEqual({ ...large, updated_at: expect.anything() });
    expect(rows.find(({ name }) => name === "Another large")).toMatchObject({
      key: null,
      credits: 9,
      sync_pending: false,
    });
    expect(await sync("credit-packs", { from_stripe: true })).toEqual([]);
  });

  it("`all` is the platform and every connected tenant, and rows that are gone come back from Stripe with their ids", async () => {
    expect(await sync("credit-packs", { tenant: "all" })).toEqual([]);
    const before = await list("credit-packs/");
    const { database } = scene.door.pipe;
    await database.query(
      "delete from credit_packs where stripe_price_id in (select stripe_price_id from offer_prices where stripe_account = '')",
    );
    await database.query("delete from offer_prices where stripe_account = ''");
    const actions = await sync("credit-packs", { tenant: "all", from_stripe: true });
    expect(new Set(actions.map(({ tenant_id: tenant }) => tenant)).size).toBe(1);
    const after = await list("credit-packs/");
    expect(after.map(({ id, key, amount, credits }) => [id, key, amount, credits])).toEqual(
      before.map(({ id, key, amount, credits }) => [id, key, amount, credits]),
    );
  });

  it.each([
    ["a key twice", { items: [SMALL, SMALL] }, "items.1.key"],
    ["an item without a key", { items: [{ ...SMALL, key: undefined }] }, "items.0.key"],
    ["an amount below Stripe's least", { items: [{ ...SMALL, amount: 1 }] }, "items.0.amount"],
    ["a file for all tenants", { items: [SMALL], tenant: "all" }, "tenant"],
    ["a file and Stripe", { items: [SMALL], from_stripe: true }, "from_stripe"],
  ])("%s is refused, and the field is named", async (_what, body, param) => {
    const answer = await scene.door.admin("POST", "credit-packs/sync/", body);
    expect([answer.status, answer.json.param]).toEqual([400, param]);
  });

  it("an unknown tenant is 404", async () => {
    const answer = await scene.door.admin("POST", "plans/sync/", { tenant: newId("ten") });
    expect(answer.status).toBe(404);
  });

  it("purchases, tenants and people are listed with the seed's columns, filters and search", async () => {
    const { database, platformTenant } = scene.door.pipe;
    const mode = { tenantId: platformTenant, livemode: false };
    const email = "buyer@lists.example";
    const pack = (await list("credit-packs/")).find(({ key }) => key === "large");
    const purchases = await database.transaction(async (tx) => {
      const profile = { externalId: null, email, name: "Ada", metadata: {}, lowThreshold: null };
      const { id: accountId } = await openAccount(tx, mode, profile, 25);
      const ids = [newId("pur"), newId("pur"), newId("pur")];
      for (const id of ids) {
        const terms = { quantity: 2, credits: 200, amount: 8_000, currency: "eur", stripeAccount: "" };
        await insertPurchase(tx, { ...mode, ...terms, id, accountId, packId: String(pack?.id) });
      }
      return ids;
    });
    const found = await list(`credit-purchases/?text=${email}`);
    expect(found.map(({ id }) => id)).toEqual(purchases.toReversed());
    expect(found[0]).toMatchObject({ credit_pack: "Large", quantity: 2, credits: 200, price: 8_000, state: "pending" });
    expect(await list(`credit-purchases/?text=${String(purchases[0])}`)).toHaveLength(1);
    const one = await scene.door.admin("GET", `credit-purchases/${String(purchases[1])}/`);
    expect([one.status, one.json]).toEqual([200, found[1]]);
    expect((await scene.door.admin("GET", `credit-purchases/${newId("pur")}/`)).json.code).toBe("not_found");
    expect(await list("credit-purchases/?state=paid")).toEqual([]);
    const first = await scene.door.admin("GET", "credit-purchases/?limit=2");
    const rest = await list(`credit-purchases/?limit=2&cursor=${String(first.json.next_cursor)}`);
    expect([(first.json.data as Wire[]).length, rest.map(({ id }) => id)]).toEqual([2, [purchases[0]]]);
    const tenants = await list(`tenants/?text=${scene.tenant.email}`);
    expect(tenants).toMatchObject([
      { id: scene.tenant.id, stripe_account_test: scene.account, stripe_status_test: "active" },
    ]);
    expect(await list("tenants/?text=company%20of")).toMatchObject([{ id: scene.tenant.id }]);
    expect(await list("tenants/")).toHaveLength(2);
    expect(await list(`users/?text=${scene.tenant.email}`)).toMatchObject([
      { email: scene.tenant.email, tenants: [{ id: scene.tenant.id, role: "owner" }] },
    ]);
    expect(await list(`accounts/?email=${email}`)).toMatchObject([{ email, credit_balance: 25 }]);
  });
});

describe("the commands", () => {
  let scene: InvoiceScene;
  const folder = mkdtempSync(join(tmpdir(), "billhook-packs-"));
  beforeAll(async () => {
    scene = await openInvoiceScene("embedded");
  });
  afterAll(async () => {
    await scene.close();
    rmSync(folder, { recursive: true, force: true });
  });

  const run = (...args: string[]): ReturnType<typeof runBillhook> =>
    runBillhook([...args, "--url", scene.door.url], { OPERATOR_TOKEN, DATA_DIR: folder });
  const file = (text: string): string => {
    const path = join(folder, "packs.yaml");
    writeFileSync(path, text);
    return path;
  };

  it("a file is brought to Stripe once, and listed", async () => {
    const path = file(`credit_packs:\n  - { key: one, name: One, credits: 10, amount: 500, currency: usd }\n`);
    const dry = await run("credit-packs", "sync", path, "--dry-run");
    expect([dry.code, dry.out]).toEqual([1, expect.stringContaining("make the credit pack: 10 credits for 500 usd")]);
    const first = await run("credit-packs", "sync", path);
    expect([first.code, first.out]).toEqual([0, expect.stringContaining("Stripe: create the product")]);
    const second = await run("credit-packs", "sync", path);
    expect([second.code, second.out.trim()]).toEqual([0, "Nothing to do."]);
    const listed = await run("credit-packs", "list");
    expect(listed.out).toMatch(/one\s+One\s+10\s+500 usd\s+true\s+price_\w+\s+equal/);
    expect((await run("plans", "list")).code).toBe(0);
  });

  it("a file of plans is brought to Stripe once, and listed", async () => {
    const plan = "key: gold, name: Gold, amount: 1900, currency: usd, billing_interval";
    const path = file(`plans:\n  - { ${plan}: month }\n`);
    const dry = await run("plans", "sync", path, "--dry-run");
    expect([dry.code, dry.out]).toEqual([1, expect.stringContaining("gold")]);
    expect(scene.sandbox.objects("product").filter(({ name }) => name === "Gold")).toEqual([]);
    const [first, second] = [await run("plans", "sync", path), await run("plans", "sync", path)];
    expect([first.code, first.out]).toEqual([0, expect.stringContaining("Stripe: create the product")]);
    expect([second.code, second.out.trim()]).toEqual([0, "Nothing to do."]);
    expect((await run("plans", "list")).out).toMatch(/gold\s+Gold\s+1900 usd\s+month\s+.*price_\w+\s+equal/);
    expect(scene.sandbox.objects("product").filter(({ name }) => name === "Gold")).toHaveLength(1);
  }, 30_000);

  it.each([
    ["of a syntax error", "credit_packs:\n  - key: one\n   name: x\n", 3],
    [
      "of a wrong value",
      "credit_packs:\n  - key: one\n    name: One\n    credits: 10\n    amount: 0.5\n    currency: usd\n",
      5,
    ],
    [
      "of an item that lacks a field",
      "- key: one\n  name: One\n- key: two\n  credits: 1\n  amount: 100\n  currency: usd\n",
      1,
    ],
  ])("the line %s is named", async (_what, text, line) => {
    const { code, err } = await run("credit-packs", "sync", file(text));
    expect([code, err]).toEqual([1, expect.stringContaining(`packs.yaml, line ${String(line)}: `)]);
  });

  it("an account is shown with its balance; an unknown address is a failure", async () => {
    const { database, platformTenant } = scene.door.pipe;
    const profile = { externalId: null, email: "shown@example.com", name: "Ada", metadata: {}, lowThreshold: null };
    await database.transaction((tx) => openAccount(tx, { tenantId: platformTenant, livemode: false }, profile, 42));
    const shown = await run("accounts", "show", "Shown@Example.com");
    expect(shown.out).toMatch(/credit_balance\s+42\n/);
    const nobody = await run("accounts", "show", "nobody@example.com");
    expect([nobody.code, nobody.out, nobody.err]).toEqual([1, "", expect.stringContaining("nobody@example.com")]);
  });
});
