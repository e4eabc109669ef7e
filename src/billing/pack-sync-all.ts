// What the operator asks for: packs or plans of one tenant or of all, from a file, to Stripe or from it, in earnest or only said.
import { newId } from "../base/ids.ts";
import {
  changedFields,
  fieldsOf,
  type Offer,
  type OfferFields,
  type OfferKind,
  type OfferRef,
  termsText,
} from "../credits/offer.ts";
import { markChanged } from "../credits/offer-table.ts";
import type { Queryable } from "../db/database.ts";
import { PublicError, publicError } from "../base/errors.ts";
import { readRemote } from "./pack-sync-calls.ts";
import { importOffers, type ImportTarget, type SyncAction } from "./pack-sync-import.ts";
import { wantedOf } from "./pack-sync-one.ts";
import { accountFor, findOffer, OFFER_ROWS, PREFIX } from "./pack-sync-rows.ts";
import { nextStep, type Remote, simulate, stepText, type Wanted } from "./pack-sync-steps.ts";
import { syncNow } from "./pack-sync.ts";
import { checkFields } from "./plans-and-packs.ts";
import type { ResumableContext } from "./resumable.ts";

export interface SyncRequest {
  kind: OfferKind;
  livemode: boolean;
  /** One, or "all": the platform and every tenant that is connected. */
  tenant: string;
  /** Stripe is right, not our rows. */
  fromStripe: boolean;
  /** Nothing is changed, here or there. */
  dryRun: boolean;
  /** What a file says, each with a key; undefined: the rows as they are. What it leaves out stays as it is. */
  items?: readonly OfferFields[] | undefined;
}

export interface SyncFailureLine {
  tenantId: string;
  id: string | null;
  name: string;
  code: string;
  message: string;
}

export interface SyncReport {
  actions: SyncAction[];
  failures: SyncFailureLine[];
}

/** Throws a PublicError for what cannot be asked for; what fails at Stripe is in the report, and the rest goes on. */
export async function syncOffers(syncing: ResumableContext, request: SyncRequest): Promise<SyncReport> {
  if (!syncing.stripe.has(request.livemode)) throw publicError("stripe_not_configured");
  checkItems(request);
  const report: SyncReport = { actions: [], failures: [] };
  for (const target of await targetsOf(syncing, request)) {
    try {
      await syncTarget(syncing, target, request, report);
    } catch (error) {
      if (!(error instanceof PublicError) || request.tenant !== "all") throw error;
      const { code, message } = error;
      report.failures.push({ tenantId: target.tenantId, id: null, name: "its Stripe account", code, message });
    }
  }
  return report;
}

function checkItems({ kind, items = [], fromStripe }: SyncRequest): void {
  if (fromStripe && items.length > 0) {
    const message = "Either a file or Stripe says what is right: leave one of the two out.";
    throw publicError("invalid_request", { message, param: "from_stripe" });
  }
  const seen = new Set<string>();
  for (const [index, item] of items.entries()) {
    const at = `items.${String(index)}`;
    const key = item.key ?? "";
    if (seen.has(key)) {
      throw publicError("invalid_request", {
        param: `${at}.key`,
        message: `The key ${key} is there twice: remove one.`,
      });
    }
    seen.add(key);
    try {
      checkFields(kind, item);
    } catch (error) {
      if (!(error instanceof PublicError)) throw error;
      throw publicError("invalid_request", {
        param: `${at}.${error.param ?? ""}`,
        message: error.message,
        cause: error,
      });
    }
  }
}

async function targetsOf(
  { database, platformTenant }: ResumableContext,
  { tenant, livemode, items }: SyncRequest,
): Promise<ImportTarget[]> {
  if (tenant === "all" && items !== undefined) {
    throw publicError("invalid_request", { param: "tenant", message: "A file is for one tenant: name it." });
  }
  return database.transaction(async (tx) => {
    const { rows } = await tx.query<{ tenantId: string }>(
      tenant === "all" ? { text: CONNECTED, values: [livemode] } : { text: NAMED, values: [tenant] },
    );
    if (rows.length === 0) throw publicError("not_found", { param: "tenant", message: "There is no such tenant." });
    const targets: ImportTarget[] = [];
    for (const { tenantId } of rows) {
      const account = await accountFor(tx, { tenantId, livemode }, platformTenant);
      targets.push({ tenantId, livemode, account });
    }
    return targets;
  });
}

async function syncTarget(
  syncing: ResumableContext,
  target: ImportTarget,
  request: SyncRequest,
  report: SyncReport,
): Promise<void> {
  const { kind, dryRun, items } = request;
  if (request.fromStripe) {
    const { actions, touched } = await importOffers(syncing, target, kind, { dryRun });
    report.actions.push(...actions);
    // What is written there is who they are here.
    for (const ref of touched) await toStripe(syncing, target, await readOffer(syncing, ref), request, report);
    return;
  }
  const offers =
    items === undefined
      ? await syncing.database.transaction((tx) => OFFER_ROWS[kind].read(tx, target))
      : await syncing.database.transaction((tx) => applyItems(tx, target, kind, { items, dryRun }, report));
  for (const offer of offers.toReversed()) await toStripe(syncing, target, offer, request, report);
}

