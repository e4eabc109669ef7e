// What the operator reads of any tenant by an id alone, as that tenant reads it; plans and packs found by a text; and what a
// tenant finds of its own by Stripe's ids.
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { newId } from "../src/base/ids.ts";
import { OPERATOR_TOKEN, type Wire } from "./support/api-door.ts";
import { INVOICE, type InvoiceScene, madeOf, openInvoiceScene } from "./support/connected-invoice-scene.ts";
import { registerTenant, send } from "./support/people.ts";
import { BOTH } from "./support/pipe.ts";
import { buy, customer } from "./support/purchase-scene.ts";

type Found = Wire & { id: string };

const PLAN = { key: "gold", name: "Gold 100%", amount: 1_900, currency: "usd", billing_interval: "month" };
const PACKS = ["Small", "Middle", "Large"].map((name) => ({
  ...{ key: `${name.toLowerCase()}_pack`, name: `${name} pack`, credits: 10, amount: 500, currency: "usd" },
}));

describe.each(BOTH)("on the %s database", (kind) => {
  let scene: InvoiceScene;
  /** Of one tenant, by the name of their list. */
  let made: Record<"webhook-endpoints" | "connected-invoices" | "plans" | "credit-packs", Found>;
  /** Takes the events of both modes. */
  let both: Found;

  /** By the tenant's owner, in test mode. */
  const theirs = async (method: string, path: string, body?: object): Promise<Found> =>
    madeOf(
      await send(scene.door, method, path, {
        ...{ token: scene.tenant.access, headers: { "billhook-mode": "test" } },
        ...(body === undefined ? {} : { body }),
      }),
    );
  const admin = async (path: string): Promise<Wire> => {
    const answer = await scene.door.admin("GET", path);
    expect([path, answer.status]).toEqual([path, 200]);
    return answer.json;
  };
  const named = async (list: string, query: string): Promise<unknown[]> => {
    const { data } = await admin(`${list}/?tenant=${scene.tenant.id}&livemode=false&${query}`);
    return (data as Wire[]).map(({ name }) => name);
  };
  /** By the search box, as `kind id`. */
  const found = async (access: string, text: string, mode = "test"): Promise<string[]> => {
    const headers = { "billhook-mode": mode };
    const answer = await send(scene.door, "GET", `/api/v1/search/?q=${text}`, { token: access, headers });
    return (answer.json.data as Wire[]).map((one) => `${String(one.kind)} ${String(one.id)}`);
  };
  /** On the connected account. */
  const subscribe = async (email: string): Promise<{ customerId: string; subscription: string }> => {
    const { stripe } = scene;
    const { id: customerId } = await stripe.customers.create({ email });
    const { id: method } = await stripe.paymentMethods.attach("pm_card_visa", { customer: customerId });
    const { id: subscription } = await stripe.subscriptions.create({
      ...{ customer: customerId, default_payment_method: method, items: [{ price: String(made.plans.price_id) }] },
    });
    await scene.settle();
    return { customerId, subscription };
  };
  const isCustomer = async (account: string, customerId: string, stripeAccount: string): Promise<void> => {
    const text = "update accounts set stripe_customer_id = $1, stripe_customer_account = $2 where id = $3";
    await scene.door.pipe.database.query({ text, values: [customerId, stripeAccount, account] });
  };

  beforeAll(async () => {
    scene = await openInvoiceScene(kind);
    const endpoint = { url: "https://hooks.example/in", livemode: false, signature: "v1a" };
    for (const pack of PACKS.slice(1)) await theirs("POST", "/api/v1/credit-packs/", pack);
    made = {
      "webhook-endpoints": await theirs("POST", "/api/v1/webhook-endpoints/", endpoint),
      "connected-invoices": madeOf(await scene.ask("POST", "", INVOICE)),
      plans: await theirs("POST", "/api/v1/plans/", PLAN),
      "credit-packs": await theirs("POST", "/api/v1/credit-packs/", PACKS[0] ?? {}),
    };
    both = await theirs("POST", "/api/v1/webhook-endpoints/", { url: "https://hooks.example/both", livemode: null });
  });
  afterAll(async () => scene.close());

  it("an endpoint and an invoice are read by their id alone, as their tenant reads them and no secret whole", async () => {
    const tenant_id = scene.tenant.id;
    for (const [list, id, own] of [
      ["webhook-endpoints", made["webhook-endpoints"].id, "/api/v1/webhook-endpoints"],
      ["webhook-endpoints", both.id, "/api/v1/webhook-endpoints"],
      ["connected-invoices", made["connected-invoices"].id, "/accounts/invoices"],
    ] as const) {
      expect(await admin(`${list}/${id}/`)).toEqual({ ...(await theirs("GET", `${own}/${id}/`)), tenant_id });
    }
    const { secret } = await admin(`webhook-endpoints/${both.id}/`);
    expect(both.secret).toMatch(/^whsec_[\w+/=]{20,}$/);
    expect(secret).toBe(`whsec_****...${String(both.secret).slice(-4)}`);
  });

  it("a plan and a pack are read by their id alone, as their list has them, whichever mode is asked in", async () => {
    for (const list of ["plans", "credit-packs"] as const) {
      const { data } = await admin(`${list}/?tenant=${scene.tenant.id}&livemode=false&text=${made[list].id}`);
      const [row] = data as Wire[];
      expect(row).toMatchObject({ id: made[list].id, tenant_id: scene.tenant.id, livemode: false, drift: [] });
      const { json } = await scene.door.call("GET", `/api/v1/admin/${list}/${made[list].id}/`, {
        headers: { authorization: `Bearer ${OPERATOR_TOKEN}`, "billhook-mode": "live" },
      });
      expect(json).toEqual(row);
    }
  });

  it("an id of another kind, or of nothing, is not found", async () => {
    const ids = [...Object.values(made).map(({ id }) => id), "none_such"];
    for (const [list, prefix] of [
      ...([
        ["webhook-endpoints", "whe"],
        ["connected-invoices", "cinv"],
      ] as const),
      ...([
        ["plans", "pln"],
        ["credit-packs", "pack"],
      ] as const),
    ]) {
      for (const id of [...ids.filter((one) => one !== made[list].id), newId(prefix)]) {
        const { status, json } = await scene.door.admin("GET", `${list}/${id}/`);
        expect([list, id, status, json.code]).toEqual([list, id, 404, "not_found"]);
      }
    }
  });

  it("plans and packs are found by a whole id or key, Stripe's price or product, or a part of the name", async () => {
    const { id, price_id: price, product_id: product } = made["credit-packs"];
    for (const text of [id, "small_pack", String(price), String(product), "SMALL p"])
      expect([text, await named("credit-packs", `text=${text}`)]).toEqual([text, ["Small pack"]]);
    expect(await named("credit-packs", "text=pack")).toEqual(["Small pack", "Large pack", "Middle pack"]);
    for (const text of ["small_pac", id.slice(0, -1), "%25", "Gold"])
      expect([text, await named("credit-packs", `text=${text}`)]).toEqual([text, []]);
    expect(await named("plans", "text=100%25")).toEqual(["Gold 100%"]);
    expect(await named("plans", "text=gold&is_active=false")).toEqual([]);
    expect(await named("plans", "text=pack")).toEqual([]);
  });

  it("a tenant finds its own by Stripe's ids: invoice, plan, pack, customer, subscription and purchase; another finds nothing", async () => {
    const { door, tenant } = scene;
    const { customerId, subscription } = await subscribe("held@buyers.example");
    const { id: account, token } = await customer(scene, { email: "held@buyers.example" });
    const { session_id: session } = await buy(scene, token, { price_id: String(made["credit-packs"].price_id) });
    await isCustomer(account, customerId, scene.account);
    const { rows } = await door.pipe.database.query<{ id: string }>("select id from credit_purchases");
    const other = await registerTenant(door);
    const { plans: plan, "credit-packs": pack, "connected-invoices": invoice } = made;
    for (const [id, hit] of [
      [invoice.stripe_invoice_id, `connected_invoice ${invoice.id}`],
      [plan.price_id, `plan ${plan.id}`],
      [plan.product_id, `plan ${plan.id}`],
      [pack.price_id, `credit_pack ${pack.id}`],
      [customerId, `account ${account}`],
      [subscription, `account ${account}`],
      [session, `credit_purchase ${rows[0]?.id ?? ""}`],
    ] as const) {
      const text = String(id);
      expect([id, (await found(tenant.access, text))[0]]).toEqual([id, hit]);
      expect([id, await found(tenant.access, text, "live"), await found(other.access, text)]).toEqual([id, [], []]);
    }
  });

  it("an operator finds an open checkout and what is sold by Stripe's ids before any event has brought them", async () => {
    const { plans: plan, "credit-packs": pack } = made;
    const { token } = await customer(scene, { email: "open@buyers.example" });
    const { session_id: session } = await buy(scene, token, { price_id: String(pack.price_id) });
    const { rows } = await scene.door.pipe.database.query<{ id: string }>({
      text: "select id from credit_purchases where stripe_session_id = $1",
      values: [session],
    });
    for (const [id, hit] of [
      [session, `credit_purchase ${rows[0]?.id ?? ""}`],
      [plan.price_id, `plan ${plan.id}`],
      [plan.product_id, `plan ${plan.id}`],
      [pack.price_id, `credit_pack ${pack.id}`],
      [pack.product_id, `credit_pack ${pack.id}`],
    ] as const) {
      const { data } = await admin(`search/?q=${String(id)}`);
      const hits = (data as Wire[]).filter(({ kind: one }) => one !== "stripe_object");
      expect(hits.map((one) => [id, `${String(one.kind)} ${String(one.id)}`, one.tenant_id])).toEqual([
        [id, hit, scene.tenant.id],
      ]);
    }
  });

  it("a subscription leads to no account whose customer is another Stripe account's", async () => {
    const { customerId, subscription } = await subscribe("elsewhere@buyers.example");
    const { id: account } = await customer(scene, { email: "elsewhere@buyers.example" });
    await isCustomer(account, customerId, "");
    expect(await found(scene.tenant.access, subscription)).toEqual([`subscription ${subscription}`]);
    await isCustomer(account, customerId, scene.account);
    expect(await found(scene.tenant.access, subscription)).toContain(`account ${account}`);
  });

  it("an invoice that was refused, which no page shows, is found by no id and no address", async () => {
    const body = { ...INVOICE, customer_email: "refused@buyers.example" };
    const { id, stripe_invoice_id: atStripe, customer_email: email } = madeOf(await scene.ask("POST", "", body));
    await scene.settle();
    const foundBy = async (): Promise<string[]> => {
      const texts: string[] = [];
      for (const text of [id, atStripe, String(email)])
        if ((await found(scene.tenant.access, text)).includes(`connected_invoice ${id}`)) texts.push(text);
      const { data } = await admin(`search/?q=${id}`);
      return [...texts, ...(data as Wire[]).map((one) => `operator: ${String(one.id)}`)];
    };
    expect(await foundBy()).toEqual([id, atStripe, email, `operator: ${id}`]);
    const text = "update connected_invoices set stage = 'refused' where id = $1";
    await scene.door.pipe.database.query({ text, values: [id] });
    expect(await foundBy()).toEqual([]);
  });

  it("what is found by a text comes in pages", async () => {
    const page = `credit-packs/?tenant=${scene.tenant.id}&livemode=false&text=m&limit=1`;
    const names: unknown[] = [];
    for (let cursor = ""; ;) {
      const { data, next_cursor: next } = await admin(`${page}${cursor}`);
      names.push(...(data as Wire[]).map(({ name }) => name));
      if (typeof next !== "string") break;
      cursor = `&cursor=${next}`;
    }
    expect(names).toEqual(["Small pack", "Middle pack"]);
  });
});
