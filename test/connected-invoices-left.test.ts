// Invoices on an account that their tenant has disconnected, and that may be another tenant's by now: it does nothing there any more.
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { endConnection, findConnection } from "../src/connections/connection-table.ts";
import type { StripeAccess } from "../src/stripe/access.ts";
import { callFailure } from "../src/stripe/call-failure.ts";
import { connectActive } from "./support/connected-accounts.ts";
import { INVOICE, type InvoiceScene, madeOf, makeDue, openInvoiceScene } from "./support/connected-invoice-scene.ts";
import { registerTenant } from "./support/people.ts";
import { BOTH } from "./support/pipe.ts";

describe.each(BOTH)("on an account that its tenant has left, %s database", (kind) => {
  let scene: InvoiceScene;
  let real: StripeAccess;
  beforeAll(async () => {
    scene = await openInvoiceScene(kind);
    real = scene.access.current;
  });
  afterAll(() => scene.close());

  /** As the platform lets go of it: the account itself still lets us in. */
  async function leave(): Promise<void> {
    const { database } = scene.door.pipe;
    const found = await findConnection(database, { tenantId: scene.tenant.id, livemode: false });
    if (found === undefined) throw new Error("the tenant has no connection");
    await endConnection(database, found, "unlinked");
  }
  const stateOf = async (id: string) => (await scene.stripe.invoices.retrieve(id)).status;
  const sentOnes = () => scene.sandbox.events("invoice.sent").length;

  /** An invoice whose answers are lost from this call on. */
  async function interrupted(from: number, email: string): Promise<string> {
    let posts = 0;
    scene.access.current = {
      ...real,
      call: async (target, ask) => {
        const answer = await real.call(target, ask);
        if (target.idempotencyKey !== undefined && (posts += 1) >= from) {
          throw callFailure(new Error("the connection was lost"), scene.account);
        }
        return answer;
      },
    };
    const kept = await scene.ask("POST", "", { ...INVOICE, customer_email: email });
    scene.access.current = real;
    expect(kept.status).toBe(202);
    await scene.door.pipe.database.query(
      "update connected_invoices set next_attempt_at = now() where stage = 'making'",
    );
    return String(kept.json.id);
  }

  it("an interrupted one is not gone on with, and says why; one that is sent already stands", async () => {
    const early = await interrupted(2, "early@example.com");
    const late = await interrupted(6, "late@example.com");
    await leave();
    const before = await scene.invoices();
    const sent = sentOnes();
    while ((await makeDue(scene)) !== "none");
    expect((await scene.ask("GET", `${early}/`)).json).toMatchObject({
      status: "void",
      failure: { code: "stripe_not_connected" },
    });
    expect((await scene.ask("GET", `${late}/`)).json).toMatchObject({
      status: "pending",
      failure: { code: "stripe_not_connected" },
    });
    expect(await scene.invoices()).toEqual(before);
    expect(sentOnes()).toBe(sent);
    await connectActive(scene.door.pipe.database, scene.tenant.id, scene.account);
  });

  it("its invoices are still read, and neither sent nor voided, also when another tenant has the account", async () => {
    const made = madeOf(await scene.ask("POST", "", INVOICE));
    const sent = sentOnes();
    await leave();
    for (const next of [undefined, await registerTenant(scene.door)]) {
      if (next !== undefined) await connectActive(scene.door.pipe.database, next.id, scene.account);
      for (const act of ["send", "void"]) {
        const refused = await scene.ask("POST", `${made.id}/${act}/`);
        expect([refused.status, refused.json.code]).toEqual([409, "stripe_not_connected"]);
      }
      expect((await scene.ask("GET", `${made.id}/`)).json).toMatchObject({ id: made.id, status: "pending" });
    }
    expect(await stateOf(made.stripe_invoice_id)).toBe("open");
    expect(sentOnes()).toBe(sent);
  });
});
