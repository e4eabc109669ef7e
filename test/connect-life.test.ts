// What becomes of a connection: Stripe's word moves it, its events find their tenant, it ends and begins again.
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { systemClock } from "../src/base/clock.ts";
import { rebuild } from "../src/inbox/rebuild.ts";
import {
  comeBack,
  connect,
  connectedByOAuth,
  type ConnectScene,
  consent,
  disconnect,
  onboard,
  openConnectScene,
  status,
} from "./support/connect-scene.ts";
import { auditOf, registerTenant, type TestTenant } from "./support/people.ts";
import { BOTH } from "./support/pipe.ts";

describe.each(BOTH)("on the %s database", (kind) => {
  let scene: ConnectScene;
  beforeAll(async () => {
    scene = await openConnectScene(kind);
  });
  afterAll(() => scene.close());

  const one = async (text: string, ...values: unknown[]): Promise<Record<string, unknown> | undefined> =>
    (await scene.door.pipe.database.query({ text, values })).rows[0];
  const storedStatus = async (account: string): Promise<unknown> => {
    const found = await one("select status, disconnected_reason from connections where stripe_account = $1", account);
    return found?.disconnected_reason ?? found?.status;
  };
  const actions = async (tenant: TestTenant): Promise<unknown[]> =>
    (await auditOf(scene.door, tenant)).map(({ action }) => action);

  it("an account with something left to tell is restricted, goes on by a new link, and becomes active by Stripe's events", async () => {
    const tenant = await registerTenant(scene.door);
    const first = await connect(scene, tenant);
    const answer = await comeBack(scene, await onboard(first.url, "complete_with_open_points"));
    expect(answer.json).toMatchObject({ tenant: { stripe_connect_status: "restricted" } });
    const account = String(answer.json.account_id);
    const second = await connect(scene, tenant);
    await onboard(second.url);
    // Nobody came back: the events alone say it.
    await scene.settle();
    expect(await storedStatus(account)).toBe("active");
    expect((await status(scene, tenant)).json).toMatchObject({ account_id: account, status: "active" });
    const moves = (await auditOf(scene.door, tenant)).filter(({ action }) => action === "stripe.status_changed");
    expect(moves[0]).toMatchObject({ actor: { kind: "system" }, target: account, after: { status: "active" } });
  });

  it("an account that Stripe rejects becomes restricted by its event", async () => {
    const tenant = await registerTenant(scene.door);
    const back = await onboard((await connect(scene, tenant)).url);
    const account = String((await comeBack(scene, back)).json.account_id);
    await scene.settle();
    // Another second, so that the order of the two words is Stripe's.
    await new Promise((resolve) => setTimeout(resolve, 1100));
    await scene.sandbox.stripe.accounts.reject(account, { reason: "fraud" });
    await scene.settle();
    expect(await storedStatus(account)).toBe("restricted");
    expect((await status(scene, tenant)).json).toMatchObject({
      status: "restricted",
      requirements: { disabled_reason: expect.stringMatching(/^rejected\./) as string },
    });
  });

  it("an account that shuts us out is disconnected by its event, and may be connected again", async () => {
    const tenant = await registerTenant(scene.door);
    const account = await connectedByOAuth(scene, tenant);
    await scene.settle();
    await new Promise((resolve) => setTimeout(resolve, 1100));
    const plain = scene.sandbox.client({ apiVersion: "2026-10-28.endive" });
    await plain.oauth.deauthorize({ client_id: "ca_OfTheTests", stripe_user_id: account });
    await scene.settle();
    expect(await storedStatus(account)).toBe("deauthorized");
    expect((await status(scene, tenant)).json).toEqual({
      connected: false,
      status: "disconnected",
      message: "No Stripe account connected",
    });
    expect((await disconnect(scene, tenant)).status).toBe(409);
    expect(await connectedByOAuth(scene, tenant, { act: "allow", account })).toBe(account);
    // The old farewell comes again, and says nothing of the new connection.
    for (const { id } of scene.sandbox.events("account.application.deauthorized")) scene.sandbox.resend(id);
    await scene.settle();
    expect((await status(scene, tenant)).json).toMatchObject({ connected: true, status: "active" });
  });

  it("a lost event costs nothing: the status is fetched, and taken in by the reducer", async () => {
    const tenant = await registerTenant(scene.door);
    scene.sandbox.register([]);
    try {
      const { url } = await connect(scene, tenant);
      await onboard(url);
      // Later than the second in which our knowledge of the new account ends.
      await new Promise((resolve) => setTimeout(resolve, 3100));
      const { json } = await status(scene, tenant);
      expect(json).toMatchObject({ status: "active", refreshed: true });
      expect(await storedStatus(String(json.account_id))).toBe("active");
      const pulls = "select count(*) as count from stripe_events where object_id = $1 and source = 'pull'";
      const before = await one(pulls, json.account_id);
      await status(scene, tenant);
      expect(await one(pulls, json.account_id)).toEqual(before);
    } finally {
      scene.sandbox.register([scene.endpoint]);
    }
  });

  it("events of an account that connects later are that tenant's at once", async () => {
    const account = await standardAccount(scene);
    const customer = await scene.sandbox.stripe.customers.create({ name: "Early" }, { stripeAccount: account });
    await scene.settle();
    const outcome = "select status from stripe_event_outcomes where stripe_account = $1";
    expect(await one(outcome, account)).toEqual({ status: "unrouted" });
    const tenant = await registerTenant(scene.door);
    expect(await connectedByOAuth(scene, tenant, { act: "allow", account })).toBe(account);
    // What was known of the account itself is the tenant's with the callback's own commit.
    expect(await one("select tenant_id from connected_accounts where id = $1", account)).toEqual({
      tenant_id: tenant.id,
    });
    await scene.drain();
    expect(await one("select tenant_id from customers where id = $1", customer.id)).toEqual({ tenant_id: tenant.id });
    expect(await one(outcome, account)).toBeUndefined();
  });

  async function openInvoice(account: string): Promise<string> {
    const as = { stripeAccount: account };
    const { customers, invoices, invoiceItems } = scene.sandbox.stripe;
    const { id: customer } = await customers.create({ email: "buyer@example.com" }, as);
    const { id: invoice } = await invoices.create(
      { customer, collection_method: "send_invoice", days_until_due: 30 },
      as,
    );
    await invoiceItems.create({ customer, invoice, amount: 1000, currency: "usd" }, as);
    return (await invoices.finalizeInvoice(invoice, {}, as)).id;
  }

  it("an account is one tenant's at a time: another is refused, and gets it once it is free", async () => {
    const [first, second] = [await registerTenant(scene.door), await registerTenant(scene.door)];
    const account = await connectedByOAuth(scene, first);
    const refused = await connect(scene, second, { method: "oauth" });
    const answer = await comeBack(scene, await consent(refused.url, { act: "allow", account }));
    expect([answer.status, answer.json.code]).toEqual([409, "stripe_account_taken"]);
    expect((await status(scene, first)).json).toMatchObject({ connected: true, account_id: account });
    expect((await status(scene, second)).json).toMatchObject({ connected: false, status: "not_connected" });
    const early = await scene.sandbox.stripe.customers.create({ name: "Early" }, { stripeAccount: account });
    const invoice = await openInvoice(account);
    await disconnect(scene, first);
    await scene.settle();
    expect(await one("select tenant_id from customers where id = $1", early.id)).toEqual({ tenant_id: first.id });
    const late = await one("select tenant_id from stripe_events where stripe_account = $1 limit 1", account);
    expect(late).toEqual({ tenant_id: first.id });
    expect(await connectedByOAuth(scene, second, { act: "allow", account })).toBe(account);
    expect((await status(scene, second)).json).toMatchObject({ connected: true, account_id: account });
    expect((await status(scene, first)).json).toMatchObject({ connected: false, status: "not_connected" });
    const customer = await scene.sandbox.stripe.customers.create({ name: "Late" }, { stripeAccount: account });
    await scene.settle();
    // What stands in the account is its new tenant's to see, and a rebuild says the same.
    for (const { id } of [early, customer])
      expect(await one("select tenant_id from customers where id = $1", id)).toEqual({ tenant_id: second.id });
    const recorded =
      "select tenant_id, origin from connected_invoices where stripe_invoice_id = $1 order by created_at, id";
    const records = await scene.door.pipe.database.query({ text: recorded, values: [invoice] });
    expect(records.rows).toEqual([first, second].map(({ id }) => ({ tenant_id: id, origin: "stripe" })));
    const { differing } = await rebuild({
      ...{ database: scene.door.pipe.database, clock: systemClock, platformTenant: scene.door.pipe.platformTenant },
      ...{ check: true, onProgress: () => undefined, onDifference: () => undefined },
    });
    expect(differing).toBe(0);
  });

  it("an account that was never finished gives way to one by OAuth; one that works must be disconnected first", async () => {
    const tenant = await registerTenant(scene.door);
    await connect(scene, tenant);
    const unfinished = String((await status(scene, tenant)).json.account_id);
    const account = await connectedByOAuth(scene, tenant);
    expect(account).not.toBe(unfinished);
    expect(await storedStatus(unfinished)).toBe("replaced");
    await expect(connect(scene, tenant)).rejects.toThrow("stripe_already_connected");
    await expect(connect(scene, tenant, { method: "oauth" })).rejects.toThrow("409");
    await disconnect(scene, tenant);
    await connect(scene, tenant, { method: "oauth" });
    expect(await actions(tenant)).toContain("stripe.account_created");
  });
});

/** One that the platform knows and no tenant has. */
async function standardAccount({ sandbox }: ConnectScene): Promise<string> {
  const { id } = await sandbox.stripe.accounts.create({ type: "standard" });
  return id;
}
