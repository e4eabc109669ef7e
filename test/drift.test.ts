// Drift: what differs from Stripe's objects is found and mended, and nothing else is called different; on both databases.
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { systemClock } from "../src/base/clock.ts";
import { newId } from "../src/base/ids.ts";
import { silentLog } from "../src/base/log.ts";
import { Secret } from "../src/base/secret.ts";
import { checkDrift, type Drift, type DriftContext, type DriftWish, sampleDrift } from "../src/operations/drift.ts";
import { importNow } from "../src/operations/import.ts";
import { IMPORT_TYPES } from "../src/operations/import-kinds.ts";
import { stripeAccess } from "../src/stripe/access.ts";
import { type Door, openDoor } from "./support/api-door.ts";
import { BOTH, type Kind } from "./support/pipe.ts";
import { openSandbox, type OpenSandbox, SANDBOX_KEY } from "./support/sandbox.ts";
import { slowListener } from "./support/slow-listener.ts";

const CUSTOMERS = 330;
/** Payment methods cost a call for each customer: drift-week.test.ts reads them. */
const QUICK = IMPORT_TYPES.filter((type) => type !== "payment_method");
const FEW = ["customer", "product", "price", "subscription", "invoice", "payment_intent", "charge"];

interface Scene {
  door: Door;
  sandbox: OpenSandbox;
  context: DriftContext;
  calls: () => number;
  close(): Promise<void>;
}

async function openScene(kind: Kind): Promise<Scene> {
  const sandbox = await openSandbox();
  sandbox.seed();
  const [model] = sandbox.objects("customer");
  if (model === undefined) throw new Error("the small world has no customer");
  const now = Math.floor(Date.now() / 1000);
  sandbox.world.run((tx) => {
    for (let index = 0; index < CUSTOMERS; index++) {
      const own = { id: `cus_drift${String(index).padStart(4, "0")}`, email: `c${index}@example.com` };
      // Several of each second, as an import of the platform's own would make them.
      tx.put("customer", { ...model, ...own, created: now - 9_000 + Math.floor(index / 7) });
    }
  });
  // Billhook is installed when all this has happened.
  await new Promise((resolve) => setTimeout(resolve, 1_100));
  let calls = 0;
  const access = stripeAccess({ keys: { test: new Secret(SANDBOX_KEY) }, apiBase: sandbox.url, clock: systemClock });
  const stripe: typeof access = {
    ...access,
    call: async (target, ask) => {
      calls += 1;
      return access.call(target, ask);
    },
    retrieve: async (livemode, wanted) => {
      calls += 1;
      return access.retrieve(livemode, wanted);
    },
  };
  const drift = { settleMs: 0 };
  const door = await openDoor(kind, { deps: { stripe, pagesPerSecond: 10_000, drift } });
  const context: DriftContext = {
    ...{ database: door.pipe.database, stripe, log: silentLog, platformTenant: door.pipe.platformTenant },
    ...{ clock: systemClock, wake: () => undefined, newLease: () => newId("node"), everySeconds: 600 },
    ...{ pagesPerSecond: 10_000, settleMs: 0 },
  };
  await importNow(context, { types: QUICK });
  await door.pipe.drain();
  return {
    ...{ door, sandbox, context, calls: () => calls },
    close: async () => {
      await sandbox.close();
      await door.close();
    },
  };
}

