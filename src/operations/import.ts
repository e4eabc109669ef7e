// Importing: every object that Stripe lists enters the inbox, in parallel by the time of its making, and goes on after a kill.
import { setTimeout as sleep } from "node:timers/promises";

import { publicError } from "../base/errors.ts";
import type { LogFields } from "../base/log.ts";
import { type FetchedObject, observe } from "../inbox/observe.ts";
import type { UnixSeconds } from "../projections/observation.ts";
import { IMPORTED } from "../projections/registry.ts";
import { StripeCallError } from "../stripe/call-failure.ts";
import { type CatchUpContext, catchUpNow, modesOf, nothingChosen } from "./catch-up.ts";
import { type CatchUpFilter, catchUpStanding, clearMissed, ensureCatchUps } from "./catch-up-table.ts";
import { cuts, importKind, kindsOf, pagesIn } from "./import-kinds.ts";
import {
  advanceImports,
  claimRange,
  type ClaimedRange,
  type ImportKey,
  ImportLost,
  type ImportPlan,
  importStanding,
  noteImported,
  planImport,
  releaseRange,
} from "./import-table.ts";
import { listPage, type ListScope, PAGE_SIZE, type StripePage } from "./stripe-lists.ts";

export interface ImportContext extends CatchUpContext {
  /** Instead of SPLIT_PAGES. */
  splitPages?: number | undefined;
}

export interface ImportWish extends CatchUpFilter {
  /** Stripe's `object` fields; all that can be imported when left out. */
  types?: readonly string[] | undefined;
  /** Only objects made since then. Default: all. */
  since?: UnixSeconds | undefined;
}

export interface ImportOptions {
  /** `total` is an estimate, and grows true towards the end. */
  onProgress?: (progress: { done: number; total: number }) => void;
  signal?: AbortSignal | undefined;
}

/** What one kind of an account came to. `objects`: those of this run, what it read before a stop included. */
export interface Imported extends ImportKey {
  how: ImportPlan["how"];
  objects: number;
  pages: number;
  finished: boolean;
  error: string | null;
}

/** Longer than a page may take, and the payment methods of its customers. */
const LEASE_SECONDS = 120;
const AT_ONCE = 6;
const LOOK_AGAIN_MS = 250;
/** Stripe's first public day: nothing is older. */
const FIRST_SECOND: UnixSeconds = Date.UTC(2011, 8, 1) / 1000;
const GONE = "resource_missing";

type Planned = ImportKey & { plan: ImportPlan };

/**
 * Imports what is wished from every account that it chooses, and waits for the end. What was imported in the last 29 days
 * is not read again: a catch-up brings what has changed. Throws `not_found` and `stripe_not_configured`.
 */
export async function importNow(
  context: ImportContext,
  wish: ImportWish,
  options: ImportOptions = {},
): Promise<Imported[]> {
  const { database } = context;
  const modes = modesOf(context);
  if (modes.length === 0) throw publicError("stripe_not_configured");
  await ensureCatchUps(database, modes);
  const scopes: ListScope[] = await catchUpStanding(database, modes, wish);
  if (scopes.length === 0) throw nothingChosen(modes, wish);
  const planned: Planned[] = [];
  for (const { livemode, account } of scopes)
    for (const { name } of kindsOf(wish.types, account)) {
      const key = { livemode, account, kind: name };
      planned.push({ ...key, plan: await database.transaction((tx) => planImport(tx, key, wish.since ?? 0)) });
    }
  const tally: Tally = { done: 0, left: new Map(), floors: new Map() };
  const work = async (): Promise<void> => {
    while (options.signal?.aborted !== true && (await importNext(context, tally, modes, wish.account, options)));
  };
  for (;;) {
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    const now = await resultsOf(context, planned);
    const waits = now.some(({ finished, error }) => !finished && error === null);
    if (!waits || options.signal?.aborted === true) break;
    // Another node has the last ranges.
    await sleep(LOOK_AGAIN_MS);
  }
  if (options.signal?.aborted !== true) await followEvents(context, planned, options.signal);
  await fillHoles(context, scopes);
  return resultsOf(context, planned);
}

/** What the workers of one run know together. */
interface Tally {
  done: number;
  /** Pages that each range has left, estimated. */
  left: Map<string, number>;
  /** When each account was made. */
  floors: Map<string, Promise<UnixSeconds>>;
}

