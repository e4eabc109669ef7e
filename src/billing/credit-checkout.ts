// Buying credits: the purchase is written first, then Stripe is asked for the session that its buyer pays on.
import { publicError } from "../base/errors.ts";
import type { Clock } from "../base/clock.ts";
import { newId } from "../base/ids.ts";
import type { KeyRing } from "../base/key-ring.ts";
import { activePackOfPrice, type SoldPack } from "../credits/pack-table.ts";
import {
  type BegunPurchase,
  cancelPurchase,
  findBegunPurchase,
  insertPurchase,
  recordSession,
} from "../credits/purchase-table.ts";
import { MAX_AMOUNT } from "../credits/credit-requests.ts";
import type { Queryable } from "../db/database.ts";
import type { TenantScope } from "../db/tenant-scope.ts";
import { queueCreditsAdded } from "../inbox/billing-mails.ts";
import { observe } from "../inbox/observe.ts";
import { PURCHASE_FIELD, settleNow } from "../inbox/purchase-heads.ts";
import type { StripeAnswer } from "../stripe/access.ts";
import { StripeCallError } from "../stripe/call-failure.ts";
import type { StripeClient } from "../stripe/client.ts";
import type { StripeObject } from "../stripe/envelope.ts";
import { mostOf } from "./charge-limits.ts";
import { feeAmountOf, feePercentOf, sellingAccountOf } from "./selling-account.ts";
import { recordStatusId } from "./status-grants.ts";
import { statusUrl } from "./status-url.ts";
import { askForCustomer, type CustomerContext } from "./stripe-customer.ts";

export interface CheckoutContext extends CustomerContext {
  people: { ring: KeyRing; frontendUrl: string };
  publicUrl: string;
  clock: Pick<Clock, "now">;
  platformFeePercent: number;
}

export interface WantedCredits {
  livemode: boolean;
  accountId: string;
  priceId: string;
  quantity: number;
  /** The same for each run of one request; undefined: the request is not repeated. */
  requestKey: string | undefined;
}

export interface StartedCheckout {
  /** Stripe's page; null when the session has ended by now. */
  checkoutUrl: string | null;
  sessionId: string;
  statusUrl: string;
}

/** Stripe's parameters by our own fields' paths. */
const FIELDS = { "line_items[0][price]": "price_id", "line_items[0][quantity]": "quantity" };

/**
 * Begins to sell an active pack to an account. Run again for the same request it goes on with what it wrote, under the same
 * key at Stripe.
 *
 * @throws PublicError `not_found` for a price that is no active pack of the tenant and mode, `stripe_not_connected`
 */
export async function startCreditCheckout(
  context: CheckoutContext,
  scope: TenantScope,
  wanted: WantedCredits,
): Promise<StartedCheckout> {
  if (!context.stripe.has(wanted.livemode)) throw publicError("stripe_not_configured");
  const purchase = await scope.transaction((tx) => begin(context, tx, scope.tenantId, wanted));
  const answer = await askForCustomer(context, scope, purchase, (customer) =>
    createSession(context, purchase, customer),
  ).catch(async (error: unknown) => {
    // Stripe has nothing of it, and will have nothing.
    if (error instanceof StripeCallError && !error.transient) await cancelPurchase(context.database, purchase);
    throw error;
  });
  return recordCheckout(context, purchase, answer);
}