async function readOffer({ database }: ResumableContext, ref: OfferRef): Promise<Offer> {
  const offer = await database.transaction((tx) => findOffer(tx, ref));
  if (offer === undefined) throw new Error(`${ref.id} is gone`);
  return offer;
}

/** The rows as the file has them; of a dry run only as they would be. */
async function applyItems(
  tx: Queryable,
  { tenantId, livemode }: ImportTarget,
  kind: OfferKind,
  { items, dryRun }: { items: readonly OfferFields[]; dryRun: boolean },
  report: SyncReport,
): Promise<Offer[]> {
  const rows = OFFER_ROWS[kind];
  const keys = items.flatMap(({ key }) => key ?? []);
  const known = new Map(
    (await rows.read(tx, { tenantId, livemode, keys }, { lock: true })).map((one) => [one.key, one]),
  );
  const offers: Offer[] = [];
  for (const item of items) {
    const before = known.get(item.key);
    const changed = before === undefined ? [] : changedFields(fieldsOf(before), item);
    const ref = { tenantId, livemode, id: before?.id ?? newId(PREFIX[kind]) };
    const after: Offer = { ...(before ?? blank(kind, ref)), ...item };
    offers.unshift(after);
    if (before !== undefined && changed.length === 0) continue;
    const action =
      before === undefined
        ? `make the ${kind.replace("_", " ")}: ${termsText(item)}`
        : `change ${changed.join(", ")}: ${termsText(item)}`;
    const id = dryRun && before === undefined ? null : ref.id;
    report.actions.push({ tenantId, livemode, kind, id, key: item.key, name: item.name, at: "billhook", action });
    if (dryRun) continue;
    if (before !== undefined) await rows.update(tx, ref, item);
    else if (!(await rows.insert(tx, { ...ref, ...item, operationId: null }))) {
      throw publicError("key_taken", { message: `Somebody else makes ${item.key ?? ""} just now: run it again.` });
    }
    await markChanged(tx, ref);
  }
  return offers;
}

/** One that is not stored yet. */
function blank(kind: OfferKind, ref: OfferRef): Offer {
  const never = new Date(0);
  return {
    ...{ ...ref, kind, key: null, name: "", active: true, amount: 0, currency: "", credits: null, interval: null },
    ...{ intervalCount: null, features: [], planGroup: null, trialDays: null, stripeAccount: null, productId: null },
    ...{ priceId: null, productOwned: true, revision: 1, syncedRevision: 0, attempts: 0, errorCode: null },
    ...{ errorMessage: null, createdAt: never, updatedAt: never },
  };
}

async function toStripe(
  syncing: ResumableContext,
  target: ImportTarget,
  offer: Offer,
  { dryRun }: SyncRequest,
  report: SyncReport,
): Promise<void> {
  const { tenantId, livemode, kind, key, name, id } = offer;
  const say = (action: string): void => {
    const isNew = dryRun && offer.createdAt.getTime() === 0;
    report.actions.push({ tenantId, livemode, kind, id: isNew ? null : id, key, name, at: "stripe", action });
  };
  if (dryRun) {
    (await simulated(syncing, target, offer)).forEach(say);
    return;
  }
  const { outcome, done, failure } = await syncNow(syncing, offer, { patience: "background", pendingOnly: false });
  done.forEach(say);
  if (outcome === "equal") return;
  const { code, message } = failure ?? {
    code: "stripe_conflict",
    message: "Somebody else brings it to Stripe just now.",
  };
  report.failures.push({ tenantId, id, name, code, message });
}

/** What a sync would ask Stripe to do. */
async function simulated(
  { database, stripe }: ResumableContext,
  target: ImportTarget,
  offer: Offer,
): Promise<string[]> {
  const place = { livemode: target.livemode, account: target.account, patience: "background" } as const;
  let wanted: Wanted = await database.transaction((tx) => wantedOf(tx, offer, target.account));
  let remote: Remote = await readRemote(stripe, place, wanted.productId ?? offer.id);
  const texts: string[] = [];
  for (let step = nextStep(wanted, remote); step !== undefined; step = nextStep(wanted, remote)) {
    const text = stepText(offer, step);
    if (text !== undefined) texts.push(text);
    ({ wanted, remote } = simulate(wanted, remote, step));
  }
  return texts;
}

const NAMED = `select id as "tenantId" from tenants where id = $1`;
const CONNECTED = `
  select tenant.id as "tenantId" from tenants as tenant
  where tenant.platform or exists (
    select from connections as connection
    where connection.tenant_id = tenant.id and connection.livemode = $1 and connection.disconnected_at is null)
  order by tenant.platform desc, tenant.id`;