/** Reads one range to its end; false: there is none. */
async function importNext(
  context: ImportContext,
  tally: Tally,
  modes: readonly boolean[],
  account: string | undefined,
  options: ImportOptions,
): Promise<boolean> {
  const { database, log } = context;
  const range = await claimRange(database, modes, account, context.newLease(), LEASE_SECONDS);
  if (range === undefined) return false;
  try {
    await readRange(context, tally, range, options);
  } catch (error) {
    if (error instanceof ImportLost) return true;
    const failure = error instanceof StripeCallError ? error : undefined;
    await releaseRange(database, range, failure === undefined ? "internal" : `${failure.code}: ${failure.message}`);
    const outcome = failure === undefined ? { error } : { code: failure.code };
    log.unit("objects.imported", { ...fieldsOf(range), outcome: "failed", ...outcome });
  }
  return true;
}

async function readRange(
  context: ImportContext,
  tally: Tally,
  range: ClaimedRange,
  { onProgress, signal }: ImportOptions,
): Promise<void> {
  const floor = await floorOf(context, tally, range);
  let [from, pages, reached] = [range.until, 0, range.reached];
  for (;;) {
    const page = await nextPage(context, { ...range, reached });
    from ??= page.asOf;
    pages += 1;
    reached = createdOf(page) ?? reached;
    const extent = { since: range.since, floor, reached: reached ?? from, until: from, pages };
    // Once, where the density of a range is first known; its parts look for themselves.
    const cutAt = page.hasMore && pages === 1 ? cuts(extent, context.splitPages) : [];
    const objects = await storePage(context, range, page, { reached, cuts: cutAt });
    range.since = cutAt.at(-1) ?? range.since;
    range.cursor = page.cursor ?? null;
    tally.done += objects;
    const left = pagesIn({ ...extent, since: range.since });
    for (const part of cutAt) tally.left.set(keyOf(range, part), left / cutAt.length);
    tally.left.set(keyOf(range, range.since), page.hasMore ? left : 0);
    onProgress?.({ done: tally.done, total: tally.done + Math.round(PAGE_SIZE * sumOf(tally.left.values())) });
    if (!page.hasMore) return;
    if (signal?.aborted === true) {
      await releaseRange(context.database, range, null);
      return;
    }
  }
}

/** A page behind the range's cursor; where that object is gone, of what was made as early as it or earlier. */
async function nextPage(context: ImportContext, range: ClaimedRange): Promise<StripePage> {
  const kind = importKind(range.kind);
  const ask = (until: UnixSeconds | null, cursor: string | null): Promise<StripePage> =>
    listPage(context, range, kind.path, {
      ...kind.query,
      "created[gte]": range.since === 0 ? undefined : range.since,
      "created[lt]": until ?? undefined,
      starting_after: cursor ?? undefined,
    });
  return ask(range.until, range.cursor).catch((error: unknown) => {
    const gone = error instanceof StripeCallError && error.stripeCode === GONE && range.cursor !== null;
    if (!gone || range.reached === null) throw error;
    return ask(range.reached + 1, null);
  });
}

/** A page's objects and the place behind them, in one commit. Returns how many there were. */
async function storePage(
  context: ImportContext,
  range: ClaimedRange,
  page: StripePage,
  { reached, cuts }: { reached: UnixSeconds | null; cuts: readonly number[] },
): Promise<number> {
  const { under } = importKind(range.kind);
  const pages = under === undefined ? [page] : await pagesUnder(context, range, page, under);
  const fetched = pages.flatMap((one) => one.objects.map((object) => fetchedOf(range, one, object)));
  await context.database.transaction(async (tx) => {
    // Short transactions: embedded there is one session for everything.
    for (let at = 0; at < fetched.length; at += PAGE_SIZE)
      await observe(tx, fetched.slice(at, at + PAGE_SIZE), context.platformTenant);
    const noted = { asOf: page.asOf, cursor: page.cursor ?? null, objects: fetched.length, reached, cuts };
    await noteImported(tx, range, { ...noted, pages: pages.length, done: !page.hasMore }, LEASE_SECONDS);
  });
  if (fetched.length > 0) context.wake();
  return fetched.length;
}

/** What is listed under each object of a page. One that was deleted meanwhile has nothing. */
export async function pagesUnder(
  context: ImportContext,
  scope: ListScope,
  parents: StripePage,
  under: string,
): Promise<StripePage[]> {
  const pages: StripePage[] = [];
  for (const { id } of parents.objects) {
    if (typeof id !== "string") continue;
    const path = `/v1/customers/${encodeURIComponent(id)}/${under}`;
    let cursor: string | undefined;
    do {
      const page = await listPage(context, scope, path, { starting_after: cursor }).catch((error: unknown) => {
        if (error instanceof StripeCallError && error.stripeCode === GONE) return undefined;
        throw error;
      });
      if (page !== undefined) pages.push(page);
      cursor = page?.hasMore === true ? page.cursor : undefined;
    } while (cursor !== undefined);
  }
  return pages;
}