async function begin(
  context: CheckoutContext,
  tx: Queryable,
  tenantId: string,
  { livemode, accountId, priceId, quantity, requestKey }: WantedCredits,
): Promise<BegunPurchase> {
  const begun =
    requestKey === undefined ? undefined : await findBegunPurchase(tx, { tenantId, livemode, operationId: requestKey });
  const stripeAccount = await sellingAccountOf(tx, { tenantId, livemode }, context.platformTenant);
  if (begun !== undefined) {
    // The account that it was begun on may be another tenant's by now.
    if (begun.stripeAccount !== stripeAccount) throw publicError("stripe_not_connected");
    return begun;
  }
  const pack = await activePackOfPrice(tx, { tenantId, livemode, priceId });
  if (pack?.stripeAccount !== stripeAccount) {
    const message = "No credit pack is sold at this price now: take a price_id from GET /account/credit-packs/.";
    throw publicError("not_found", { message, param: "price_id" });
  }
  const { credits, amount } = totalsOf(pack, quantity);
  const fee = feeAmountOf(amount, await feePercentOf(tx, tenantId, context));
  const purchase = {
    ...{ tenantId, livemode, id: newId("pur"), accountId, packId: pack.id, quantity, credits, amount },
    ...{ currency: pack.currency, stripeAccount, priceId, applicationFeeAmount: fee },
  };
  await insertPurchase(tx, { ...purchase, operationId: requestKey ?? null });
  return { ...purchase, sessionId: null };
}

/** Throws `invalid_request` for more than can be paid at once. */
export function totalsOf(pack: SoldPack, quantity: number): { credits: number; amount: number } {
  const [credits, amount] = [pack.credits * quantity, pack.amount * quantity];
  if (amount <= mostOf(pack.currency) && credits <= MAX_AMOUNT) return { credits, amount };
  throw publicError("invalid_request", {
    param: "quantity",
    message: "So many packs cost more than can be paid at once: buy fewer.",
  });
}

type CheckoutSession = Awaited<ReturnType<StripeClient["checkout"]["sessions"]["create"]>>;

function createSession(
  { stripe, people }: CheckoutContext,
  purchase: BegunPurchase,
  customer: string,
): Promise<StripeAnswer<CheckoutSession>> {
  const { tenantId, livemode, id, accountId, packId, quantity, stripeAccount, priceId } = purchase;
  const fee = purchase.applicationFeeAmount ?? 0;
  const metadata = {
    [PURCHASE_FIELD]: id,
    billhook_account: accountId,
    billhook_tenant: tenantId,
    ...(packId === null ? {} : { billhook_pack: packId }),
  };
  const parameters = {
    mode: "payment" as const,
    customer,
    client_reference_id: id,
    line_items: [{ price: priceId ?? "", quantity }],
    metadata,
    payment_intent_data: { metadata, ...(fee === 0 ? {} : { application_fee_amount: fee }) },
    success_url: `${people.frontendUrl}/dashboard/credits/return?session_id={CHECKOUT_SESSION_ID}`,
    cancel_url: `${people.frontendUrl}/dashboard/credits`,
  };
  // Another customer takes the place of one that is gone: that is another call.
  const idempotencyKey = `${id}:session:${customer}`;
  const target = { livemode, account: stripeAccount, idempotencyKey, fields: FIELDS };
  return stripe.call(target, (client, options) => client.checkout.sessions.create(parameters, options));
}

/** In one commit with the answer. An event of the session may have been here before: its purchase is settled with it. */
async function recordCheckout(
  context: CheckoutContext,
  purchase: BegunPurchase,
  { value: session, asOf, apiVersion, replayedAt }: StripeAnswer<CheckoutSession>,
): Promise<StartedCheckout> {
  const { database, platformTenant, people, wake } = context;
  const { tenantId, livemode, stripeAccount, accountId } = purchase;
  const object = session as unknown as StripeObject;
  const grant = { tenantId, livemode, stripeAccount, objectId: session.id };
  await database.transaction(async (tx) => {
    const observed = { livemode, account: stripeAccount, object, asOf, apiVersion, replayedAt };
    await observe(tx, [observed], platformTenant);
    await recordSession(tx, purchase, session.id);
    await recordStatusId(tx, { ...grant, accountId });
    const { bought } = await settleNow(tx, [purchase], database.kind);
    await queueCreditsAdded(tx, people, bought);
  });
  wake();
  return { checkoutUrl: session.url, sessionId: session.id, statusUrl: statusUrl(context, grant) };
}
