// Catching up: whatever no webhook brought is read from Stripe's list of events, and nothing twice; on both databases.
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { systemClock } from "../src/base/clock.ts";
import { newId } from "../src/base/ids.ts";
import { silentLog } from "../src/base/log.ts";
import { Secret } from "../src/base/secret.ts";
import { connectAccount, endConnection, findConnection } from "../src/connections/connection-table.ts";
import { catchUpNext, catchUpNow, type CatchUpContext } from "../src/operations/catch-up.ts";
import {
  catchUpStanding,
  claimCatchUp,
  ensureCatchUps,
  finishCatchUp,
  notePage,
  OVERLAP_SECONDS,
  requestCatchUps,
} from "../src/operations/catch-up-table.ts";
import { type StripeAccess, stripeAccess } from "../src/stripe/access.ts";
import { type Door, openDoor } from "./support/api-door.ts";
import { comeBack, connect, onboard, openConnectScene } from "./support/connect-scene.ts";
import { registerTenant } from "./support/people.ts";
import { BOTH, type Kind } from "./support/pipe.ts";
import { openSandbox, type OpenSandbox, SANDBOX_KEY } from "./support/sandbox.ts";

/** An access that counts what it asks. */
function counted(url: string): { stripe: StripeAccess; calls: () => number; dieAt: (call: number) => void } {
  const stripe = stripeAccess({ keys: { test: new Secret(SANDBOX_KEY) }, apiBase: url, clock: systemClock });
  let calls = 0;
  let last = Infinity;
  return {
    calls: () => calls,
    dieAt: (call) => (last = call),
    stripe: {
      ...stripe,
      call: async (target, ask) => {
        if (++calls >= last) throw new Error("the process died");
        return stripe.call(target, ask);
      },
    },
  };
}

interface Scene {
  door: Door;
  sandbox: OpenSandbox;
  counted: ReturnType<typeof counted>;
  context: CatchUpContext;
  woken: () => number;
  close(): Promise<void>;
}

async function openScene(kind: Kind): Promise<Scene> {
  const sandbox = await openSandbox();
  const access = counted(sandbox.url);
  const door = await openDoor(kind, { deps: { stripe: access.stripe, pagesPerSecond: 1000 } });
  let woken = 0;
  const context: CatchUpContext = {
    database: door.pipe.database,
    stripe: access.stripe,
    log: silentLog,
    platformTenant: door.pipe.platformTenant,
    wake: () => (woken += 1),
    newLease: () => newId("node"),
    everySeconds: 600,
    pagesPerSecond: 1000,
  };
  return {
    ...{ door, sandbox, counted: access, context, woken: () => woken },
    close: async () => {
      await sandbox.close();
      await door.close();
    },
  };
}

async function customers(scene: { door: Door }): Promise<string[]> {
  const { rows } = await scene.door.pipe.database.query<{ id: string }>("select id from customers order by id");
  return rows.map(({ id }) => id);
}

const made = (sandbox: OpenSandbox): string[] =>
  sandbox
    .objects("customer")
    .map(({ id }) => id)
    .sort();

async function makeCustomers(sandbox: OpenSandbox, count: number): Promise<void> {
  for (let index = 0; index < count; index++)
    await sandbox.call("POST", "/v1/customers", `email=c${index}%40example.com`);
}

