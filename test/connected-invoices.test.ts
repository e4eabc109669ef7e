// Invoices on behalf of connected accounts, over HTTP with the sandbox as Stripe: each ends in its status, with the platform's fee.
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { Wire } from "./support/api-door.ts";
import { connectActive } from "./support/connected-accounts.ts";
import { INVOICE, type InvoiceScene, madeOf, openInvoiceScene } from "./support/connected-invoice-scene.ts";
import { auditOf, registerTenant, send } from "./support/people.ts";
import { BOTH } from "./support/pipe.ts";
import { accessTo } from "./support/stripe-switch.ts";

describe.each(BOTH)("a connected-account invoice, %s database", (kind) => {
  let scene: InvoiceScene;
  beforeAll(async () => {
    scene = await openInvoiceScene(kind);
  });
  afterAll(() => scene.close());

  const create = async (more: object = {}) => madeOf(await scene.ask("POST", "", { ...INVOICE, ...more }));
  const read = async (id: string): Promise<Wire> => {
    await scene.settle();
    const answer = await scene.ask("GET", `${id}/`);
    expect(answer.status).toBe(200);
    return answer.json;
  };
  const pay = async (stripeId: string, method = "pm_card_visa"): Promise<void> => {
    await scene.stripe.invoices.pay(stripeId, { payment_method: method });
  };
  const feesOf = async (): Promise<number[]> =>
    (await scene.sandbox.stripe.applicationFees.list({ limit: 100 })).data.map(({ amount }) => amount);

  it("is created, finalized and sent, with the platform's fee of 15 % and all that the answer promises", async () => {
    const made = await create({ memo: "Thank you", metadata: { order: "17" }, days_until_due: 14 });
    expect(made).toMatchObject({
      object: "connected_invoice",
      status: "pending",
      origin: "billhook",
      livemode: false,
      customer_email: "buyer@example.com",
      customer_name: "Ada Buyer",
      currency: "usd",
      amount: 25_001,
      amount_paid: 0,
      application_fee_percent: 15,
      application_fee_amount: 3750,
      memo: "Thank you",
      metadata: { order: "17" },
      paid_at: null,
      failure: null,
      items: [
        { description: "Consulting", amount: 10_000, quantity: 2 },
        { description: "Travel", amount: 5_001, quantity: 1 },
      ],
    });
    const invoice = await scene.stripe.invoices.retrieve(made.stripe_invoice_id);
    expect(made).toMatchObject({ hosted_invoice_url: invoice.hosted_invoice_url, invoice_pdf: invoice.invoice_pdf });
    expect(made.due_date).toBe(new Date((invoice.due_date ?? 0) * 1000).toISOString());
    expect(invoice).toMatchObject({
      status: "open",
      total: 25_001,
      collection_method: "send_invoice",
      description: "Thank you",
      metadata: { order: "17", billhook_invoice: made.id },
    });
    const sent = scene.sandbox.events("invoice.sent").map((event) => (event.data.object as { id: string }).id);
    expect(sent).toEqual([made.stripe_invoice_id]);
    await scene.settle();
    expect(await read(made.id)).toMatchObject({ ...made, updated_at: expect.any(String) });
  });

  it("that is paid ends paid, with paid_at, and the platform has its fee", async () => {
    const made = await create();
    await pay(made.stripe_invoice_id);
    const invoice = await scene.stripe.invoices.retrieve(made.stripe_invoice_id);
    expect(await read(made.id)).toMatchObject({
      status: "paid",
      amount_paid: 25_001,
      paid_at: new Date((invoice.status_transitions.paid_at ?? 0) * 1000).toISOString(),
    });
    expect(await feesOf()).toEqual([3750]);
  });

  it("whose payment fails ends payment_failed, and paid once it is paid", async () => {
    const made = await create({ application_fee_percent: 2.5 });
    await expect(pay(made.stripe_invoice_id, "pm_card_visa_chargeDeclined")).rejects.toThrow();
    expect(await read(made.id)).toMatchObject({ status: "payment_failed", paid_at: null, amount_paid: 0 });
    await pay(made.stripe_invoice_id);
    expect(await read(made.id)).toMatchObject({ status: "paid", application_fee_amount: 625 });
    expect(await feesOf()).toEqual([625, 3750]);
  });

  it("that is voided ends void, is told in the audit log, and stays so when it is voided again", async () => {
    const made = await create();
    const voided = await scene.ask("POST", `${made.id}/void/`);
    expect([voided.status, voided.json.status]).toEqual([200, "void"]);
    expect(await read(made.id)).toMatchObject({ status: "void", paid_at: null });
    expect((await scene.ask("POST", `${made.id}/void/`)).json).toMatchObject({ status: "void" });
    expect((await scene.stripe.invoices.retrieve(made.stripe_invoice_id)).status).toBe("void");
    expect(await auditOf(scene.door, scene.tenant)).toContainEqual(
      expect.objectContaining({
        action: "connected_invoice.voided",
        target: made.id,
        before: { status: "pending" },
        after: { status: "void" },
      }),
    );
    expect(await feesOf()).toHaveLength(2);
  });

  it("that is given up at Stripe ends uncollectible, and paid when it is paid after all", async () => {
    const made = await create();
    await scene.stripe.invoices.markUncollectible(made.stripe_invoice_id);
    expect(await read(made.id)).toMatchObject({ status: "uncollectible" });
    await pay(made.stripe_invoice_id);
    expect(await read(made.id)).toMatchObject({ status: "paid", amount_paid: 25_001 });
    expect(await feesOf()).toEqual([3750, 625, 3750]);
  });

  it("is sent again while it waits, and not when it is paid or void; a paid one is not voided either", async () => {
    const made = await create();
    const again = await scene.ask("POST", `${made.id}/send/`);
    expect([again.status, again.json.status]).toEqual([200, "pending"]);
    const sent = scene.sandbox.events("invoice.sent").map((event) => (event.data.object as { id: string }).id);
    expect(sent.filter((id) => id === made.stripe_invoice_id)).toHaveLength(2);
    await pay(made.stripe_invoice_id);
    await scene.settle();
    for (const act of ["send", "void"]) {
      const refused = await scene.ask("POST", `${made.id}/${act}/`);
      expect([refused.status, refused.json.code]).toEqual([409, "invoice_not_open"]);
      expect(refused.json.message).toContain("The invoice is paid.");
    }
  });

  it("that was paid a moment ago, which we have not heard of yet, is not voided: the answer says why", async () => {
    const made = await create();
    await pay(made.stripe_invoice_id);
    const refused = await scene.ask("POST", `${made.id}/void/`);
    expect([refused.status, refused.json.code]).toEqual([409, "invoice_not_open"]);
    expect(refused.json.message).toContain("paid");
    await scene.door.pipe.drain();
    expect((await scene.ask("GET", `${made.id}/`)).json).toMatchObject({ status: "paid" });
  });

  it("made elsewhere on the account is recorded once it is finalized, marked so, and followed", async () => {
    const customer = await scene.stripe.customers.create({ email: "other@example.com", name: "Other" });
    const draft = await scene.stripe.invoices.create({
      customer: customer.id,
      collection_method: "send_invoice",
      days_until_due: 5,
      description: "By hand",
      metadata: { by: "hand" },
    });
    await scene.stripe.invoiceItems.create({
      customer: customer.id,
      invoice: draft.id,
      amount: 700,
      currency: "usd",
      description: "Thing",
    });
    const listed = async (): Promise<Wire[]> => {
      await scene.settle();
      return (await scene.ask("GET", "?customer_email=OTHER@example.com")).json.data as Wire[];
    };
    expect(await listed()).toEqual([]);
    await scene.stripe.invoices.finalizeInvoice(draft.id);
    const [record, ...more] = await listed();
    expect(more).toEqual([]);
    expect(record).toMatchObject({
      origin: "stripe",
      status: "pending",
      amount: 700,
      application_fee_percent: null,
      customer_name: "Other",
      memo: "By hand",
      metadata: { by: "hand" },
      items: [{ description: "Thing", amount: 700, quantity: 1 }],
    });
    await pay(draft.id);
    expect(await listed()).toEqual([expect.objectContaining({ id: record?.id, status: "paid", amount_paid: 700 })]);
  });

  it("carries the tenant's own percentage where the operator set one, and that of the call before it", async () => {
    const admin = (body: unknown, id = scene.tenant.id) => scene.door.admin("PATCH", `tenants/${id}/`, body);
    expect((await admin({ application_fee_percent: 7.25 })).json).toMatchObject({
      id: scene.tenant.id,
      application_fee_percent: 7.25,
    });
    expect(await create()).toMatchObject({ application_fee_percent: 7.25, application_fee_amount: 1813 });
    expect(await create({ application_fee_percent: 0 })).toMatchObject({ application_fee_amount: 0 });
    expect(await create({ application_fee_percent: 100 })).toMatchObject({ application_fee_amount: 25_001 });
    expect((await admin({ application_fee_percent: null })).status).toBe(200);
    expect(await create()).toMatchObject({ application_fee_percent: 15 });
    for (const percent of [-1, 100.01, 1.005, "15", undefined])
      expect((await admin({ application_fee_percent: percent })).status).toBe(400);
    expect((await admin({ application_fee_percent: 1 }, "ten_none")).status).toBe(404);
    const told = await auditOf(scene.door, scene.tenant);
    expect(told).toContainEqual(
      expect.objectContaining({
        action: "tenant.fee_changed",
        before: { application_fee_percent: null },
        after: { application_fee_percent: 7.25 },
      }),
    );
  });

  it("is listed newest first, by pages, by status, by address and by time", async () => {
    await scene.settle();
    const all: Wire[] = [];
    let cursor = "";
    do {
      const page = await scene.ask("GET", `?limit=3${cursor}`);
      expect(page.status).toBe(200);
      all.push(...(page.json.data as Wire[]));
      cursor = typeof page.json.next_cursor === "string" ? `&cursor=${page.json.next_cursor}` : "";
    } while (cursor !== "");
    const whole = (await scene.ask("GET", "?limit=100")).json.data as Wire[];
    expect(all).toEqual(whole);
    const times = whole.map(({ created_at }) => String(created_at));
    expect(times).toEqual([...times].sort().reverse());
    const paid = (await scene.ask("GET", "?limit=100&status=paid,void")).json.data as Wire[];
    expect(paid.map(({ id }) => id)).toEqual(
      whole.filter(({ status }) => status === "paid" || status === "void").map(({ id }) => id),
    );
    const future = encodeURIComponent("created[gte]") + "=2100-01-01";
    expect((await scene.ask("GET", `?${future}`)).json.data).toEqual([]);
    expect((await scene.ask("GET", "?created[lt]=2100-01-01&limit=100")).json.data).toEqual(whole);
    for (const query of ["status=open", "limit=0", "cursor=x", "created[gte]=x", "customer_email=x", "what=1"])
      expect([query, (await scene.ask("GET", `?${query}`)).status]).toEqual([query, 400]);
  });

  it.each([
    [{ customer_email: undefined }, "customer_email"],
    [{ customer_email: "nobody" }, "customer_email"],
    [{ currency: "dollars" }, "currency"],
    [{ items: [] }, "items"],
    [{ items: [{ description: "a", amount: -1 }] }, "items.0.amount"],
    [{ items: [{ description: "a", amount: 1.5 }] }, "items.0.amount"],
    [{ items: [{ description: "a", amount: "100" }] }, "items.0.amount"],
    [{ items: [{ description: "a", amount: 0 }] }, "items.0.amount"],
    [{ items: [{ description: "a", amount: 49 }] }, "items.0.amount"],
    [{ items: [{ description: "a", amount: 100_000_000 }] }, "items.0.amount"],
    [{ items: [{ description: "a", amount: 99_999_999, quantity: 2 }] }, "items.0.amount"],
    [{ items: Array.from({ length: 2 }, () => ({ description: "a", amount: 99_999_999 })) }, "items"],
    [{ items: [{ description: "", amount: 100 }] }, "items.0.description"],
    [{ items: [{ description: "a", amount: 100, quantity: 0 }] }, "items.0.quantity"],
    [{ days_until_due: -1 }, "days_until_due"],
    [{ application_fee_percent: 101 }, "application_fee_percent"],
    [{ application_fee_percent: 1.234 }, "application_fee_percent"],
    [{ metadata: { billhook_invoice: "cinv_1" } }, "metadata"],
    [{ metadata: { "a[b]": "c" } }, "metadata.a[b]"],
    [{ memo: "\u0000" }, "memo"],
    // jsonb refuses what text keeps as U+FFFD: what is kept is what was sent.
    [{ items: [{ description: "x\ud800y", amount: 100 }] }, "items.0.description"],
    [{ metadata: { k: "\udc00" } }, "metadata.k"],
    [{ metadata: { "k\ud800": "v" } }, "metadata.k\ud800"],
    [{ memo: "a\nb\ud800" }, "memo"],
    [{ customer_name: "\ud800" }, "customer_name"],
    [{ customer: "cus_1" }, "customer"],
  ])("is refused with 400 for %o, and nothing is made", async (more, param) => {
    const before = (await scene.invoices()).length;
    const answer = await scene.ask("POST", "", { ...INVOICE, ...more });
    expect([answer.status, answer.json.param]).toEqual([400, param]);
    expect((await scene.invoices()).length).toBe(before);
  });

  it("that Stripe refuses is 400 with Stripe's request id, and leaves neither draft nor item nor record", async () => {
    const counts = async (): Promise<number[]> => [
      (await scene.invoices()).length,
      (await scene.stripe.invoiceItems.list({ limit: 100 })).data.length,
      ((await scene.ask("GET", "?limit=100")).json.data as Wire[]).length,
    ];
    const before = await counts();
    await refuse(scene, "/v1/invoices/*/finalize");
    const refused = await scene.ask("POST", "", INVOICE, { "idempotency-key": "refused-1" });
    expect(refused.json).toMatchObject({ code: "stripe_refused", stripe_request_id: expect.stringMatching(/^req_/) });
    expect([refused.status, refused.json.message]).toEqual([400, expect.stringContaining("asked to answer")]);
    await scene.settle();
    expect(await counts()).toEqual(before);
  });

  it("of a tenant whose account is not connected, or may not charge yet, is 409 and says what to do", async () => {
    const other = await registerTenant(scene.door);
    const ask = (token: string) => send(scene.door, "POST", "/accounts/invoices/", { token, body: INVOICE });
    const none = await ask(other.keys.test_secret);
    expect([none.status, none.json.code]).toEqual([409, "stripe_not_connected"]);
    expect(none.json.message).toContain("in test mode");
    const { id } = await scene.sandbox.stripe.accounts.create({ type: "express" });
    await connectActive(scene.door.pipe.database, other.id, id);
    await scene.door.pipe.database.query({
      text: "update connections set status = 'restricted' where stripe_account = $1",
      values: [id],
    });
    const restricted = await ask(other.keys.test_secret);
    expect([restricted.status, restricted.json.code]).toEqual([409, "stripe_account_restricted"]);
    // A live key asks for live mode, for which there is no Stripe key here.
    const live = await ask(other.keys.live_secret);
    expect([live.status, live.json.code]).toEqual([503, "stripe_not_configured"]);
  });

  it("is nobody else's: another tenant gets 404, and the live key sees no test invoice", async () => {
    const made = await create();
    const other = await registerTenant(scene.door);
    for (const token of [other.keys.test_secret, scene.tenant.keys.live_secret]) {
      for (const [method, path] of [
        ["GET", ""],
        ["POST", "void/"],
        ["POST", "send/"],
      ] as const) {
        const answer = await send(scene.door, method, `/accounts/invoices/${made.id}/${path}`, { token });
        expect([method, path, answer.status]).toEqual([method, path, 404]);
      }
      const list = await send(scene.door, "GET", "/accounts/invoices/", { token });
      expect(list.json.data).toEqual([]);
    }
  });

  it("is kept when Stripe cannot be reached: 202, and it is made when Stripe answers again", async () => {
    const real = scene.access.current;
    scene.access.current = accessTo("http://127.0.0.1:9");
    const kept = await scene.ask("POST", "", INVOICE, { "idempotency-key": "later-1" });
    scene.access.current = real;
    expect([kept.status, kept.json.status, kept.json.stripe_invoice_id]).toEqual([202, "pending", null]);
    const again = await scene.ask("POST", "", INVOICE, { "idempotency-key": "later-1" });
    expect([again.status, again.json.id]).toEqual([202, kept.json.id]);
    for (const act of ["void", "send"]) {
      const early = await scene.ask("POST", `${String(kept.json.id)}/${act}/`);
      expect([early.status, early.json.code]).toEqual([409, "invoice_being_made"]);
    }
  });
});

/** The next call to this address is refused as invalid. */
async function refuse(scene: InvoiceScene, path: string): Promise<void> {
  const response = await fetch(`${scene.sandbox.url}/_sandbox/faults`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ status: 400, path, method: "POST", count: 1, code: "parameter_invalid" }),
  });
  if (!response.ok) throw new Error(await response.text());
}
