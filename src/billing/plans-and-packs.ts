// Packs and plans as a tenant asks for them: made, changed and deactivated, and brought to Stripe at once.
import { audit } from "../audit/audit-log.ts";
import { type PublicError, publicError } from "../base/errors.ts";
import { newId } from "../base/ids.ts";
import {
  changedFields,
  fieldsOf,
  LONGEST_INTERVAL,
  type Offer,
  type OfferFields,
  type OfferKind,
  type OfferRef,
} from "../credits/offer.ts";
import { forgetSync, markChanged } from "../credits/offer-table.ts";
import type { Queryable } from "../db/database.ts";
import type { TenantScope } from "../db/tenant-scope.ts";
import type { Act } from "../tenants/people-context.ts";
import { checkPrice } from "./charge-limits.ts";
import { syncNow } from "./pack-sync.ts";
import { accountFor, findOffer, OFFER_ROWS, PREFIX } from "./pack-sync-rows.ts";
import type { ResumableContext } from "./resumable.ts";

export interface OfferCreation {
  kind: OfferKind;
  livemode: boolean;
  fields: OfferFields;
  /** The same for each run of one request; null: the request is not repeated. */
  operationId: string | null;
  act: Act;
}

/**
 * Makes a pack or a plan, here and at Stripe. Where Stripe does not answer it is kept, and brought there as soon as it does:
 * `isSyncPending`. Run again for the same operation it goes on with what that made.
 *
 * @throws PublicError when it cannot be asked for, or Stripe refuses it: then nothing is kept
 */
export async function createOffer(
  syncing: ResumableContext,
  scope: TenantScope,
  wanted: OfferCreation,
): Promise<Offer> {
  const { kind, livemode, fields, operationId } = wanted;
  if (!syncing.stripe.has(livemode)) throw publicError("stripe_not_configured");
  checkFields(kind, fields);
  const ref = await scope.transaction((tx) => begin(tx, syncing, scope.tenantId, wanted));
  const { outcome, failure } = await syncNow(syncing, ref, { patience: "request" });
  if (outcome === "refused" && failure !== undefined) {
    await syncing.database.transaction(async (tx) => {
      const offer = await findOffer(tx, ref, { lock: true });
      // Somebody may have mended it meanwhile.
      if (offer?.priceId !== null || offer.errorCode === null) return;
      await OFFER_ROWS[kind].remove(tx, ref);
      await forgetSync(tx, ref);
      await auditRefusal(tx, offer, wanted.act, failure);
    });
    throw failure;
  }
  const made = await scope.transaction((tx) => findOffer(tx, ref));
  if (made === undefined) throw new Error(`the ${kind} of the operation ${operationId ?? "without a key"} is gone`);
  return made;
}

async function begin(
  tx: Queryable,
  { platformTenant }: Pick<ResumableContext, "platformTenant">,
  tenantId: string,
  { kind, livemode, fields, operationId, act }: OfferCreation,
): Promise<OfferRef> {
  const rows = OFFER_ROWS[kind];
  const madeBefore = async (): Promise<Offer | undefined> =>
    operationId === null ? undefined : (await rows.read(tx, { tenantId, livemode, operationId }))[0];
  const before = await madeBefore();
  if (before !== undefined) return before;
  await accountFor(tx, { tenantId, livemode }, platformTenant);
  const ref = { tenantId, livemode, id: newId(PREFIX[kind]) };
  if (!(await rows.insert(tx, { ...ref, ...fields, operationId }))) {
    const raced = await madeBefore();
    if (raced === undefined) throw publicError("key_taken", { param: "key" });
    return raced;
  }
  await markChanged(tx, ref);
  await audit(tx, { tenantId, ...act, action: `${kind}.created`, target: ref.id, after: { livemode, ...fields } });
  return ref;
}

export interface OfferChange {
  ref: OfferRef;
  changes: Partial<OfferFields>;
  act: Act;
}

/**
 * Changes a pack or a plan, here and at Stripe: another amount is another price there, and the old one is archived. What
 * Stripe refuses is taken back. Throws as `createOffer`, and `not_found`.
 */
export async function changeOffer(
  syncing: ResumableContext,
  scope: TenantScope,
  { ref, changes, act }: OfferChange,
): Promise<Offer> {
  if (!syncing.stripe.has(ref.livemode)) throw publicError("stripe_not_configured");
  const [before, changed] = await scope
    .transaction((tx) => change(tx, syncing, { ref, changes, act }))
    .catch((error: unknown) => {
      if (isKeyTaken(error)) throw publicError("key_taken", { param: "key", cause: error });
      throw error;
    });
  const { outcome, failure } = await syncNow(syncing, ref, { patience: "request" });
  if (outcome === "refused" && failure !== undefined) {
    await syncing.database.transaction(async (tx) => {
      const offer = await findOffer(tx, ref, { lock: true });
      // A later change stands for itself.
      if (offer?.revision !== changed.revision) return;
      await OFFER_ROWS[offer.kind].update(tx, ref, fieldsOf(before));
      await markChanged(tx, ref);
      await auditRefusal(tx, offer, act, failure);
    });
    throw failure;
  }
  return (await scope.transaction((tx) => findOffer(tx, ref))) ?? changed;
}

async function change(
  tx: Queryable,
  { platformTenant }: Pick<ResumableContext, "platformTenant">,
  { ref, changes, act }: OfferChange,
): Promise<[before: Offer, after: Offer]> {
  const before = await findOffer(tx, ref, { lock: true });
  if (before === undefined) throw publicError("not_found");
  const fields = { ...fieldsOf(before), ...changes };
  checkFields(before.kind, fields);
  await accountFor(tx, ref, platformTenant);
  const names = changedFields(fieldsOf(before), fields);
  if (names.length === 0) return [before, before];
  await OFFER_ROWS[before.kind].update(tx, ref, fields);
  await markChanged(tx, ref);
  await audit(tx, {
    ...{ tenantId: ref.tenantId, ...act, action: `${before.kind}.updated`, target: ref.id },
    before: Object.fromEntries(names.map((name) => [name, before[name]])),
    after: Object.fromEntries(names.map((name) => [name, fields[name]])),
  });
  const after = await findOffer(tx, ref);
  if (after === undefined) throw new Error(`${ref.id} is gone, under its lock`);
  return [before, after];
}

async function auditRefusal(tx: Queryable, offer: Offer, act: Act, { code, message }: PublicError): Promise<void> {
  const { tenantId, id, kind } = offer;
  await audit(tx, { tenantId, ...act, action: `${kind}.refused`, target: id, after: { code, message } });
}

/** Throws `invalid_request` for what Stripe would refuse. */
export function checkFields(
  kind: OfferKind,
  {
    amount,
    currency,
    interval,
    intervalCount,
  }: Pick<OfferFields, "amount" | "currency" | "interval" | "intervalCount">,
): void {
  checkPrice(amount, currency, { free: kind === "plan" });
  if (interval === null || (intervalCount ?? 1) <= LONGEST_INTERVAL[interval]) return;
  throw publicError("invalid_request", {
    message: `Stripe bills every three years at the longest: at most ${String(LONGEST_INTERVAL[interval])} with ${interval}.`,
    param: "interval_count",
  });
}

function isKeyTaken(error: unknown): boolean {
  if (!(error instanceof Error) || !("constraint" in error)) return false;
  return error.constraint === "credit_packs_key" || error.constraint === "plans_key";
}