describe.each(BOTH)("catch-up, %s database", (kind) => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await openScene(kind);
  });
  afterAll(() => scene.close());

  const standing = async () => (await catchUpStanding(scene.context.database, [false]))[0];

  it("brings every event that no webhook brought, in no more than 1.2 times the pages that they fill", async () => {
    await makeCustomers(scene.sandbox, 450);
    const events = scene.sandbox.events().length;
    const before = scene.counted.calls();
    expect(await catchUpNext(scene.context)).toBe(true);
    expect(scene.counted.calls() - before).toBeLessThanOrEqual(1.2 * Math.ceil(events / 100));
    expect(scene.woken()).toBeGreaterThan(0);
    await scene.door.pipe.drain();
    expect(await customers(scene)).toEqual(made(scene.sandbox));
    expect(await standing()).toMatchObject({ events, newEvents: events, lastError: null, missedSince: null });
    expect(await catchUpNext(scene.context)).toBe(false);
  });

  it("takes an event that a webhook brought, before or after, once", async () => {
    const { door, sandbox } = scene;
    await makeCustomers(sandbox, 3);
    const newest = sandbox.events().slice(-3);
    const [first, second, third] = newest;
    expect((await door.webhook(JSON.stringify(first))).status).toBe(200);
    const [done] = await catchUpNow(scene.context, {});
    expect(done?.newEvents).toBe(2);
    const stored = await door.storedEvents();
    for (const event of [second, third]) expect((await door.webhook(JSON.stringify(event))).status).toBe(200);
    expect(await door.storedEvents()).toBe(stored);
    await door.pipe.drain();
    expect(await customers(scene)).toEqual(made(sandbox));
  });

  it("begins before its watermark, so that an event that was listed late is found", async () => {
    const at = Math.floor(Date.now() / 1000);
    await scene.context.database.query({
      text: "update catch_ups set covered_until = $1, next_run_at = now()",
      values: [at],
    });
    const late = Math.max(at - OVERLAP_SECONDS + 30, 0);
    const event = scene.sandbox.events().at(-1);
    if (event === undefined) throw new Error("nothing has happened");
    scene.sandbox.world.run((tx) => tx.put("event", { ...event, id: "evt_listed_late", created: late }));
    await catchUpNext(scene.context);
    const { rows } = await scene.context.database.query("select id from stripe_events where id = 'evt_listed_late'");
    expect(rows).toHaveLength(1);
  });

  it("goes on behind the last page that was committed when its process dies", async () => {
    await makeCustomers(scene.sandbox, 350);
    const since = Math.floor(Date.now() / 1000) - 3600;
    scene.counted.dieAt(scene.counted.calls() + 3);
    const [failed] = await catchUpNow(scene.context, { since });
    expect(failed).toMatchObject({ lastError: "internal", pages: 2, events: 200 });
    scene.counted.dieAt(Infinity);
    const before = scene.counted.calls();
    await scene.context.database.query("update catch_ups set next_run_at = now()");
    await catchUpNext(scene.context);
    const done = await standing();
    const pages = Math.ceil(scene.sandbox.events().length / 100);
    expect(done).toMatchObject({ lastError: null, pages });
    expect(scene.counted.calls() - before).toBe(pages - 2);
    await scene.door.pipe.drain();
    expect(await customers(scene)).toEqual(made(scene.sandbox));
  });

  it("is one node's at a time: two at once read nothing twice", async () => {
    await makeCustomers(scene.sandbox, 120);
    const before = scene.counted.calls();
    await Promise.all([catchUpNow(scene.context, {}), catchUpNow(scene.context, {})]);
    const [one] = await catchUpStanding(scene.context.database, [false]);
    // Both asks may be served by one run, or by one each, never by two that share a page.
    expect(scene.counted.calls() - before).toBeLessThanOrEqual(2 * (one?.pages ?? 0) + 2);
    await scene.door.pipe.drain();
    expect(await customers(scene)).toEqual(made(scene.sandbox));
  });

  it("says what Stripe lists no longer after a downtime of more than 30 days", async () => {
    const long = Math.floor(Date.now() / 1000) - 45 * 86_400;
    await scene.context.database.query({
      text: "update catch_ups set covered_until = $1, next_run_at = now()",
      values: [long],
    });
    await catchUpNext(scene.context);
    const one = await standing();
    expect(one?.missedSince).toBe(long);
    expect(one?.missedUntil).toBeGreaterThan(long + 14 * 86_400);
    expect(one?.coveredSince).toBe(one?.missedUntil);
  });

  it("what is asked for again, and comes later than it was asked for, tells no time as missed that is known", async () => {
    const { database } = scene.context;
    const now = Math.floor(Date.now() / 1000);
    await ensureCatchUps(database, [false]);
    await database.query("update tenants set created_at = created_at - interval '100 days' where platform");
    const before = await database.query(
      "select covered_since, covered_until, missed_since, missed_until from catch_ups where stripe_account = ''",
    );
    const known = { covered_since: now - 90 * 86_400, covered_until: now - 60, missed_since: null, missed_until: null };
    const write = (values: unknown[]) =>
      database.query({
        text: "update catch_ups set covered_since = $1, covered_until = $2, missed_since = $3, missed_until = $4",
        values,
      });
    await write(Object.values(known));
    await requestCatchUps(database, [false], {}, now - 40 * 86_400);
    const run = await claimCatchUp(database, [false], "node_late", 90);
    if (run === undefined) throw new Error("no run was due");
    expect(run.windowSince).toBeLessThan(now - 29 * 86_400);
    // Stripe did not answer for ten minutes.
    const until = now + 600;
    await notePage(database, run, { until, cursor: null, events: 0, newEvents: 0, skipped: 0 }, 90);
    await finishCatchUp(database, run, until - 30 * 86_400, 600);
    const done = await standing();
    expect(done).toMatchObject({ missedSince: null, coveredSince: known.covered_since, coveredUntil: until });
    await write(Object.values(before.rows[0] ?? {}));
    await database.query("update tenants set created_at = created_at + interval '100 days' where platform");
  });

  it("goes back no further than the installation, whatever is asked for", async () => {
    const { database } = scene.context;
    const { rows } = await database.query<{ at: number }>(
      "select floor(extract(epoch from created_at))::bigint as at from tenants where platform",
    );
    const [installed = { at: 0 }] = rows;
    const event = scene.sandbox.events().at(-1);
    if (event === undefined) throw new Error("nothing has happened");
    for (const [id, created] of [
      ["evt_before", installed.at - 600],
      ["evt_after", installed.at],
    ] as const)
      scene.sandbox.world.run((tx) => tx.put("event", { ...event, id, created }));
    await catchUpNow(scene.context, { since: installed.at - 3600 });
    const stored = await database.query("select id from stripe_events where id in ('evt_before', 'evt_after')");
    expect(stored.rows).toEqual([{ id: "evt_after" }]);
  });

  it("a run that began before it was asked for is not what was asked for: another one follows", async () => {
    const { database } = scene.context;
    await database.query("update catch_ups set next_run_at = now()");
    const run = await claimCatchUp(database, [false], "node_asked", 90);
    if (run === undefined) throw new Error("no run was due");
    const until = Math.floor(Date.now() / 1000);
    await notePage(database, run, { until, cursor: null, events: 0, newEvents: 0, skipped: 0 }, 90);
    const asked = await requestCatchUps(database, [false], {});
    await finishCatchUp(database, run, 0, 600);
    const isFinished = async () => (await catchUpStanding(database, [false], {}, asked))[0]?.finished;
    expect(await isFinished()).toBe(false);
    expect(await catchUpNext(scene.context)).toBe(true);
    expect([await isFinished(), await catchUpNext(scene.context)]).toEqual([true, false]);
  });

  it("counts what it had to skip", async () => {
    const event = scene.sandbox.events().at(-1);
    if (event === undefined) throw new Error("nothing has happened");
    scene.sandbox.world.run((tx) => tx.put("event", { ...event, id: "evt_other_mode", livemode: true }));
    const [done] = await catchUpNow(scene.context, {});
    expect(done).toMatchObject({ skipped: 1, lastError: null });
    scene.sandbox.world.run((tx) => tx.put("event", { ...event, id: "evt_other_mode", livemode: false }));
    expect(await catchUpNow(scene.context, {})).toMatchObject([{ skipped: 0, newEvents: 1 }]);
  });

  it("over HTTP: lines to the end, with what each account came to", async () => {
    await makeCustomers(scene.sandbox, 2);
    const answer = await scene.door.admin("POST", "catch-up/", {});
    expect(answer.status).toBe(200);
    const lines = answer.text
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
    expect(lines.at(-1)).toMatchObject({ done: { accounts: 1, new_events: 2, missed: 1, failed: 0 } });
    expect(lines.at(-2)).toMatchObject({ account: { account: null, livemode: false, error: null } });
  });

  it.each(["catch-up/", "import/", "drift/"])(
    "over HTTP %s answers 404 for an account or a mode that is not there, names it, and logs no error",
    async (path) => {
      const more = path === "drift/" ? { repair: false } : {};
      const refused: [object, string, string][] = [
        [{ account: "acct_nobody" }, "account", "acct_nobody here"],
        [{ account: "acct_nobody", livemode: false }, "account", "acct_nobody in test mode"],
        [{ livemode: true }, "livemode", "no Stripe key for live mode"],
      ];
      scene.door.lines.length = 0;
      for (const [body, param, says] of refused) {
        const answer = await scene.door.admin("POST", path, { ...body, ...more });
        expect([answer.status, answer.headers.get("content-type")]).toEqual([404, "application/json; charset=utf-8"]);
        expect(answer.json).toMatchObject({ code: "not_found", param, message: expect.stringContaining(says) });
      }
      expect(scene.door.lines.filter((line) => line.error !== undefined || line.level === "error")).toEqual([]);
    },
  );
});

