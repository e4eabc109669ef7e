// A tenant with a connected account of the sandbox, behind the HTTP door: what Stripe's side did, and what ours says of it.
import type Stripe from "stripe";

import { systemClock } from "../../src/base/clock.ts";
import { newId } from "../../src/base/ids.ts";
import { Secret } from "../../src/base/secret.ts";
import { silentLog } from "../../src/base/log.ts";
import { dueInvoicePool } from "../../src/billing/due-invoices.ts";
import type { InvoiceMaking } from "../../src/billing/make-connected-invoice.ts";
import { connectAccount } from "../../src/connections/connection-table.ts";
import { type StripeAccess, stripeAccess } from "../../src/stripe/access.ts";
import { type Answer, type Door, openDoor, SIGNING_SECRET, type Wire } from "./api-door.ts";
import { registerTenant, send, type TestTenant } from "./people.ts";
import type { Kind } from "./pipe.ts";
import { openSandbox, type OpenSandbox, SANDBOX_KEY } from "./sandbox.ts";

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
  making: InvoiceMaking;
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

const PERSON = {
  first_name: "Jenny",
  last_name: "Rosen",
  dob: { day: 1, month: 1, year: 1901 },
  email: "jenny@example.com",
  phone: "+14155552671",
  address: { line1: "510 Townsend Street", city: "San Francisco", state: "CA", postal_code: "94103", country: "US" },
  ssn_last_4: "0000",
};
const BANK = {
  object: "bank_account",
  account_number: "000123456789",
  routing_number: "110000000",
  country: "US",
  currency: "usd",
} as const;

/** An account that may charge at once. */
export const COMPLETE_ACCOUNT: Stripe.AccountCreateParams = {
  type: "custom",
  country: "US",
  email: "shop@example.com",
  business_type: "individual",
  business_profile: { mcc: "5734", url: "https://example.com" },
  capabilities: { card_payments: { requested: true }, transfers: { requested: true } },
  individual: PERSON,
  external_account: BANK,
  tos_acceptance: { date: 1_700_000_000, ip: "127.0.0.1" },
};

export async function openInvoiceScene(kind: Kind): Promise<InvoiceScene> {
  const sandbox = await openSandbox();
  const real = accessTo(sandbox.url);
  const access = { current: real };
  const through: StripeAccess = {
    has: (livemode) => access.current.has(livemode),
    client: (livemode) => access.current.client(livemode),
    call: (target, ask) => access.current.call(target, ask),
    retrieve: (livemode, wanted) => access.current.retrieve(livemode, wanted),
    paused: (livemode) => access.current.paused(livemode),
  };
  const door = await openDoor(kind, { deps: { stripe: through } });
  sandbox.register([
    { url: `${door.url}/stripe/webhook/`, secret: SIGNING_SECRET, connect: true },
    { url: `${door.url}/account/stripe-webhook/`, secret: SIGNING_SECRET, connect: false },
  ]);
  const tenant = await registerTenant(door);
  const { id: account } = await sandbox.stripe.accounts.create(COMPLETE_ACCOUNT);
  await connect(door, tenant.id, account);
  const { database, platformTenant } = door.pipe;
  const making: InvoiceMaking = {
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
      await door.close();
      await sandbox.close();
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

export function accessTo(apiBase: string): StripeAccess {
  return stripeAccess({ keys: { test: new Secret(SANDBOX_KEY) }, apiBase, clock: systemClock });
}

/** The tenant's account from now on, allowed to charge. */
export async function connect(door: Door, tenantId: string, account: string): Promise<void> {
  const { database } = door.pipe;
  await database.transaction((tx) => connectAccount(tx, tenantId, { livemode: false, account }));
  const text = "update connections set status = 'active' where stripe_account = $1";
  await database.query({ text, values: [account] });
}

/** The object of a 2xx answer. */
export function madeOf(answer: Answer): Wire & { id: string; stripe_invoice_id: string } {
  if (answer.status >= 300) throw new Error(`${String(answer.status)} ${answer.text}`);
  return answer.json as Wire & { id: string; stripe_invoice_id: string };
}
