// A crash, a lost answer or a second worker at any step of the making: one invoice in the end, sent once, or none at all.
import Stripe from "stripe";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import type { StripeAccess } from "../src/stripe/access.ts";
import { callFailure } from "../src/stripe/call-failure.ts";
import type { Answer, Wire } from "./support/api-door.ts";
import { INVOICE, type InvoiceScene, madeOf, makeDue, openInvoiceScene } from "./support/connected-invoice-scene.ts";
import { BOTH } from "./support/pipe.ts";
import { accessTo } from "./support/stripe-switch.ts";

/** Customer, draft, two items, finalizing, sending. */
const POSTS = 6;

type Around = (post: number, key: string, call: () => Promise<unknown>) => Promise<unknown>;

/** Our access to the sandbox, with something done around each POST; the first is number 1. */
function around(access: StripeAccess, act: Around): StripeAccess {
  let posts = 0;
  return {
    ...access,
    call: (target, ask) => {
      const { idempotencyKey } = target;
      const call = () => access.call(target, ask);
      if (idempotencyKey === undefined) return call();
      posts += 1;
      return act(posts, idempotencyKey, call) as ReturnType<typeof call>;
    },
  };
}

class Killed extends Error {}

describe.each(BOTH)("making a connected-account invoice, %s database", (kind) => {
  let scene: InvoiceScene;
  let real: StripeAccess;
  let buyers = 0;
  beforeAll(async () => {
    scene = await openInvoiceScene(kind);
    real = scene.access.current;
  });
  afterAll(() => scene.close());

  /** A buyer of its own, so that a customer is made each time. */
  const newBuyer = (): string => `buyer${String((buyers += 1))}@example.com`;
  const post = (email: string, key: string): Promise<Answer> =>
    scene.ask("POST", "", { ...INVOICE, customer_email: email }, { "idempotency-key": key });
  const recordsOf = async (email: string): Promise<Wire[]> =>
    (await scene.ask("GET", `?customer_email=${email}`)).json.data as Wire[];
  const runDue = async (): Promise<void> => {
    while ((await makeDue(scene)) !== "none");
  };
  const endLeases = async (): Promise<void> => {
    await scene.door.pipe.database.query(
      "update connected_invoices set next_attempt_at = now() where next_attempt_at is not null",
    );
  };
  const ofBuyer = async (email: string): Promise<Stripe.Invoice[]> =>
    (await scene.invoices()).filter(({ customer_email }) => customer_email === email);
  const sendings = (id: string): number =>
    scene.sandbox.events("invoice.sent").filter((event) => (event.data.object as { id: string }).id === id).length;

  /** One invoice, whole, sent once, and one record of it. */
  const expectOne = async (email: string): Promise<void> => {
    const found = await ofBuyer(email);
    expect(found.map(({ status, total }) => [status, total])).toEqual([["open", 25_001]]);
    const [invoice] = found;
    const id = invoice?.id ?? "";
    expect(invoice?.lines.data.map(({ description }) => description)).toEqual(["Consulting", "Travel"]);
    expect(sendings(id)).toBe(1);
    await scene.settle();
    const records = await recordsOf(email);
    expect(records).toEqual([
      expect.objectContaining({ origin: "billhook", status: "pending", stripe_invoice_id: id, failure: null }),
    ]);
    await scene.stripe.invoices.pay(id, { payment_method: "pm_card_visa" });
    await scene.settle();
    expect(await recordsOf(email)).toEqual([expect.objectContaining({ status: "paid", application_fee_amount: 3750 })]);
    const [fee] = (await scene.sandbox.stripe.applicationFees.list({ limit: 1 })).data;
    expect(fee?.amount).toBe(3750);
  };

  const places = Array.from({ length: POSTS }, (_, index) => index + 1);
  const crashes = places.flatMap((place) =>
    (["before", "after"] as const).flatMap((when) => [true, false].map((heard) => [when, place, heard] as const)),
  );
  it.each(crashes)(
    "killed %s call %d (its events came first: %s), the background goes on, and there is one invoice",
    async (when, place, heard) => {
      const email = newBuyer();
      scene.access.current = around(real, async (number, _, call) => {
        if (number === place && when === "before") throw new Killed();
        const answer = await call();
        if (number === place) throw new Killed();
        return answer;
      });
      expect((await post(email, `crash ${email}`.replace(" ", "-"))).status).toBe(500);
      scene.access.current = real;
      if (heard) await scene.settle();
      await runDue();
      // The lease still holds: nothing was touched.
      expect(await recordsOf(email)).toEqual([expect.objectContaining({ status: "pending" })]);
      await endLeases();
      await runDue();
      await expectOne(email);
    },
  );

  it.each(places)("killed after call %d, the same request goes on once the lease has ended", async (place) => {
    const email = newBuyer();
    const key = `again-${email}`;
    scene.access.current = around(real, async (number, _, call) => {
      const answer = await call();
      if (number === place) throw new Killed();
      return answer;
    });
    expect((await post(email, key)).status).toBe(500);
    scene.access.current = real;
    const early = await post(email, key);
    expect([early.status, early.json.code]).toEqual([409, "idempotency_key_in_use"]);
    expect(early.headers.get("retry-after")).not.toBeNull();
    await endLeases();
    const made = await post(email, key);
    expect([made.status, made.json.status]).toEqual([201, "pending"]);
    const replayed = await post(email, key);
    expect([replayed.status, replayed.json.id, replayed.headers.get("idempotent-replayed")]).toEqual([
      201,
      made.json.id,
      "true",
    ]);
    await expectOne(email);
  });

  it.each(places)("when the answer to call %d is lost, the caller gets 202, and it goes on", async (place) => {
    const email = newBuyer();
    scene.access.current = around(real, async (number, _, call) => {
      const answer = await call();
      if (number >= place) throw callFailure(new Error("the connection was lost"), scene.account);
      return answer;
    });
    const kept = await post(email, `lost-${email}`);
    expect([kept.status, kept.json.status]).toEqual([202, "pending"]);
    scene.access.current = real;
    await runDue();
    expect((await recordsOf(email)).map(({ id }) => id)).toEqual([kept.json.id]);
    await endLeases();
    await runDue();
    await expectOne(email);
  });

  it.each(places.flatMap((place) => [true, false].map((done) => [place, done] as const)))(
    "when Stripe answers call %d with a stored 500 (it was done: %s), the rest is asked for under new keys",
    async (place, done) => {
      const email = newBuyer();
      let poisoned: string | undefined;
      scene.access.current = around(real, async (number, key, call) => {
        if (number === place) {
          poisoned = key;
          if (done) await call();
        }
        if (key === poisoned) throw storedFailure(scene.account);
        return call();
      });
      const made = await post(email, `stored-${email}`);
      scene.access.current = real;
      expect(made.status).toBe(201);
      // Sending again is all that can be done about a mail of which nothing is known.
      if (place === POSTS && done) return;
      // A customer too many harms nobody.
      await expectOne(email);
    },
  );

  it("killed after Stripe has sent one again, the same request mails it no second time", async () => {
    const email = newBuyer();
    const made = madeOf(await post(email, `again-${email}`));
    const again = (): Promise<Answer> =>
      scene.ask("POST", `${made.id}/send/`, undefined, { "idempotency-key": `mail-${email}` });
    scene.access.current = around(real, async (_, __, call) => {
      await call();
      throw new Killed();
    });
    expect((await again()).status).toBe(500);
    scene.access.current = real;
    expect((await again()).status).toBe(200);
    expect(sendings(made.stripe_invoice_id)).toBe(2);
  });

  it("two workers that take up the same one at once make one invoice", async () => {
    const email = newBuyer();
    scene.access.current = accessTo("http://127.0.0.1:9");
    expect((await post(email, `two-${email}`)).status).toBe(202);
    scene.access.current = real;
    await endLeases();
    await Promise.all([runDue(), runDue(), runDue()]);
    await expectOne(email);
  });

  it("a worker that lost its lease in the middle of a call writes nothing any more, and nothing is made twice", async () => {
    const email = newBuyer();
    let others: Promise<void> | undefined;
    scene.access.current = around(real, async (number, _, call) => {
      const answer = await call();
      if (number === 3 && others === undefined) {
        await endLeases();
        others = runDue();
        await others;
      }
      return answer;
    });
    const slow = await post(email, `slow-${email}`);
    scene.access.current = real;
    expect([slow.status, slow.json.status]).toEqual([201, "pending"]);
    await expectOne(email);
  });

  it("twenty requests with one key make one invoice", async () => {
    const email = newBuyer();
    const answers = await Promise.all(Array.from({ length: 20 }, () => post(email, `many-${email}`)));
    for (const { status, json } of answers) expect([201, 409], JSON.stringify(json)).toContain(status);
    expect(answers.some(({ status }) => status === 201)).toBe(true);
    await expectOne(email);
  });

  it("a refused one is told at once, and its draft goes later where Stripe does not answer then", async () => {
    const email = newBuyer();
    scene.access.current = around(real, async (_, key, call) => {
      if (key.includes(":finalize")) throw refusal(scene.account);
      return call();
    });
    await fault(scene, { status: 500, method: "DELETE", path: "/v1/invoices/*", count: 20 });
    const refused = await post(email, `gone-${email}`);
    scene.access.current = real;
    expect([refused.status, refused.json.code]).toEqual([400, "stripe_refused"]);
    expect((await ofBuyer(email)).map(({ status }) => status)).toEqual(["draft"]);
    expect(await recordsOf(email)).toEqual([]);
    await fetch(`${scene.sandbox.url}/_sandbox/faults`, { method: "DELETE" });
    await endLeases();
    await runDue();
    expect(await ofBuyer(email)).toEqual([]);
    expect((await scene.stripe.invoiceItems.list({ limit: 100, pending: true })).data).toEqual([]);
    await scene.settle();
    expect(await recordsOf(email)).toEqual([]);
    const { rows } = await scene.door.pipe.database.query({
      text: "select stage from connected_invoices where customer_email = $1",
      values: [email],
    });
    expect(rows).toEqual([{ stage: "refused" }]);
  });

  it("one that was finalized under our feet is not taken back when finalizing it is refused", async () => {
    const email = newBuyer();
    scene.access.current = around(real, async (_, key, call) => {
      if (!key.includes(":finalize")) return call();
      await call();
      throw refusal(scene.account);
    });
    expect((await post(email, `feet-${email}`)).status).toBe(201);
    scene.access.current = real;
    await expectOne(email);
  });

  it("after a day nothing is asked for any more: the draft goes, and the record says so", async () => {
    const email = newBuyer();
    scene.access.current = around(real, async (number, _, call) => {
      const answer = await call();
      if (number >= 3) throw callFailure(new Error("the connection was lost"), scene.account);
      return answer;
    });
    const kept = await post(email, `late-${email}`);
    expect(kept.status).toBe(202);
    scene.access.current = real;
    await scene.door.pipe.database.query({
      text: "update connected_invoices set created_at = created_at - interval '23 hours 1 minute', next_attempt_at = now() where id = $1",
      values: [kept.json.id],
    });
    await runDue();
    expect(await ofBuyer(email)).toEqual([]);
    const items = (await scene.stripe.invoiceItems.list({ limit: 100, pending: true })).data;
    expect(items).toEqual([]);
    expect(await recordsOf(email)).toEqual([
      expect.objectContaining({
        id: kept.json.id,
        status: "void",
        failure: expect.objectContaining({ code: "stripe_unreachable" }),
      }),
    ]);
    const byStatus = (await scene.ask("GET", `?customer_email=${email}&status=void`)).json.data as Wire[];
    expect(byStatus).toHaveLength(1);
  });

  it("after a day one that Stripe had finalized stands, and is not sent blindly", async () => {
    const email = newBuyer();
    scene.access.current = around(real, async (number, _, call) => {
      const answer = await call();
      if (number >= 5) throw callFailure(new Error("the connection was lost"), scene.account);
      return answer;
    });
    const kept = await post(email, `stands-${email}`);
    scene.access.current = real;
    await scene.door.pipe.database.query({
      text: "update connected_invoices set created_at = created_at - interval '24 hours', next_attempt_at = now() where id = $1",
      values: [kept.json.id],
    });
    await runDue();
    const [record] = await recordsOf(email);
    expect(record).toMatchObject({ status: "pending", failure: { message: expect.stringContaining("send it again") } });
    expect(sendings(String(record?.stripe_invoice_id))).toBe(0);
    expect((await scene.ask("POST", `${String(record?.id)}/send/`)).status).toBe(200);
    expect(sendings(String(record?.stripe_invoice_id))).toBe(1);
  });

  it("a customer that was deleted at Stripe is made anew; one that is there is used again", async () => {
    const email = newBuyer();
    const customers = async (): Promise<number> =>
      (await scene.stripe.customers.list({ email, limit: 100 })).data.length;
    madeOf(await post(email, `first-${email}`));
    madeOf(await post(email, `second-${email}`));
    expect(await customers()).toBe(1);
    const [customer] = (await scene.stripe.customers.list({ email })).data;
    await scene.stripe.customers.del(customer?.id ?? "");
    const third = madeOf(await post(email, `third-${email}`));
    expect(third.status).toBe("pending");
    expect(await customers()).toBe(1);
  });
});

/** What Stripe answers for a day where a key's first call ended in a 500. */
function storedFailure(account: string): Error {
  const headers = { "idempotent-replayed": "true" };
  return callFailure(
    new Stripe.errors.StripeAPIError({ type: "api_error", message: "An error", statusCode: 500, headers }),
    account,
  );
}

function refusal(account: string): Error {
  const given = { type: "invalid_request_error", message: "No.", statusCode: 400, headers: {} } as const;
  return callFailure(new Stripe.errors.StripeInvalidRequestError(given), account);
}

async function fault(scene: InvoiceScene, given: object): Promise<void> {
  const response = await fetch(`${scene.sandbox.url}/_sandbox/faults`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(given),
  });
  if (!response.ok) throw new Error(await response.text());
}