function fetchedOf(scope: ListScope, page: StripePage, object: FetchedObject["object"]): FetchedObject {
  const { livemode, account } = scope;
  const { asOf, apiVersion } = page;
  // The platform lists its connected accounts, each of which is an object of its own account.
  const owner = object.object === "account" && typeof object.id === "string" ? object.id : account;
  return { livemode, account: owner, object, asOf, apiVersion, type: `${String(object.object)}${IMPORTED}` };
}

/** The second in which an account was made: before it there is hardly anything to look for. */
function floorOf(context: ImportContext, { floors }: Tally, scope: ListScope): Promise<UnixSeconds> {
  const name = `${scope.livemode} ${scope.account}`;
  const known =
    floors.get(name) ??
    context.stripe
      .call({ livemode: scope.livemode, account: scope.account, patience: "background" }, async (client, options) => {
        return (await client.rawRequest("GET", "/v1/account", undefined, options)) as unknown;
      })
      .then(({ value }) => {
        const { created } = value as { created?: unknown };
        return typeof created === "number" && created > 0 ? created : FIRST_SECOND;
      });
  floors.set(name, known);
  return known;
}

/** Of what was imported lately, what has changed since: the catch-up's to bring, from no later than the import. */
async function followEvents(
  context: ImportContext,
  planned: readonly Planned[],
  signal: AbortSignal | undefined,
): Promise<void> {
  const byScope = Map.groupBy(
    planned.filter(({ plan }) => plan.how === "events"),
    ({ livemode, account }) => `${livemode} ${account}`,
  );
  for (const keys of byScope.values()) {
    const [first] = keys;
    if (first === undefined) continue;
    const { livemode, account } = first;
    const asOf = Math.min(...keys.map(({ plan }) => (plan.how === "events" ? plan.asOf : Infinity)));
    const [known] = await catchUpStanding(context.database, [livemode], { account });
    const covered = known !== undefined && known.coveredSince !== null && known.coveredSince <= asOf;
    const caughtUp = await catchUpNow(context, { livemode, account, ...(covered ? {} : { since: asOf }) }, { signal });
    const [now] = caughtUp;
    if (now?.finished === true && now.lastError === null)
      await advanceImports(context.database, keys, now.coveredUntil);
  }
}

/**
 * What a catch-up came too late for is here when everything was imported as of a time behind it: Stripe lists objects by when
 * they were made, and what is older than a hole may have changed in it.
 */
async function fillHoles(context: ImportContext, scopes: readonly ListScope[]): Promise<void> {
  for (const scope of scopes) {
    const standing = await importStanding(context.database, scope);
    const asOf = kindsOf(undefined, scope.account).map(({ name }) => {
      const found = standing.find(({ kind }) => kind === name);
      return found?.running === false && found.completeSince === 0 ? (found.completeAsOf ?? -Infinity) : -Infinity;
    });
    const complete = Math.min(...asOf);
    if (Number.isFinite(complete)) await clearMissed(context.database, scope, complete);
  }
}

async function resultsOf({ database }: ImportContext, planned: readonly Planned[]): Promise<Imported[]> {
  const known = new Map<string, Awaited<ReturnType<typeof importStanding>>>();
  const results: Imported[] = [];
  for (const { livemode, account, kind, plan } of planned) {
    const name = `${livemode} ${account}`;
    const standing = known.get(name) ?? (await importStanding(database, { livemode, account }));
    known.set(name, standing);
    const found = standing.find((one) => one.kind === kind);
    const read =
      plan.how === "events" ? { objects: 0, pages: 0 } : { objects: found?.objects ?? 0, pages: found?.pages ?? 0 };
    const finished = found?.running === false;
    results.push({ livemode, account, kind, how: plan.how, ...read, finished, error: found?.lastError ?? null });
  }
  return results;
}

function createdOf({ objects }: StripePage): UnixSeconds | undefined {
  const created = objects.at(-1)?.created;
  return typeof created === "number" ? created : undefined;
}

const keyOf = ({ livemode, account, kind }: ImportKey, since: UnixSeconds): string =>
  [livemode, account, kind, since].join(" ");

const sumOf = (numbers: Iterable<number>): number => [...numbers].reduce((sum, number) => sum + number, 0);

const fieldsOf = ({ livemode, account, kind }: ImportKey): LogFields => ({
  livemode,
  stripe_account: account === "" ? undefined : account,
  object: kind,
});
