// A tenant with a connected account of the sandbox, behind the HTTP door: what Stripe's side did, and what ours says of it.
import type Stripe from "stripe";

import { systemClock } from "../../src/base/clock.ts";
import { newId } from "../../src/base/ids.ts";
import { silentLog } from "../../src/base/log.ts";
import { dueInvoicePool } from "../../src/billing/due-invoices.ts";
import type { ApiDependencies } from "../../src/api/route.ts";
import type { StripeAccess } from "../../src/stripe/access.ts";
import { type Answer, type Door, openDoor, SIGNING_SECRET, type Wire } from "./api-door.ts";
import { COMPLETE_ACCOUNT, connectActive } from "./connected-accounts.ts";
import { registerTenant, send, type TestTenant } from "./people.ts";
import type { Kind } from "./pipe.ts";
import { openSandbox, type OpenSandbox } from "./sandbox.ts";
import { stripeSwitch } from "./stripe-switch.ts";
import type { ResumableContext } from "../../src/billing/resumable.ts";

export interface InvoiceScene {
  sandbox: OpenSandbox;
  door: Door;
  tenant: TestTenant;
  /** The tenant's connected account. */
  account: string;
  /** The SDK as that account. */
  stripe: Stripe;
  /** Our calls to the sandbox; a test may put another one in its place. */
  access: { current: StripeAccess };
  making: ResumableContext;
  /** With the tenant's secret test key. */
  ask(method: string, path: string, body?: unknown, headers?: Record<string, string>): Promise<Answer>;
  /** Delivers and processes everything that happened so far. */
  settle(): Promise<void>;
  /** Every invoice of the connected account that Stripe has. */
  invoices(): Promise<Stripe.Invoice[]>;
  close(): Promise<void>;
}

export const INVOICE = {
  customer_email: "buyer@example.com",
  customer_name: "Ada Buyer",
  currency: "usd",
  items: [
    { description: "Consulting", amount: 10_000, quantity: 2 },
    { description: "Travel", amount: 5_001 },
  ],
};

export async function openInvoiceScene(kind: Kind, more: Partial<ApiDependencies> = {}): Promise<InvoiceScene> {
  const sandbox = await openSandbox();
  const { access, stripe: through } = stripeSwitch(sandbox.url);
  const door = await openDoor(kind, { deps: { stripe: through, ...more } });
  sandbox.register([
    { url: `${door.url}/stripe/webhook/`, secret: SIGNING_SECRET, connect: true },
    { url: `${door.url}/account/stripe-webhook/`, secret: SIGNING_SECRET, connect: false },
  ]);
  const tenant = await registerTenant(door);
  const { id: account } = await sandbox.stripe.accounts.create(COMPLETE_ACCOUNT);
  const { database, platformTenant } = door.pipe;
  await connectActive(database, tenant.id, account);
  const making: ResumableContext = {
    ...{ database, platformTenant, stripe: through, clock: systemClock, log: silentLog },
    ...{ wake: () => undefined, newLease: () => newId("node") },
  };
  const stripe = sandbox.client({ account });
  return {
    ...{ sandbox, door, tenant, account, access, making, stripe },
    ask: (method, path, body, headers = {}) =>
      send(door, method, `/accounts/invoices/${path}`, { token: tenant.keys.test_secret, body, headers }),
    settle: async () => {
      await sandbox.idle();
      await door.pipe.drain();
    },
    invoices: async () => (await stripe.invoices.list({ limit: 100 })).data,
    close: async () => {
      // First whoever posts to the door: it waits for each connection that is open and has asked nothing yet.
      await sandbox.close();
      await door.close();
    },
  };
}

/** What the background does in one look, to its end. */
export async function makeDue({ making }: InvoiceScene): Promise<"full" | "none"> {
  const pool = dueInvoicePool(making);
  const found = await pool.run();
  await pool.idle();
  return found;
}

/** The object of a 2xx answer. */
export function madeOf(answer: Answer): Wire & { id: string; stripe_invoice_id: string } {
  if (answer.status >= 300) throw new Error(`${String(answer.status)} ${answer.text}`);
  return answer.json as Wire & { id: string; stripe_invoice_id: string };
}
