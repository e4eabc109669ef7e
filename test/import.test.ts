// Importing: afterwards local rows are Stripe's objects, whatever happened in between, and nobody was told; on both databases.
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { systemClock } from "../src/base/clock.ts";
import { newId } from "../src/base/ids.ts";
import { silentLog } from "../src/base/log.ts";
import { Secret } from "../src/base/secret.ts";
import type { Database } from "../src/db/database.ts";
import { type ImportContext, importNow } from "../src/operations/import.ts";
import { cuts } from "../src/operations/import-kinds.ts";
import { stripeAccess } from "../src/stripe/access.ts";
import { type Door, openDoor } from "./support/api-door.ts";
import { BOTH, type Kind } from "./support/pipe.ts";
import { openSandbox, type OpenSandbox, SANDBOX_KEY } from "./support/sandbox.ts";

/** The day's run takes this many customers; the long one, by IMPORT_TEST_OBJECTS, as many as are asked for. */
const CUSTOMERS = Number(process.env.IMPORT_TEST_OBJECTS ?? 450);
const KILLS = 5;
const MADE_OVER_SECONDS = 40_000;
const DAY = 86_400;

interface Scene {
  door: Door;
  sandbox: OpenSandbox;
  context: ImportContext;
  calls: () => number;
  /** Every call fails from this many on. */
  dieAfter: (calls: number) => void;
  close(): Promise<void>;
}

async function openScene(kind: Kind): Promise<Scene> {
  const sandbox = await openSandbox();
  await makeWorld(sandbox);
  // Billhook is installed when all this has happened.
  await new Promise((resolve) => setTimeout(resolve, 1_100));
  let [calls, last] = [0, Infinity];
  const access = stripeAccess({ keys: { test: new Secret(SANDBOX_KEY) }, apiBase: sandbox.url, clock: systemClock });
  const stripe: typeof access = {
    ...access,
    call: async (target, ask) => {
      if (++calls > last) throw new Error("the process died");
      return access.call(target, ask);
    },
  };
  const door = await openDoor(kind, { deps: { stripe, pagesPerSecond: 10_000 } });
  return {
    ...{ door, sandbox, calls: () => calls, dieAfter: (more) => (last = calls + more) },
    context: {
      ...{ database: door.pipe.database, stripe, log: silentLog, platformTenant: door.pipe.platformTenant },
      ...{ wake: () => undefined, newLease: () => newId("node"), everySeconds: 600, pagesPerSecond: 10_000 },
      splitPages: 3,
    },
    close: async () => {
      await sandbox.close();
      await door.close();
    },
  };
}

/** Customers whose making is spread over time, as those of a business are. */
async function makeWorld(sandbox: OpenSandbox): Promise<void> {
  sandbox.seed();
  await sandbox.call("POST", "/v1/customers", "email=first%40example.com&payment_method=pm_card_visa");
  const [model] = sandbox.objects("customer");
  if (model === undefined) throw new Error("the sandbox has no customer");
  const now = Math.floor(Date.now() / 1000);
  sandbox.world.run((tx) => {
    for (let index = 0; index < CUSTOMERS; index++) {
      const created = now - MADE_OVER_SECONDS + Math.floor((index * MADE_OVER_SECONDS) / CUSTOMERS);
      const id = `cus_imported${String(index).padStart(6, "0")}`;
      tx.put("customer", { ...model, id, email: `c${index}@example.com`, created });
    }
  });
  await sandbox.stripe.prices.create({
    currency: "usd",
    unit_amount: 700,
    product_data: { name: "Old" },
    active: false,
  });
}

const TABLES = {
  customer: "customers",
  product: "products",
  price: "prices",
  subscription: "subscriptions",
  invoice: "invoices",
  payment_intent: "payment_intents",
  charge: "charges",
  payment_method: "payment_methods",
} as const;