describe.each(BOTH)("drift, %s database", (kind) => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await openScene(kind);
  });
  afterAll(() => scene.close());

  const query = (text: string) => scene.door.pipe.database.query(text);

  async function run(wish: Partial<DriftWish> = {}) {
    const found: Drift[] = [];
    const counts = await checkDrift(
      scene.context,
      { repair: false, types: FEW, ...wish },
      { onDifference: (one) => found.push(one) },
    );
    const sum = (of: (one: (typeof counts)[number]) => number): number =>
      counts.reduce((total, one) => total + of(one), 0);
    return {
      ...{ counts, found, checked: sum(({ checked }) => checked), pages: sum(({ pages }) => pages) },
      columns: Object.fromEntries(found.map(({ key, columns }) => [key.objectId, columns.map(({ column }) => column)])),
    };
  }

  it("finds nothing where nothing differs, for every kind, at a call for each page", async () => {
    const before = scene.calls();
    const { found, counts, checked, pages } = await run({ types: ["customer"] });
    expect(found).toEqual([]);
    expect(checked).toBe(scene.sandbox.objects("customer").length);
    expect(pages).toBe(Math.ceil(checked / 100));
    expect(scene.calls() - before).toBe(pages);
    expect(counts).toMatchObject([{ kind: "customer", tenantId: scene.door.pipe.platformTenant, error: null }]);
    expect((await run({ types: QUICK })).found).toEqual([]);
  });

  it("names rows that were changed, lost or made up, field by field, and mends them through the reducer", async () => {
    await query("update customers set email = 'wrong@example.com' where id in ('cus_drift0010', 'cus_drift0107')");
    await query("delete from customers where id = 'cus_drift0200'");
    await query("update subscription_items set quantity = 99");
    await query("update invoices set status = 'draft', amount_paid = 0 where status = 'paid'");
    const told = (await query("select count(*) as count from events")).rows;
    const { columns } = await run();
    expect(columns.cus_drift0010).toEqual(["email"]);
    expect(columns.cus_drift0107).toEqual(["email"]);
    expect(columns.cus_drift0200).toEqual(["*"]);
    const invoices = (await query("select id from invoices where status = 'draft' and amount_paid = 0")).rows as {
      id: string;
    }[];
    for (const { id } of invoices.filter(({ id }) =>
      scene.sandbox.objects("invoice").some((one) => one.id === id && one.status === "paid"),
    ))
      expect(columns[id]).toContain("status");
    const changed = Object.keys(columns).length;

    // What was fetched must be newer than what Stripe said last.
    await new Promise((resolve) => setTimeout(resolve, 2_100));
    const repaired = await run({ repair: true });
    expect(repaired.found).toHaveLength(changed);
    expect(repaired.found.every((one) => one.repaired)).toBe(true);
    await scene.door.pipe.drain();
    expect((await run()).found).toEqual([]);
    expect((await query("select email from customers where id = 'cus_drift0010'")).rows).toEqual([
      { email: "c10@example.com" },
    ]);
    // What happened before Billhook was there is nobody's news.
    expect((await query("select count(*) as count from events")).rows).toEqual(told);
  });

  it("waits for whoever is told of a difference before it tells of the next, and ends behind the last", async () => {
    await query(`insert into customers select (one.c).* from (
      select jsonb_populate_record(c, jsonb_build_object('id', 'cus_nobody' || number)) as c
      from customers c, generate_series(1, 3) as number where id = 'cus_drift0150') as one`);
    await query("update customers set email = 'wrong@example.com' where id in ('cus_drift0010', 'cus_drift0107')");
    const listener = slowListener();
    await checkDrift(scene.context, { repair: false, types: ["customer"] }, { onDifference: listener.hear });
    expect(listener.noted()).toEqual({ heard: 5, atOnce: 1 });
    await query("delete from customers where id like 'cus_nobody%'");
    await query("update customers set email = 'c10@example.com' where id = 'cus_drift0010'");
    await query("update customers set email = 'c107@example.com' where id = 'cus_drift0107'");
  });

  it("says which rows Stripe knows nothing of", async () => {
    await query(`insert into customers select (one.c).* from (
      select jsonb_populate_record(c, '{"id": "cus_nobody", "email": "nobody@example.com"}') as c
      from customers c where id = 'cus_drift0150') as one`);
    const { columns, found } = await run({ repair: true, types: ["customer"] });
    expect(columns).toEqual({ cus_nobody: ["*"] });
    expect(found[0]).toMatchObject({ repaired: false });
    await query("delete from customers where id = 'cus_nobody'");
  });

  it("leaves alone what is about to be processed", async () => {
    await scene.sandbox.call("POST", "/v1/customers/cus_drift0020", "name=Later");
    const event = scene.sandbox.events("customer.updated").at(-1);
    expect((await scene.door.webhook(JSON.stringify(event))).status).toBe(200);
    expect((await run({ types: ["customer"] })).found).toEqual([]);
    await scene.door.pipe.drain();
    expect((await run({ types: ["customer"] })).found).toEqual([]);
  });

  it("a sample reads the pages that it is told to, and one node takes each turn", async () => {
    // Every row: the page begins at one by chance.
    await query("update customers set name = 'wrong'");
    const { checked, pages, found } = await run({ types: ["customer"], samplePages: 1 });
    expect(pages).toBe(1);
    expect(found.length).toBeGreaterThan(0);
    expect(found).toHaveLength(checked);
    // What was fetched must be newer than what Stripe said last, above.
    await new Promise((resolve) => setTimeout(resolve, 2_100));
    await run({ types: ["customer"], repair: true });
    await scene.door.pipe.drain();
    const both = await Promise.all([sampleDrift(scene.context, 3_600), sampleDrift(scene.context, 3_600)]);
    expect(both.filter((one) => one !== undefined)).toHaveLength(1);
  });

  it("over HTTP: differences, what was compared for whom, and the end", async () => {
    await query("update customers set name = 'wrong' where id = 'cus_drift0001'");
    const answer = await scene.door.admin("POST", "drift/", { repair: false, types: ["customer"] });
    const lines = answer.text
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    const differences = lines.filter(({ difference }) => difference !== undefined);
    expect(differences).toMatchObject([
      { difference: { object_id: "cus_drift0001", columns: [{ column: "name", local: "wrong" }] } },
    ]);
    expect(lines.at(-2)).toMatchObject({ compared: { kind: "customer", differing: 1, repaired: 0 } });
    expect(lines.at(-1)).toMatchObject({ done: { differing: 1, failed: 0 } });
  });
});
