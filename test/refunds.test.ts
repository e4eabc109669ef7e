// Refunds through the HTTP door: on the account that was paid, once for each request, and the credits follow by the event.
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { recordIntent } from "../src/credits/purchase-table.ts";
import { whileDisconnected } from "./support/connected-accounts.ts";
import { auditOf, registerTenant, send } from "./support/people.ts";
import { BOTH } from "./support/pipe.ts";
import { makeAccount, makePurchase } from "./support/purchase-lives.ts";
import { openSubscriptionScene, type SubscriptionScene } from "./support/subscription-scene.ts";

describe.each(BOTH)("refunds, %s database", (kind) => {
  let scene: SubscriptionScene;
  beforeAll(async () => {
    scene = await openSubscriptionScene(kind);
  });
  afterAll(() => scene.close());

  const onAccount = () => scene.sandbox.client({ account: scene.account });
  const key = () => scene.tenant.keys.test_secret;
  const refund = (id: string, body?: object, headers: Record<string, string> = {}, token = key()) =>
    send(scene.door, "POST", `/api/v1/payments/${id}/refund/`, { token, body, headers });

  /** A paid purchase of 100 credits for 10 dollars at the connected tenant, with the platform's fee. */
  const bought = async () => {
    const { tenant, door, account } = scene;
    const accountId = await makeAccount(door.pipe.database, tenant.id);
    const ref = { tenantId: tenant.id, accountId };
    const purchase = await makePurchase(door.pipe.database, ref, { stripeAccount: account, sessionId: null });
    const intent = await onAccount().paymentIntents.create({
      ...{ amount: 1000, currency: "usd", payment_method: "pm_card_visa", confirm: true, application_fee_amount: 150 },
      automatic_payment_methods: { enabled: true, allow_redirects: "never" },
    });
    await recordIntent(door.pipe.database, { tenantId: tenant.id, livemode: false, id: purchase.id }, intent.id);
    await scene.settle();
    const balance = async (): Promise<unknown> =>
      (await send(door, "GET", `/api/v1/accounts/${accountId}/`, { token: key() })).json.credit_balance;
    expect(await balance()).toBe(100);
    return {
      accountId,
      id: intent.id,
      charge: typeof intent.latest_charge === "string" ? intent.latest_charge : "",
      balance,
    };
  };
  const feeBack = async (charge: string): Promise<number> => {
    const { application_fee: fee } = await onAccount().charges.retrieve(charge);
    const found = await scene.sandbox.stripe.applicationFees.retrieve(typeof fee === "string" ? fee : (fee?.id ?? ""));
    return found.amount_refunded;
  };

  it("refunds in part and then the rest, and takes the credits in the same share when the event comes", async () => {
    const { id, charge, balance } = await bought();
    const part = await refund(id, { amount: 300, reason: "requested_by_customer" });
    expect(part.status).toBe(201);
    expect(part.json).toMatchObject({
      object: "refund",
      payment_id: id,
      amount: 300,
      currency: "usd",
      status: "succeeded",
    });
    await scene.settle();
    expect(await balance()).toBe(70);
    expect(await feeBack(charge)).toBe(0);
    expect((await refund(id)).json.amount).toBe(700);
    await scene.settle();
    expect(await balance()).toBe(0);
    const more = await refund(id, { amount: 1 });
    expect(more.status).toBeGreaterThanOrEqual(400);
    expect(more.json.code).toBe("stripe_refused");
    const actions = (await auditOf(scene.door, scene.tenant)).map(({ action }) => action);
    expect(actions).toContain("payment.refund_requested");
  });

  it("takes credits that are spent already below zero, and then nothing can be spent until there is something again", async () => {
    const { accountId, id, balance } = await bought();
    let keys = 0;
    const credits = (what: string, amount: number) =>
      send(scene.door, "POST", `/api/v1/accounts/${accountId}/credits/${what}/`, {
        token: key(),
        body: { amount, reason: "test" },
        headers: { "idempotency-key": `${accountId}-${String((keys += 1))}` },
      });
    expect((await credits("spend", 80)).status).toBe(201);
    expect((await refund(id)).status).toBe(201);
    await scene.settle();
    expect(await balance()).toBe(-80);
    const refused = await credits("spend", 1);
    expect([refused.status, refused.json.code]).toEqual([402, "insufficient_credits"]);
    expect((await credits("grant", 80)).status).toBe(201);
    expect((await credits("spend", 1)).status).toBe(402);
    expect((await credits("grant", 1)).status).toBe(201);
    expect((await credits("spend", 1)).status).toBe(201);
    expect(await balance()).toBe(0);
  });

  it("gives the platform's fee back where that is asked for", async () => {
    const { id, charge } = await bought();
    expect((await refund(id, { amount: 500, refund_application_fee: true })).status).toBe(201);
    expect(await feeBack(charge)).toBe(75);
  });

  it("refunds nothing on an account that is not the tenant's any more, and goes on when it is again", async () => {
    const { id } = await bought();
    const refused = await whileDisconnected(scene.door.pipe.database, scene.account, () => refund(id));
    expect([refused.status, refused.json.code]).toEqual([409, "stripe_not_connected"]);
    expect((await onAccount().refunds.list({ payment_intent: id })).data).toEqual([]);
    expect((await refund(id)).status).toBe(201);
  });

  it("refunds once under one Idempotency-Key, also when the process died after Stripe's answer", async () => {
    const { id, balance } = await bought();
    const { current } = scene.access;
    scene.access.current = {
      ...current,
      call: async (target, call) => {
        await current.call(target, call);
        scene.access.current = current;
        throw new Error("the process died");
      },
    };
    const headers = { "idempotency-key": `refund-${kind}` };
    expect((await refund(id, { amount: 400 }, headers)).status).toBe(500);
    const [again, replayed] = [await refund(id, { amount: 400 }, headers), await refund(id, { amount: 400 }, headers)];
    expect([again.status, replayed.json]).toEqual([201, again.json]);
    expect((await onAccount().refunds.list({ payment_intent: id })).data).toHaveLength(1);
    await scene.settle();
    expect(await balance()).toBe(60);
  });

  it("is not there for another tenant, for the platform, or in another mode; and refuses nonsense", async () => {
    const { id, charge } = await bought();
    const other = await registerTenant(scene.door);
    expect((await refund(id, {}, {}, other.keys.test_secret)).status).toBe(404);
    expect((await refund(id, {}, {}, scene.tenant.keys.live_secret)).status).toBe(503);
    expect((await refund("pi_none", {})).status).toBe(404);
    expect((await refund("sub_1", {})).status).toBe(400);
    for (const body of [{ amount: 0 }, { amount: 1.5 }, { reason: "because" }, { no: 1 }]) {
      expect((await refund(id, body)).status).toBe(400);
    }
    expect((await refund(charge, { amount: 1000 })).json).toMatchObject({ payment_id: charge, amount: 1000 });
  });
});
