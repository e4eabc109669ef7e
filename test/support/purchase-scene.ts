// Somebody who buys credits, for tests: the door, Stripe's sandbox behind it, packs of the platform and of a connected tenant.
import type Stripe from "stripe";

import type { ApiDependencies } from "../../src/api/route.ts";
import { newId } from "../../src/base/ids.ts";
import { silentLog } from "../../src/base/log.ts";
import { type BuyerContext, resolveDueBuyers } from "../../src/billing/buyers.ts";
import { firstOperatorLink } from "../../src/tenants/first-operator.ts";
import { type Answer, PUBLIC_URL, SIGNING_SECRET, type Wire } from "./api-door.ts";
import { type InvoiceScene, openInvoiceScene } from "./connected-invoice-scene.ts";
import { newEmail, PASSWORD, send, type Session, sessionOf } from "./people.ts";
import type { Kind } from "./pipe.ts";

export interface Pack {
  id: string;
  price_id: string;
}

const AT_ANY_RATE = { rate: 1e6, burst: 1e6 };
/** A test does not wait for Stripe's limits. */
export const UNLIMITED = { live: AT_ANY_RATE, test: AT_ANY_RATE };

export const PACK = { name: "A hundred", credits: 100, amount: 1000, currency: "usd" };

export interface PurchaseScene extends Omit<InvoiceScene, "settle" | "ask"> {
  /** Who owns the platform. */
  operator: Session;
  /** The platform's pack, and the connected tenant's. */
  packs: { platform: Pack; tenant: Pack };
  buyers: BuyerContext;
  /** Delivers and processes everything, and finds the buyers of what nobody asked for. */
  settle(): Promise<void>;
  resolve(): Promise<void>;
  /** Events reach us, as at first. */
  listen(): void;
}

export async function openPurchaseScene(kind: Kind, more: Partial<ApiDependencies> = {}): Promise<PurchaseScene> {
  const scene = await openInvoiceScene(kind, more);
  const { door, tenant, making } = scene;
  const { database, platformTenant } = door.pipe;
  const link = await firstOperatorLink(database, { platformTenant, frontendUrl: PUBLIC_URL });
  const body = { token: link?.split("#token=")[1], email: newEmail(), password: PASSWORD };
  const operator = sessionOf(await send(door, "POST", "/api/v1/auth/tenants/members/accept/", { body }));
  const packs = {
    platform: await makePack(scene, operator.access),
    tenant: await makePack(scene, tenant.keys.test_secret),
  };
  const buyers: BuyerContext = {
    ...{ database, platformTenant, stripe: making.stripe, log: silentLog, frontendUrl: PUBLIC_URL, trialCredits: 0 },
    newLease: () => newId("node"),
    lineRates: UNLIMITED,
  };
  const resolve = async (): Promise<void> => {
    while ((await resolveDueBuyers(buyers)) !== "none");
  };
  const settle = async (): Promise<void> => {
    await scene.settle();
    await resolve();
    await scene.settle();
  };
  const listen = (): void => {
    scene.sandbox.register([
      { url: `${door.url}/stripe/webhook/`, secret: SIGNING_SECRET, connect: true },
      { url: `${door.url}/account/stripe-webhook/`, secret: SIGNING_SECRET, connect: false },
    ]);
  };
  return { ...scene, operator, packs, buyers, settle, resolve, listen };
}

export async function makePack({ door }: Pick<InvoiceScene, "door">, token: string, also: object = {}): Promise<Pack> {
  const answer = await send(door, "POST", "/api/v1/credit-packs/", { token, body: { ...PACK, ...also } });
  if (answer.status !== 201) throw new Error(`pack: ${String(answer.status)} ${answer.text}`);
  return answer.json as Wire & Pack;
}

export interface Bought {
  checkout_url: string;
  session_id: string;
  status_url: string;
}

export async function buy(
  { door }: Pick<InvoiceScene, "door">,
  token: string,
  body: object,
  headers: Record<string, string> = {},
): Promise<Bought> {
  const answer = await send(door, "POST", "/account/purchase-credits/", { token, body, headers });
  if (answer.status !== 201) throw new Error(`purchase: ${String(answer.status)} ${answer.text}`);
  return answer.json as Wire & Bought;
}

/** Pays a session as Stripe's own page does. */
export async function pay({ sandbox }: InvoiceScene | PurchaseScene, sessionId: string, account = ""): Promise<void> {
  const form = new URLSearchParams({ payment_method: "pm_card_visa" }).toString();
  const headers: Record<string, string> = account === "" ? {} : { "stripe-account": account };
  const answer = await sandbox.call("POST", `/v1/payment_pages/${sessionId}/confirm`, form, headers);
  if (answer.status !== 200) throw new Error(`pay: ${String(answer.status)} ${answer.text}`);
}

/** A session that Billhook did not ask for, as a payment link or other code makes it. */
export async function sessionElsewhere(
  scene: PurchaseScene,
  price: string,
  also: Partial<Stripe.Checkout.SessionCreateParams> = {},
  account = "",
): Promise<string> {
  const stripe = account === "" ? scene.sandbox.stripe : scene.stripe;
  const { id } = await stripe.checkout.sessions.create({
    mode: "payment",
    line_items: [{ price, quantity: 1 }],
    success_url: "https://shop.example/done",
    ...also,
  });
  return id;
}

export const own = ({ door }: Pick<InvoiceScene, "door">, token: string, path = ""): Promise<Answer> =>
  send(door, "GET", `/account/${path}`, { token });

export async function balanceOf(scene: Pick<InvoiceScene, "door">, token: string): Promise<number> {
  return Number((await own(scene, token)).json.credit_balance);
}

/** An account of the connected tenant and a token for it. */
export async function customer(
  { door, tenant }: Pick<InvoiceScene, "door" | "tenant">,
  also: object = {},
  scopes?: readonly string[],
): Promise<{ id: string; token: string }> {
  const token = tenant.keys.test_secret;
  const { json } = await send(door, "POST", "/api/v1/accounts/", { token, body: also });
  const id = String(json.id);
  const body = scopes === undefined ? {} : { scopes };
  const session = await send(door, "POST", `/api/v1/accounts/${id}/session/`, { token, body });
  return { id, token: String(session.json.token) };
}

export async function unmatched({ door }: Pick<InvoiceScene, "door">, status = "open"): Promise<Wire[]> {
  return (await door.admin("GET", `unmatched-purchases/?limit=100&status=${status}`)).json.data as Wire[];
}

/** Of what Stripe names by its id, or has expanded. */
export function idOf(named: string | { id: string } | null): string {
  return typeof named === "string" ? named : (named?.id ?? "");
}