/** Ids by table, ours and Stripe's. */
async function expectEqual({ door, sandbox }: Scene): Promise<void> {
  for (const [kind, table] of Object.entries(TABLES) as [keyof typeof TABLES, string][]) {
    const { rows } = await door.pipe.database.query<{ id: string; data: string }>(
      `select id, data from ${table} where stripe_account = '' and not deleted order by id collate "C"`,
    );
    const theirs = sandbox
      .objects(kind)
      // Methods that nobody holds are in no list.
      .filter((one) => !(one.object === "payment_method" && one.customer === null))
      .map(({ id }) => id)
      .sort();
    expect([kind, rows.map(({ id }) => id)]).toEqual([kind, theirs]);
  }
  const { rows } = await door.pipe.database.query<{ id: string; email: string }>(
    "select id, email from customers where id like 'cus_imported%'",
  );
  expect(rows).toHaveLength(CUSTOMERS);
  for (const { id, email } of rows) expect(email).toBe(`c${Number(id.slice(-6))}@example.com`);
}

/** It has stood still for a minute once, on a server, and nobody knows where: next time its log says so. */
function tellWhenSlow(database: Database): NodeJS.Timeout {
  return setTimeout(() => {
    void (async () => {
      for (const table of ["import_ranges", "imports", "catch_ups", "pg_stat_activity"])
        console.log(table, JSON.stringify((await database.query(`select * from ${table}`)).rows));
    })();
  }, 20_000).unref();
}