describe.each(BOTH)("catch-up of a connected account, %s database", (kind) => {
  it("goes on where it was when a connection that stands is confirmed, and begins anew with one that had ended", async () => {
    const door = await openDoor(kind);
    try {
      const { database } = door.pipe;
      const { id: tenantId } = await registerTenant(door);
      const now = Math.floor(Date.now() / 1000);
      const of = { livemode: false, account: "acct_confirmed" };
      const connectAt = async (connectedAt: number) => {
        await database.transaction((tx) => connectAccount(tx, tenantId, of, { connectedAt }));
        await ensureCatchUps(database, [false]);
        const [one] = await catchUpStanding(database, [false], { account: of.account });
        return [one?.coveredSince, one?.coveredUntil];
      };
      expect(await connectAt(now - 3600)).toEqual([null, now - 3600]);
      const known = [now - 3600, now - 540];
      await database.query({
        text: "update catch_ups set covered_since = $1, covered_until = $2 where stripe_account = 'acct_confirmed'",
        values: known,
      });
      expect(await connectAt(now - 60)).toEqual(known);
      const connection = await findConnection(database, { tenantId, livemode: false });
      if (connection === undefined) throw new Error("no account was connected");
      expect(await endConnection(database, connection, "unlinked")).toBe(true);
      expect(await connectAt(now)).toEqual([null, now]);
      // Confirmed again: what it began anew with stays.
      expect(await connectAt(now + 60)).toEqual([null, now]);
    } finally {
      await door.close();
    }
  });

  it("brings its events from its connection on, for its tenant", async () => {
    const scene = await openConnectScene(kind);
    try {
      const { door, sandbox } = scene;
      const tenant = await registerTenant(door);
      const begun = await connect(scene, tenant);
      await comeBack(scene, await onboard(begun.url));
      await scene.settle();
      const { rows } = await door.pipe.database.query<{ account: string; tenant: string }>(
        "select stripe_account as account, tenant_id as tenant from connections where disconnected_at is null",
      );
      const [connection] = rows;
      if (connection === undefined) throw new Error("no account was connected");
      sandbox.register([]);
      await sandbox.call("POST", "/v1/customers", "email=lost%40example.com", { "stripe-account": connection.account });
      const { deps, pipe } = door;
      const standing = await catchUpNow(
        {
          ...{ database: pipe.database, stripe: deps.stripe, log: silentLog, platformTenant: pipe.platformTenant },
          ...{ wake: () => undefined, newLease: () => newId("node"), everySeconds: 600, pagesPerSecond: 1000 },
        },
        {},
      );
      expect(standing.map(({ account }) => account)).toEqual(["", connection.account]);
      await pipe.drain();
      const found = await pipe.database.query(
        "select stripe_account, tenant_id from customers where email like 'lost%'",
      );
      expect(found.rows).toEqual([{ stripe_account: connection.account, tenant_id: connection.tenant }]);
    } finally {
      await scene.close();
    }
  });
});
