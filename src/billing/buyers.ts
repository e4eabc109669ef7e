// Paid sessions that nobody here asked for: what they sold is asked of Stripe, and their credits go to who they surely are for.
import { type Account, findByCustomer, isAddressKnown } from "../accounts/account-table.ts";
import {
  claimUnmatched,
  dueUnmatched,
  lockClaimed,
  type OpenReason,
  putOffUnmatched,
  resolveUnmatched,
  type Resolution,
  type Sale,
  takeUnsettled,
  type UnmatchedPlace,
  type UnmatchedPurchase,
} from "../accounts/unmatched-purchase-table.ts";
import { backoff } from "../base/backoff.ts";
import { PublicError, publicError } from "../base/errors.ts";
import { isId, newId } from "../base/ids.ts";
import type { Log } from "../base/log.ts";
import { storableText } from "../base/text.ts";
import { connectedAccountOf } from "../connections/connection-table.ts";
import type { Credits } from "../credits/lots.ts";
import { packOfPrice } from "../credits/pack-table.ts";
import {
  findSessionPurchase,
  insertPurchase,
  lockBegunPurchase,
  type PurchaseRef,
  recordSession,
} from "../credits/purchase-table.ts";
import type { Database, Queryable } from "../db/database.ts";
import { queueCreditsAdded } from "../inbox/billing-mails.ts";
import { settleNow } from "../inbox/purchase-heads.ts";
import { isOneAddress } from "../mail/queue-mail.ts";
import type { StripeAccess } from "../stripe/access.ts";
import { StripeCallError } from "../stripe/call-failure.ts";
import { nobodysPassword, registerBuyer } from "../tenants/buyer-registration.ts";
import { findPerson } from "../tenants/people.ts";
import type { Found } from "../work/claim-loop.ts";
import { takeTokens } from "../work/token-bucket.ts";
import { openAccount } from "./open-account.ts";
import { type PackTerms, saleOf, type SessionLine } from "./session-sale.ts";
import { recordStatusId } from "./status-grants.ts";

export interface SettlingContext {
  /** The owner's: what Stripe says is written, whoever's it is. */
  database: Database;
  /** Where mailed links lead. */
  frontendUrl: string;
}

export interface BuyerContext extends SettlingContext {
  stripe: StripeAccess;
  log: Log;
  platformTenant: string;
  trialCredits: Credits;
  newLease: () => string;
  lineRates?: typeof LINE_RATES;
}

/** Of one account in one look. */
const AT_ONCE = 4;
/** Questions for line items a second: rate + burst is a tenth of what Stripe allows an account, 100 live and 25 in test mode. */
export const LINE_RATES = { live: { rate: 6, burst: 4 }, test: { rate: 1.5, burst: 1 } };
/** Seconds: longer than a call in the background takes. */
const LEASE_SECONDS = 60;
const BACKOFF = { first: 5_000, factor: 3, max: 3_600_000, jitter: 0.2 };
/** Stripe's longest page. A session with more lines is nobody's who buys credits. */
const MOST_LINES = 100;

/** Resolves what is due, a few at a time, and settles once more what was sold a while ago. */
export async function resolveDueBuyers(context: BuyerContext): Promise<Found> {
  const { database, stripe } = context;
  const modes = [true, false].filter((livemode) => stripe.has(livemode));
  const lease = context.newLease();
  let most = 0;
  for (const place of await dueUnmatched(database, modes)) {
    const due = await claimAllowed(context, place, lease);
    const results = await Promise.allSettled(due.map((one) => resolveOne(context, one, lease)));
    for (const result of results) if (result.status === "rejected") throw result.reason;
    most = Math.max(most, due.length);
  }
  const found = Math.max(most, await settleAgain(context));
  return found === 0 ? "none" : found < AT_ONCE ? "some" : "full";
}

/** As many as Stripe may be asked for now, of all nodes together. */
function claimAllowed(
  { database, lineRates = LINE_RATES }: BuyerContext,
  place: UnmatchedPlace,
  lease: string,
): Promise<UnmatchedPurchase[]> {
  const mode = place.livemode ? "live" : "test";
  const bucket = { key: `line items ${mode} ${place.stripeAccount}`, ...lineRates[mode], tokens: AT_ONCE };
  return database.transaction(async (tx) => {
    const limit = (await takeTokens(tx, [bucket])).get(bucket.key) ?? 0;
    return limit === 0 ? [] : claimUnmatched(tx, { ...place, limit }, { name: lease, seconds: LEASE_SECONDS });
  });
}

/** What the reducer wrote while a purchase was being written, and could not see, is settled now. */
async function settleAgain(context: BuyerContext): Promise<number> {
  return context.database.transaction(async (tx) => {
    const purchases = await takeUnsettled(tx, AT_ONCE);
    await settle(context, tx, purchases);
    return purchases.length;
  });
}

