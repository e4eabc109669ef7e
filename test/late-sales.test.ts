// Sales that an import or a drift repair finds first: credited once when they are ours, and never when they were made before.
import { setTimeout as sleep } from "node:timers/promises";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { systemClock } from "../src/base/clock.ts";
import { checkDrift, type DriftContext } from "../src/operations/drift.ts";
import { importNow } from "../src/operations/import.ts";
import { mailsTo, newEmail } from "./support/people.ts";
import { BOTH } from "./support/pipe.ts";
import { openPurchaseScene, pay, type PurchaseScene, sessionElsewhere } from "./support/purchase-scene.ts";

/** So long after a change what is fetched is known to include it. */
const KNOWN_AFTER_MS = 3_100;

describe.each(BOTH)("late sales, %s database", (kind) => {
  let scene: PurchaseScene;
  let context: DriftContext;
  beforeAll(async () => {
    scene = await openPurchaseScene(kind);
    context = { ...scene.making, clock: systemClock, everySeconds: 600, pagesPerSecond: 10_000, settleMs: 0 };
  });
  afterAll(() => scene.close());

  /** A sale whose webhooks are on their way for a long time. */
  const soldUnheard = async (email: string, account = ""): Promise<string> => {
    scene.sandbox.register([]);
    const price = account === "" ? scene.packs.platform.price_id : scene.packs.tenant.price_id;
    const session = await sessionElsewhere(scene, price, { customer_email: email }, account);
    await pay(scene, session, account);
    await sleep(KNOWN_AFTER_MS);
    return session;
  };
  const importSessions = async (): Promise<void> => {
    await scene.door.pipe.database.query("delete from imports");
    await importNow(context, { types: ["checkout.session"] });
  };
  const webhooksCome = async (): Promise<void> => {
    scene.listen();
    for (const { id } of scene.sandbox.events()) scene.sandbox.resend(id);
    await scene.sandbox.idle();
  };
  const noted = async (session: string): Promise<unknown[]> => {
    const text = "select status, credits from unmatched_purchases where stripe_session_id = $1";
    return (await scene.door.pipe.database.query({ text, values: [session] })).rows;
  };

  it.each([
    ["before its webhook", true],
    ["in one batch with its webhook", false],
  ])("a sale that an import lists %s is credited once", async (_, apart) => {
    const email = newEmail();
    const session = await soldUnheard(email);
    await importSessions();
    if (apart) await scene.door.pipe.drain();
    await webhooksCome();
    await scene.settle();
    expect(await noted(session)).toEqual([{ status: "matched", credits: 100 }]);
    await webhooksCome();
    await importSessions();
    await scene.settle();
    expect(await mailsTo(scene.door, email)).toEqual(["welcome", "credits_added"]);
  });

  it("a sale whose webhooks never come is credited by the import alone", async () => {
    const session = await soldUnheard(newEmail());
    await importSessions();
    await scene.settle();
    expect(await noted(session)).toEqual([{ status: "matched", credits: 100 }]);
  });

  it("an import gives no credits for what was sold before its price was known here, or before the installation", async () => {
    const { database } = scene.door.pipe;
    for (const table of ["offer_prices", "tenants"]) {
      const session = await soldUnheard(newEmail());
      await database.query(`update ${table} set created_at = created_at + interval '1 day'`);
      await importSessions();
      await scene.settle();
      await database.query(`update ${table} set created_at = created_at - interval '1 day'`);
      expect([table, await noted(session)]).toEqual([table, []]);
    }
  });

  it("a drift repair gives no credits for what a connected account sold before it was connected, and does for what it sold since", async () => {
    const { database } = scene.door.pipe;
    const repair = async (): Promise<void> => {
      await checkDrift(context, { repair: true, types: ["checkout.session"], account: scene.account });
      await scene.settle();
    };
    const before = await soldUnheard(newEmail(), scene.account);
    const text = "update connections set connected_at = now(), told_since = now() where stripe_account = $1";
    await database.query({ text, values: [scene.account] });
    await repair();
    expect(await noted(before)).toEqual([]);
    const since = await soldUnheard(newEmail(), scene.account);
    await repair();
    expect(await noted(since)).toMatchObject([{ status: "open", credits: 100 }]);
    const { rows } = await database.query({
      text: "select object_id, type from stripe_events where object_id = any ($1) order by created, object_id",
      values: [[before, since]],
    });
    expect(rows).toEqual([
      { object_id: before, type: "checkout.session.imported" },
      { object_id: since, type: "checkout.session.retrieved" },
    ]);
  });
});
