// Automatic top-ups that are not paid: nobody is charged for what is not wanted any more, and only the card's failures count.
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";

import { firstIdAt, newId } from "../src/base/ids.ts";
import { silentLog } from "../src/base/log.ts";
import { topUpDue } from "../src/billing/top-ups.ts";
import { spend } from "../src/credits/ledger.ts";
import { lockLedgers, writeLedgers } from "../src/credits/ledger-tables.ts";
import { whileDisconnected } from "./support/connected-accounts.ts";
import { BOTH } from "./support/pipe.ts";
import {
  type Buyer,
  customer,
  openSubscriptionScene,
  person,
  type SubscriptionScene,
} from "./support/subscription-scene.ts";
import { failing, topUpScene, type TopUpScene } from "./support/top-up-scene.ts";

const SECONDS = 30_000;

describe.each(BOTH)("automatic top-ups that are not paid, %s database", (kind) => {
  let scene: SubscriptionScene;
  let ups: TopUpScene;
  beforeAll(async () => {
    scene = await openSubscriptionScene(kind);
    ups = topUpScene(scene);
  });
  afterAll(() => scene.close());
  beforeEach(async () => {
    ups.listen();
    // What is due in one is none of the next.
    await scene.door.pipe.database.query("delete from auto_top_ups");
  });

  /** One that is low, with a card, and asks for a pack of 10 dollars. */
  const low = async (buyer: Buyer, card?: string): Promise<string> => {
    const price = await ups.pack(buyer);
    await ups.save(buyer, card);
    const on = await ups.change(buyer, { enabled: true, threshold: 20, price_id: price });
    expect(on.json).toMatchObject({ enabled: true, pending: false });
    return price;
  };
  /** Its purchase is written, and Stripe's answer does not come. `answers`: though Stripe has charged, and no webhook comes. */
  const unanswered = async (answers = false): Promise<Buyer> => {
    const buyer = await customer(scene);
    await low(buyer);
    if (answers) ups.deaf();
    const stripe = failing(scene, "stripe_unreachable", { transient: true, answers });
    await topUpDue(ups.context());
    stripe.mended();
    expect(await ups.state(buyer)).toMatchObject({ pending: true, failures: 0 });
    return buyer;
  };
  const amounts = async (buyer: Buyer): Promise<number[]> => (await ups.payments(buyer)).map(({ amount }) => amount);

  describe("what is not wanted any more", () => {
    it(
      "one that was turned off while Stripe did not answer is not charged, and is over",
      async () => {
        const buyer = await unanswered();
        await ups.change(buyer, { enabled: false });
        await ups.run();
        expect(await amounts(buyer)).toEqual([]);
        expect(await ups.state(buyer)).toMatchObject({ enabled: false, pending: false, failures: 0, last_error: null });
        expect(await ups.told(buyer)).toMatchObject({ facts: 0 });
      },
      SECONDS,
    );

    it(
      "one that asks for a cheaper pack by then is charged for that one, once",
      async () => {
        const buyer = await unanswered();
        await ups.change(buyer, { enabled: true, price_id: await ups.pack(buyer, 400) });
        await ups.run();
        expect([await amounts(buyer), await ups.balance(buyer)]).toEqual([[400], 100]);
        expect(await ups.state(buyer)).toMatchObject({ enabled: true, pending: false, failures: 0, last_error: null });
      },
      SECONDS,
    );

    it(
      "one whose threshold is below its balance by then is not charged",
      async () => {
        const buyer = await customer(scene);
        await low(buyer);
        await scene.door.pipe.database.query({
          text: "update credit_balances set balance = 15 where account_id = $1",
          values: [buyer.accountId],
        });
        const stripe = failing(scene, "stripe_unreachable", { transient: true });
        await topUpDue(ups.context());
        stripe.mended();
        await ups.change(buyer, { enabled: true, threshold: 10 });
        await ups.run();
        expect(await amounts(buyer)).toEqual([]);
        expect(await ups.state(buyer)).toMatchObject({ enabled: true, pending: false, failures: 0 });
      },
      SECONDS,
    );

    it(
      "what Stripe had charged before it was turned off brings its credits once",
      async () => {
        const buyer = await unanswered(true);
        await ups.change(buyer, { enabled: false });
        await ups.run();
        expect([await amounts(buyer), await ups.balance(buyer)]).toEqual([[1000], 100]);
        expect(await ups.state(buyer)).toMatchObject({ enabled: false, pending: false });
        await ups.hear();
        expect([await amounts(buyer), await ups.balance(buyer)]).toEqual([[1000], 100]);
      },
      SECONDS,
    );

    it(
      "it stays under way while Stripe cannot be asked whether it has charged",
      async () => {
        const buyer = await unanswered(true);
        await ups.change(buyer, { enabled: false });
        const stripe = failing(scene, "stripe_permission_denied");
        await ups.run();
        stripe.mended();
        expect(await ups.state(buyer)).toMatchObject({ enabled: false, pending: true });
        await ups.run();
        expect([await ups.balance(buyer), (await ups.state(buyer)).pending]).toEqual([100, false]);
        await ups.hear();
        expect(await ups.balance(buyer)).toBe(100);
      },
      SECONDS,
    );

    it(
      "a call that is on its way is let end before anybody looks for what became of it",
      async () => {
        const buyer = await customer(scene);
        await low(buyer);
        const { database } = scene.door.pipe;
        // Somebody changes the threshold between the claim and the purchase: that alone would make it due.
        let transactions = 0;
        const transaction: typeof database.transaction = async (work) => {
          transactions += 1;
          if (transactions === 2) await ups.change(buyer, { enabled: true, threshold: 21 });
          return database.transaction(work);
        };
        const { current } = scene.access;
        const found: unknown[] = [];
        scene.access.current = {
          ...current,
          call: async (target, call) => {
            scene.access.current = current;
            await ups.change(buyer, { enabled: false });
            found.push(await topUpDue(ups.context()));
            return current.call(target, call);
          },
        };
        await topUpDue({
          ...ups.context(),
          database: Object.create(database, { transaction: { value: transaction } }),
        });
        await scene.settle();
        expect(found).toEqual(["none"]);
        expect([await amounts(buyer), await ups.balance(buyer)]).toEqual([[1000], 100]);
        expect(await ups.state(buyer)).toMatchObject({ enabled: false, pending: false });
      },
      SECONDS,
    );
  });

  describe("whose failure it is", () => {
    it(
      "rounds in which the tenant was disconnected are not counted beside the card's refusals",
      async () => {
        const buyer = await customer(scene);
        await low(buyer, "pm_card_chargeCustomerFail");
        await whileDisconnected(scene.door.pipe.database, buyer.stripeAccount, ups.run);
        expect(await ups.state(buyer)).toMatchObject({
          ...{ enabled: true, failures: 0 },
          last_error: expect.stringContaining("No Stripe account is connected"),
        });
        await ups.makeDue();
        await topUpDue(ups.context());
        await scene.settle();
        expect(await ups.state(buyer)).toMatchObject({ enabled: true, failures: 1 });
        expect(await ups.told(buyer)).toMatchObject({ facts: 1 });
        await ups.change(buyer, { enabled: false });
      },
      SECONDS,
    );

    it.each([
      ["stripe_permission_denied", undefined],
      ["stripe_permission_denied", "posts"],
      ["stripe_not_connected", undefined],
      ["stripe_account_restricted", "posts"],
      ["stripe_conflict", "posts"],
    ] as const)(
      "%s (%s refused) is neither counted nor mailed, and is charged once when it is over",
      async (code, only) => {
        const buyer = await person(scene);
        await low(buyer);
        const stripe = failing(scene, code, { ...(only === undefined ? {} : { only }) });
        await ups.run();
        stripe.mended();
        expect(stripe.calls()).toBeGreaterThanOrEqual(3);
        expect(await ups.state(buyer)).toMatchObject({ enabled: true, failures: 0, last_error: expect.any(String) });
        expect(await ups.told(buyer)).toEqual({ facts: 0, mails: 0 });
        await ups.run();
        expect([await amounts(buyer), await ups.balance(buyer)]).toEqual([[1000], 100]);
        expect(await ups.state(buyer)).toMatchObject({ enabled: true, pending: false, failures: 0, last_error: null });
      },
      SECONDS,
    );

    it(
      "what was charged without an answer is found, though Stripe refuses our key by then",
      async () => {
        const buyer = await unanswered(true);
        const stripe = failing(scene, "stripe_permission_denied", { only: "posts" });
        await ups.run();
        stripe.mended();
        expect([await amounts(buyer), await ups.balance(buyer)]).toEqual([[1000], 100]);
        await ups.hear();
        expect(await ups.balance(buyer)).toBe(100);
      },
      SECONDS,
    );

    it(
      "a day without an answer is not counted, and is followed by one charge",
      async () => {
        const buyer = await unanswered();
        await ups.makeDue();
        await topUpDue({ ...ups.context(), clock: { now: () => Date.now() + 24 * 3_600_000 } });
        expect(await ups.state(buyer)).toMatchObject({ enabled: true, pending: false, failures: 0 });
        expect(await ups.told(buyer)).toMatchObject({ facts: 0 });
        await ups.run();
        expect([await amounts(buyer), await ups.balance(buyer)]).toEqual([[1000], 100]);
      },
      SECONDS,
    );
  });

  it.each([
    ["fast", 10 * 60_000, 0],
    ["slow", 0, -4 * 60_000],
  ])(
    "what was used is a reason to buy again at once, though a node's clock is %s",
    async (_, before, after) => {
      const buyer = await customer(scene);
      await low(buyer);
      await ups.run();
      // As the desk of another node writes it.
      const use = (amount: number, off: number): Promise<void> =>
        scene.door.pipe.database.transaction(async (tx) => {
          const ref = { tenantId: buyer.tenantId, livemode: false, accountId: buyer.accountId };
          const { ledgers, now } = await lockLedgers(tx, [{ ...ref, takes: amount }]);
          for (const ledger of ledgers.values()) {
            const entry = spend(ledger, amount, { source: `use ${String(off)} ${newId("req")}`, reason: "use" });
            if (entry === undefined) throw new Error("too little is left");
            entry.id = firstIdAt("crd", Date.now() + off);
          }
          await writeLedgers(tx, ledgers.values(), now);
        });
      await use(90, before);
      await ups.run();
      expect([await ups.balance(buyer), (await amounts(buyer)).length]).toEqual([110, 2]);
      await use(100, after);
      await ups.run();
      expect([await ups.balance(buyer), (await amounts(buyer)).length]).toEqual([110, 3]);
      await ups.run();
      expect(await amounts(buyer)).toHaveLength(3);
    },
    SECONDS,
  );

  describe("a pack that cannot be bought", () => {
    const warned = () => {
      const lines: string[] = [];
      const log = { ...silentLog, warn: (message: string) => void lines.push(message) };
      return { lines, log };
    };

    it(
      "a changed price stops it, and its owner is told once, by an event, a mail and the log",
      async () => {
        const buyer = await person(scene);
        const price = await low(buyer);
        const next = await ups.reprice(buyer, price, 3000);
        const { lines, log } = warned();
        await topUpDue(ups.context(log));
        await ups.run();
        expect(await amounts(buyer)).toEqual([]);
        expect(await ups.state(buyer)).toMatchObject({
          ...{ enabled: false, pending: false, failures: 0 },
          last_error: expect.stringContaining("the price of the credit pack has changed"),
        });
        expect(await ups.told(buyer)).toEqual({ facts: 1, mails: 1 });
        expect(lines).toEqual(["an automatic top-up was stopped"]);
        expect((await ups.change(buyer, { enabled: true, price_id: next })).status).toBe(200);
        await ups.run();
        expect([await amounts(buyer), await ups.balance(buyer)]).toEqual([[3000], 100]);
      },
      SECONDS,
    );

    it(
      "one that is not sold any more stops it with words that say so",
      async () => {
        const buyer = await person(scene);
        const price = await low(buyer);
        await scene.door.pipe.database.query({
          text: "update credit_packs set active = false where stripe_price_id = $1",
          values: [price],
        });
        await ups.run();
        expect(await ups.state(buyer)).toMatchObject({
          ...{ enabled: false, failures: 0 },
          last_error: expect.stringContaining("is not sold any more"),
        });
        expect(await ups.told(buyer)).toEqual({ facts: 1, mails: 1 });
      },
      SECONDS,
    );

    it(
      "more packs than can be paid at once are refused when they are asked for",
      async () => {
        const buyer = await customer(scene);
        const price = await ups.pack(buyer, 60_000_000);
        const terms = { enabled: true, threshold: 20, price_id: price };
        const refused = await ups.change(buyer, { ...terms, quantity: 2 });
        expect([refused.status, refused.json]).toMatchObject([400, { code: "invalid_request", param: "quantity" }]);
        expect(await ups.state(buyer)).toMatchObject({ enabled: false, quantity: null });
        expect((await ups.change(buyer, { ...terms, quantity: 1 })).status).toBe(200);
        expect((await ups.change(buyer, { enabled: true, quantity: 2 })).json).toMatchObject({ param: "quantity" });
        expect((await ups.change(buyer, { enabled: false, quantity: 2 })).status).toBe(200);
      },
      SECONDS,
    );

    it(
      "what was asked for before that was refused is never asked of Stripe: it stops",
      async () => {
        const buyer = await person(scene);
        const price = await low(buyer);
        await scene.door.pipe.database.query({
          text: "update auto_top_ups set quantity = 1000000 where price_id = $1",
          values: [price],
        });
        await ups.run();
        expect(await ups.state(buyer)).toMatchObject({
          ...{ enabled: false, pending: false, failures: 0 },
          last_error: expect.stringContaining("buy fewer"),
        });
        expect(await ups.told(buyer)).toEqual({ facts: 1, mails: 1 });
      },
      SECONDS,
    );
  });
});