describe.each(BOTH)("import, %s database", (kind) => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await openScene(kind);
  });
  afterAll(() => scene.close());

  it(`of everything, killed ${KILLS} times, ends equal, and reads no page again that was committed`, async () => {
    for (let kill = 0; kill < KILLS; kill++) {
      scene.dieAfter(4 + kill * 3);
      const stopped = await importNow(scene.context, {});
      expect(stopped.some(({ error }) => error === "internal")).toBe(true);
    }
    scene.dieAfter(Infinity);
    const done = await importNow(scene.context, {});
    expect(done.filter(({ finished, error }) => !finished || error !== null)).toEqual([]);
    const { rows } = await scene.door.pipe.database.query("select objects from imports where object_type = 'customer'");
    expect(rows).toEqual([{ objects: scene.sandbox.objects("customer").length }]);
    await scene.door.pipe.drain();
    await expectEqual(scene);
    const left = await scene.door.pipe.database.query("select * from import_ranges");
    expect(left.rows).toEqual([]);
  });

  it("tells no tenant and mails nobody, and gives no credits for what was sold before", async () => {
    for (const table of ["events", "mails", "credit_entries", "unmatched_purchases"]) {
      const { rows } = await scene.door.pipe.database.query<{ count: number }>(
        `select count(*) as count from ${table}`,
      );
      expect([table, rows[0]?.count]).toEqual([table, 0]);
    }
  });

  it("a second run reads what changed, by events, and no list again", async () => {
    await importNow(scene.context, {});
    await scene.door.pipe.drain();
    const { data } = await scene.sandbox.stripe.customers.list({ limit: 1 });
    await scene.sandbox.call("POST", `/v1/customers/${data[0]?.id ?? ""}`, "name=Renamed");
    const before = scene.calls();
    const done = await importNow(scene.context, {});
    expect(new Set(done.map(({ how }) => how))).toEqual(new Set(["events"]));
    expect(scene.calls() - before).toBeLessThanOrEqual(Math.ceil(scene.sandbox.events().length / 100) + 1);
    await scene.door.pipe.drain();
    const { rows } = await scene.door.pipe.database.query({
      text: "select name from customers where id = $1",
      values: [data[0]?.id],
    });
    expect(rows).toEqual([{ name: "Renamed" }]);
  });

  it("reads again, whole, what was imported longer ago than events tell; and by type alone", async () => {
    await scene.context.database.query("update imports set complete_as_of = complete_as_of - 40 * 86400");
    const before = scene.calls();
    const done = await importNow(scene.context, { types: ["customer"] });
    expect(done).toMatchObject([{ kind: "customer", how: "whole", objects: scene.sandbox.objects("customer").length }]);
    // Split where it is dense; each part may end with a page that is not full. One call asks when the account was made.
    expect(scene.calls() - before - 1).toBeLessThanOrEqual(Math.ceil((1.2 * (CUSTOMERS + 100)) / 100) + 4);
    await scene.door.pipe.drain();
    await expectEqual(scene);
  });

  it("goes on with an interrupted run only where that brings what is asked: all of it, and not older than events tell", async () => {
    const { context, sandbox, dieAfter } = scene;
    const all = sandbox.objects("customer").length;
    const recent = Math.floor(Date.now() / 1000) - MADE_OVER_SECONDS / 2;
    const interrupted = async (since?: number): Promise<void> => {
      dieAfter(2);
      expect(await importNow(context, { types: ["customer"], since })).toMatchObject([{ error: "internal" }]);
      dieAfter(Infinity);
    };
    const age = (column: string) => context.database.query(`update imports set ${column} = ${column} - 40 * 86400`);
    const asked = (since?: number) => importNow(context, { types: ["customer"], since });
    const whole = [{ how: "whole", objects: all, finished: true, error: null }];

    await context.database.query("delete from imports");
    await interrupted(recent);
    expect(await asked()).toMatchObject(whole);

    await age("complete_as_of");
    await interrupted();
    expect(await asked(recent)).toMatchObject([{ how: "resumed", objects: all, finished: true }]);

    await age("complete_as_of");
    await interrupted();
    await age("running_as_of");
    expect(await asked(recent)).toMatchObject(whole);

    // Of the earlier part alone: what it is joined to has grown old meanwhile.
    await context.database.query("delete from imports");
    await asked(recent);
    await interrupted();
    await age("complete_as_of");
    expect(await asked()).toMatchObject(whole);
    const { rows } = await context.database.query("select complete_since from imports where object_type = 'customer'");
    expect(rows).toEqual([{ complete_since: 0 }]);
  });

  it("tells time as missed until everything was imported as of behind it: what is older may have changed in it", async () => {
    const { context, sandbox, door, dieAfter } = scene;
    const { database } = context;
    const now = Math.floor(Date.now() / 1000);
    const [since, until] = [now - 45 * DAY, now - 30 * DAY];
    await importNow(context, {});
    await database.query(`update imports set complete_as_of = ${String(since)}`);
    await database.query(`update catch_ups set missed_since = ${String(since)}, missed_until = ${String(until)}`);
    const missed = async () => (await database.query("select missed_since, missed_until from catch_ups")).rows;
    const [old] = sandbox.objects("customer").filter(({ id }) => id === "cus_imported000007");
    if (old === undefined) throw new Error("the sandbox has no such customer");
    const made = now - 60 * DAY;
    const changed = { ...old, id: "cus_changed_meanwhile", created: made, email: "meanwhile@example.com" };
    sandbox.world.run((tx) => tx.put("customer", changed));

    const told = [{ missed_since: since, missed_until: until }];
    const slow = tellWhenSlow(database);
    await importNow(context, { since });
    expect(await missed()).toEqual(told);
    dieAfter(5);
    await importNow(context, {});
    dieAfter(Infinity);
    expect(await missed()).toEqual(told);
    await importNow(context, {});
    expect(await missed()).toEqual([{ missed_since: null, missed_until: null }]);
    await door.pipe.drain();
    const { rows } = await database.query("select email from customers where id = 'cus_changed_meanwhile'");
    expect(rows).toEqual([{ email: "meanwhile@example.com" }]);

    // Complete, and as of before it.
    await database.query("update imports set complete_as_of = complete_as_of - 100");
    await database.query(`update catch_ups set missed_since = ${String(since)}, missed_until = ${String(now + DAY)}`);
    await importNow(context, {});
    expect(await missed()).toEqual([{ missed_since: since, missed_until: now + DAY }]);
    clearTimeout(slow);
  }, 150_000);

  it("over HTTP: lines to the end; 400 for a kind that there is not", async () => {
    const answer = await scene.door.admin("POST", "import/", { types: ["product"], since: "2026-01-01" });
    const lines = answer.text
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines.at(-1)).toMatchObject({ done: { kinds: 1, failed: 0 } });
    expect((await scene.door.admin("POST", "import/", { types: ["unicorn"] })).status).toBe(400);
  });
});

describe("cuts", () => {
  it("leave a sparse rest whole, and part a dense one so that each second is in one part", () => {
    expect(cuts({ since: 0, floor: 0, reached: 100, until: 10_000, pages: 1 })).toEqual([]);
    const found = cuts({ since: 0, floor: 1_000, reached: 100_000, until: 100_100, pages: 1 });
    expect(found).toHaveLength(3);
    expect(found).toEqual(found.toSorted((a, b) => a - b));
    expect(found.every((second) => second > 1_000 && second < 100_000)).toBe(true);
    // All of one second: nothing can be parted.
    expect(cuts({ since: 5, floor: 0, reached: 5, until: 5, pages: 1 })).toEqual([]);
  });
});