async function resolveOne(context: BuyerContext, claimed: UnmatchedPurchase, lease: string): Promise<void> {
  const { database } = context;
  const lines = await readLines(context, claimed).catch(async (error: unknown) => {
    if (!(error instanceof PublicError)) throw error;
    const seconds = Math.max(error.retryAfter ?? 0, backoff(claimed.attempts, BACKOFF) / 1000);
    await putOffUnmatched(database, claimed, { lease, seconds, error: error.code });
    return "put off" as const;
  });
  if (lines === "put off") return;
  const passwordHash = await passwordForNewcomer(context, claimed);
  const resolution = await database.transaction(async (tx) => {
    const held = await lockClaimed(tx, claimed.id, lease);
    if (held === undefined) return undefined;
    const found = await resolve(context, tx, held, lines, passwordHash);
    await resolveUnmatched(tx, held.id, found);
    return found;
  });
  context.log.unit("unmatched_purchase.resolved", {
    object: "checkout.session",
    object_id: claimed.sessionId,
    tenant: claimed.tenantId,
    livemode: claimed.livemode,
    attempt: claimed.attempts,
    outcome: resolution?.status ?? "lost",
    reason: resolution?.reason,
  });
}

/** Undefined: Stripe knows no such session. Throws a PublicError when it cannot be asked now. */
async function readLines(
  { database, stripe }: BuyerContext,
  { tenantId, livemode, stripeAccount: account, sessionId }: UnmatchedPurchase,
): Promise<SessionLine[] | undefined> {
  // A right ends with its connection: the account may be another tenant's by now.
  const isTheirs = account === "" || (await connectedAccountOf(database, { tenantId, livemode })) === account;
  if (!isTheirs) throw publicError("stripe_not_connected");
  try {
    const { value } = await stripe.call({ livemode, account, patience: "background" }, (client, options) =>
      client.checkout.sessions.listLineItems(sessionId, { limit: MOST_LINES }, options),
    );
    const lines = value.data.map(({ price, description, quantity, amount_subtotal: amount }) => {
      const said = description === null ? null : storableText(description);
      return { priceId: price?.id ?? null, description: said, quantity: quantity ?? 0, amount };
    });
    return value.has_more ? [...lines, { priceId: null, description: "more lines", quantity: 1, amount: 0 }] : lines;
  } catch (error) {
    if (error instanceof StripeCallError && error.stripeStatus === 404) return undefined;
    throw error;
  }
}

/** Only where it may be needed: it costs 40 ms of work. */
async function passwordForNewcomer(
  { database, platformTenant }: BuyerContext,
  { tenantId, email }: UnmatchedPurchase,
): Promise<string | undefined> {
  if (tenantId !== platformTenant || email === null || !isOneAddress(email)) return undefined;
  return (await findPerson(database, email)) === undefined ? nobodysPassword() : undefined;
}

async function resolve(
  context: BuyerContext,
  tx: Queryable,
  unmatched: UnmatchedPurchase,
  lines: readonly SessionLine[] | undefined,
  passwordHash: string | undefined,
): Promise<Resolution> {
  // It may have been one of ours whose id was not recorded yet.
  const known = await findSessionPurchase(tx, unmatched);
  if (known !== undefined) return { status: "matched", purchase: known };
  if (lines === undefined) return { status: "open", reason: "session_missing" };
  const session = await readSession(tx, unmatched);
  const found = saleOf(lines, await packsOf(tx, unmatched, lines), { ...unmatched, createdAt: session.createdAt });
  if (found === undefined) return { status: "foreign" };
  const { sale, doubt } = found;
  const begun = await begunPurchase(tx, unmatched, session.reference, sale);
  if (begun !== undefined) {
    await recordSession(tx, begun, unmatched.sessionId);
    await settle(context, tx, [begun]);
    return { status: "matched", sale, purchase: begun };
  }
  const buyer = await buyerOf(context, tx, unmatched, session, doubt === undefined ? passwordHash : undefined);
  if (doubt !== undefined) return { status: "open", sale, reason: doubt };
  if (typeof buyer === "string") return { status: "open", sale, reason: buyer };
  return { status: "matched", sale, purchase: await sell(context, tx, unmatched, sale, buyer.id) };
}

/** What the session itself says, as our copy of it has it. */
interface SessionSaid {
  createdAt: Date | null;
  /** Whoever made the session may write any reference into it: it counts for a purchase that we wrote, and for nothing else. */
  reference: string | null;
  customerId: string | null;
}

async function readSession(tx: Queryable, unmatched: UnmatchedPurchase): Promise<SessionSaid> {
  const { tenantId, livemode, stripeAccount, sessionId } = unmatched;
  const values = [livemode, stripeAccount, sessionId, tenantId];
  const { rows } = await tx.query<SessionSaid>({ text: SESSION, values });
  return rows[0] ?? { createdAt: null, reference: null, customerId: null };
}

async function packsOf(
  tx: Queryable,
  { tenantId, livemode, stripeAccount }: UnmatchedPurchase,
  lines: readonly SessionLine[],
): Promise<Map<string, PackTerms>> {
  const packs = new Map<string, PackTerms>();
  for (const priceId of new Set(lines.map((line) => line.priceId))) {
    if (priceId === null) continue;
    const pack = await packOfPrice(tx, { tenantId, livemode, stripeAccount, priceId });
    if (pack !== undefined) packs.set(priceId, pack);
  }
  return packs;
}

/** A purchase that we wrote before the session was made, and that its reference names: the same pack, as often. */
async function begunPurchase(
  tx: Queryable,
  { tenantId, livemode, stripeAccount }: UnmatchedPurchase,
  reference: string | null,
  sale: Sale,
): Promise<{ tenantId: string; livemode: boolean; id: string; accountId: string } | undefined> {
  if (reference === null || !isId(reference, "pur")) return undefined;
  const begun = await lockBegunPurchase(tx, { tenantId, livemode, id: reference });
  if (begun?.stripeAccount !== stripeAccount || begun.sessionId !== null) return undefined;
  const same = begun.priceId !== null && begun.priceId === sale.priceId && begun.quantity === sale.quantity;
  return same ? begun : undefined;
}

/**
 * Whose credits they are: the account that has the session's customer, which we made for it, in this tenant and mode alone.
 * A stranger who buys from the platform becomes a person with an account. Nobody is ever found by an address, a reference
 * or metadata: then the answer is why a person must decide.
 */
async function buyerOf(
  context: BuyerContext,
  tx: Queryable,
  unmatched: UnmatchedPurchase,
  session: SessionSaid,
  passwordHash: string | undefined,
): Promise<Account | OpenReason> {
  const { tenantId, email, stripeAccount } = unmatched;
  const { customerId } = session;
  const known = customerId === null ? undefined : await findByCustomer(tx, unmatched, { stripeAccount, customerId });
  if (known !== undefined) return known;
  if (email === null || !isOneAddress(email)) return "no_email";
  if (tenantId !== context.platformTenant) return "no_buyer";
  return newcomer(context, tx, { ...unmatched, email }, passwordHash);
}

async function newcomer(
  { platformTenant, frontendUrl, trialCredits }: BuyerContext,
  tx: Queryable,
  { livemode, email, name, sessionId }: UnmatchedPurchase & { email: string },
  passwordHash: string | undefined,
): Promise<Account | OpenReason> {
  const mode = { tenantId: platformTenant, livemode };
  const profile = { externalId: null, email, name, metadata: {}, lowThreshold: null };
  const known = await findPerson(tx, email);
  if (known !== undefined) {
    // So that there is an account that it can be assigned to.
    await openAccount(tx, mode, { ...profile, name: known.name, email: known.email, personId: known.id }, trialCredits);
    return "email_known";
  }
  if (await isAddressKnown(tx, mode, email)) return "email_known";
  if (passwordHash === undefined) return "no_buyer";
  const person = await registerBuyer(tx, { frontendUrl }, { email, name, passwordHash, cause: sessionId });
  if (person === undefined) return "email_known";
  return openAccount(tx, mode, { ...profile, personId: person.id }, trialCredits);
}

/** Writes the purchase with its session, and settles it from what is known. The unique session makes it the only one. */
export async function sell(
  context: SettlingContext,
  tx: Queryable,
  { tenantId, livemode, stripeAccount, sessionId }: UnmatchedPurchase,
  { packId, quantity, credits, amount, currency, priceId }: Omit<Sale, "lines">,
  accountId: string,
): Promise<{ id: string; accountId: string }> {
  const ref = { tenantId, livemode, id: newId("pur") };
  const terms = { packId, quantity, credits, amount, currency, priceId };
  await insertPurchase(tx, { ...ref, ...terms, accountId, stripeAccount });
  await recordSession(tx, ref, sessionId);
  await recordStatusId(tx, { tenantId, livemode, stripeAccount, accountId, objectId: sessionId });
  await settle(context, tx, [ref]);
  return { id: ref.id, accountId };
}

async function settle(context: SettlingContext, tx: Queryable, purchases: readonly PurchaseRef[]): Promise<void> {
  const { bought } = await settleNow(tx, purchases, context.database.kind);
  await queueCreditsAdded(tx, context, bought);
}

const SESSION = `
  select stripe_created as "createdAt", client_reference_id as reference, customer_id as "customerId"
  from checkout_sessions where livemode = $1 and stripe_account = $2 and id = $3 and tenant_id = $4`;
