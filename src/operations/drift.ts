// Drift: local rows held against Stripe's objects, whole lists or a sample of them; what differs can be repaired by observing.
import { setTimeout as sleep } from "node:timers/promises";

import type { Clock } from "../base/clock.ts";
import { publicError } from "../base/errors.ts";
import { randomFraction } from "../base/random.ts";
import { accountKey, ownersOf, ownershipsOf } from "../connections/routing.ts";
import { loadLiveRows } from "../inbox/live-rows.ts";
import { type FetchedObject, observe } from "../inbox/observe.ts";
import { type ObjectKey, objectKeyText, type UnixSeconds } from "../projections/observation.ts";
import { IMPORTED } from "../projections/registry.ts";
import { StripeCallError } from "../stripe/call-failure.ts";
import { takeTokens } from "../work/token-bucket.ts";
import { type CatchUpContext, modesOf, nothingChosen } from "./catch-up.ts";
import { type CatchUpFilter, catchUpStanding, ensureCatchUps } from "./catch-up-table.ts";
import { type ColumnDifference, compareRow, keyOfFetched } from "./drift-compare.ts";
import { anyRow, installedAt, rowsBetween, waitingObjects } from "./drift-reads.ts";
import { type ImportKind, kindsOf } from "./import-kinds.ts";
import { pagesUnder } from "./import.ts";
import { listPage, type ListScope, type StripePage } from "./stripe-lists.ts";

export interface DriftMetrics {
  /** After each page: how many rows of a kind were held against Stripe's, differed, and were repaired. */
  compared: (kind: string, counts: { checked: number; differing: number; repaired: number }) => void;
}

export interface DriftContext extends CatchUpContext {
  clock: Pick<Clock, "monotonic">;
  metrics?: DriftMetrics | undefined;
  /** Instead of SETTLE_MS. */
  settleMs?: number | undefined;
}

export interface DriftWish extends CatchUpFilter {
  types?: readonly string[] | undefined;
  /** Observe what differs, so that the reducer puts it right. */
  repair: boolean;
  /** So many pages of each kind, from places by chance; all of them when left out. */
  samplePages?: number | undefined;
}

export interface Drift {
  key: ObjectKey;
  kind: string;
  tenantId: string | null;
  columns: ColumnDifference[];
  repaired: boolean;
}

/** What was compared of one kind of one account, all of which is one tenant's. */
export interface DriftCount extends ListScope {
  kind: string;
  tenantId: string | null;
  checked: number;
  differing: number;
  repaired: number;
  pages: number;
  error: string | null;
}

export interface DriftOptions {
  onProgress?: (checked: number) => void;
  /** What it returns is waited for. */
  onDifference?: (drift: Drift) => unknown;
  signal?: AbortSignal | undefined;
}

/** A webhook that is on its way has so long to arrive before its row counts as different. */
const SETTLE_MS = 3_000;
/** Rows that a list left out are asked for one by one: so many of each kind at most. */
const MOST_ASKED = 1_000;
/** What was made this lately may not be in a list yet. */
const YOUNG_SECONDS = 60;

/** Compares what is wished, kind by kind. Throws `not_found` and `stripe_not_configured`. */
export async function checkDrift(
  context: DriftContext,
  wish: DriftWish,
  options: DriftOptions = {},
): Promise<DriftCount[]> {
  const modes = modesOf(context);
  if (modes.length === 0) throw publicError("stripe_not_configured");
  await ensureCatchUps(context.database, modes);
  const scopes = await catchUpStanding(context.database, modes, wish);
  if (scopes.length === 0) throw nothingChosen(modes, wish);
  const counts: DriftCount[] = [];
  for (const { livemode, account } of scopes) {
    const tenantId = await tenantOf(context, { livemode, account });
    for (const kind of kindsOf(wish.types, account)) {
      if (options.signal?.aborted === true) return counts;
      const before = counts.reduce((sum, { checked }) => sum + checked, 0);
      const run = new KindRun(context, wish, { ...options, before }, { livemode, account }, kind, tenantId);
      counts.push(await run.compare());
    }
  }
  return counts;
}

/** A page of each of a few kinds of a few accounts, once in so many seconds on all nodes together; undefined: not now. */
export async function sampleDrift(context: DriftContext, everySeconds: number): Promise<DriftCount[] | undefined> {
  const turn = { key: "drift sample", rate: 1 / everySeconds, burst: 1, tokens: 1 };
  if ((await takeTokens(context.database, [turn])).get(turn.key) !== 1) return undefined;
  const modes = modesOf(context);
  await ensureCatchUps(context.database, modes);
  const scopes = shuffled(await catchUpStanding(context.database, modes)).slice(0, SAMPLED_ACCOUNTS);
  const counts: DriftCount[] = [];
  for (const { livemode, account } of scopes) {
    const types = shuffled([...new Set(kindsOf(undefined, account).map(({ objectType }) => objectType))]);
    const wish = { livemode, account, types: types.slice(0, SAMPLED_KINDS), repair: false, samplePages: 1 };
    counts.push(...(await checkDrift(context, wish)));
  }
  const sum = (of: (one: DriftCount) => number): number => counts.reduce((total, one) => total + of(one), 0);
  const differences = sum(({ differing }) => differing);
  context.log.unit("drift.checked", { objects: sum(({ checked }) => checked), differences, outcome: "finished" });
  if (differences > 0)
    context.log.warn(
      "local rows differ from Stripe's objects: `billhook drift` says which, `billhook drift --repair` mends",
    );
  return counts;
}

const SAMPLED_ACCOUNTS = 10;
const SAMPLED_KINDS = 4;

/** One kind of one account, page by page. */
class KindRun {
  private readonly context: DriftContext;
  private readonly wish: DriftWish;
  private readonly options: DriftOptions & { before: number };
  private readonly scope: ListScope;
  private readonly kind: ImportKind;
  private readonly count: DriftCount;
  /** Differed when they were first looked at. */
  private suspects: { key: ObjectKey; fetched: FetchedObject }[] = [];
  private suspected = 0;
  private asked = 0;

  constructor(
    context: DriftContext,
    wish: DriftWish,
    options: DriftOptions & { before: number },
    scope: ListScope,
    kind: ImportKind,
    tenantId: string | null,
  ) {
    [this.context, this.wish, this.options, this.scope, this.kind] = [context, wish, options, scope, kind];
    const none = { checked: 0, differing: 0, repaired: 0, pages: 0, error: null };
    this.count = { ...scope, kind: kind.name, tenantId, ...none };
  }

  async compare(): Promise<DriftCount> {
    try {
      if (this.wish.samplePages === undefined) await this.wholeList();
      else for (let page = 0; page < this.wish.samplePages; page++) await this.anyPage();
      await this.settle();
    } catch (error) {
      if (!(error instanceof StripeCallError)) throw error;
      this.count.error = `${error.code}: ${error.message}`;
    }
    const { checked, differing, repaired } = this.count;
    this.context.metrics?.compared(this.kind.name, { checked, differing, repaired });
    return this.count;
  }

  private async wholeList(): Promise<void> {
    let cursor: string | undefined;
    /** The oldest second of the page before, and what was seen of it: its rest may be on the next page. */
    let [before, tied]: [UnixSeconds | null, string[]] = [null, []];
    do {
      const page = await this.page({ starting_after: cursor });
      const oldest = page.hasMore ? createdOf(page.objects.at(-1)) : null;
      const seen = [...tied, ...idsOf(page)];
      const until = before ?? page.asOf - YOUNG_SECONDS;
      if (oldest !== undefined) await this.leftOut({ after: oldest, until, seen });
      const last = page.objects.filter((object) => createdOf(object) === oldest);
      tied = [...(before === oldest ? tied : []), ...idsOf({ objects: last })];
      [before, cursor] = [oldest ?? before, page.hasMore ? page.cursor : undefined];
    } while (cursor !== undefined && this.options.signal?.aborted !== true);
  }

  /** The page behind a row by chance. */
  private async anyPage(): Promise<void> {
    const listed = this.kind.under === undefined ? this.kind.objectType : "customer";
    const row = await anyRow(this.context.database, this.scope, listed);
    if (row === undefined) return;
    const page = await this.page({ "created[lte]": row.created });
    const oldest = page.hasMore ? createdOf(page.objects.at(-1)) : null;
    if (oldest !== undefined) await this.leftOut({ after: oldest, until: row.created, seen: idsOf(page) });
  }

  private async page(query: Record<string, string | number | undefined>): Promise<StripePage> {
    const { context, scope, kind } = this;
    const page = await listPage(context, scope, kind.path, { ...kind.query, ...query });
    const pages = kind.under === undefined ? [page] : await pagesUnder(context, scope, page, kind.under);
    this.count.pages += pages.length;
    for (const { objects, asOf, apiVersion } of pages)
      await this.look(
        objects.map((object) => {
          const account = object.object === "account" && typeof object.id === "string" ? object.id : scope.account;
          return { livemode: scope.livemode, account, object, asOf, apiVersion };
        }),
      );
    return page;
  }

  /** Rows that Stripe's list does not have where they belong: each is asked for. Of what is listed elsewhere nothing is known. */
  private async leftOut(range: {
    after: UnixSeconds | null;
    until: UnixSeconds;
    seen: readonly string[];
  }): Promise<void> {
    const { context, scope, kind } = this;
    if (kind.under !== undefined || kind.platformOnly === true || kind.query?.active !== undefined) return;
    const limit = MOST_ASKED - this.asked;
    if (limit <= 0) return;
    const ids = await rowsBetween(context.database, scope, kind.objectType, { ...range, limit });
    this.asked += ids.length;
    for (const objectId of ids) {
      const wanted = { account: scope.account, objectType: kind.objectType, objectId };
      const answer = await context.stripe.retrieve(scope.livemode, wanted);
      if (answer.outcome === "found") {
        const { object, text, asOf, apiVersion } = answer;
        await this.look([{ ...scope, object, text, asOf, apiVersion }]);
      } else if (answer.outcome === "missing") {
        this.count.checked += 1;
        const columns = [{ column: "*", local: "a row", stripe: "no object" }];
        await this.tell({ livemode: scope.livemode, ...wanted }, columns, false);
      }
    }
  }

  private async look(fetched: readonly FetchedObject[]): Promise<void> {
    this.count.checked += fetched.length;
    const differing = await this.differing(fetched);
    if (differing.length > 0) this.suspected = this.context.clock.monotonic();
    this.suspects.push(...differing.map(({ key, fetched: one }) => ({ key, fetched: one })));
    this.options.onProgress?.(this.options.before + this.count.checked);
  }

  private async differing(
    fetched: readonly FetchedObject[],
  ): Promise<{ key: ObjectKey; fetched: FetchedObject; columns: ColumnDifference[] }[]> {
    const { database } = this.context;
    const keyed = fetched.flatMap((one) => {
      const key = keyOfFetched(one);
      return key === null ? [] : [{ key, fetched: one }];
    });
    const keys = keyed.map(({ key }) => key);
    const rows = await loadLiveRows(database, keys);
    const tenants = await ownersOf(
      database,
      keys.filter(({ account }) => account !== ""),
    );
    const tenantOfKey = ({ livemode, account }: ObjectKey): string | null =>
      account === "" ? this.context.platformTenant : (tenants.get(`${livemode ? "live" : "test"}|${account}`) ?? null);
    const found = keyed.flatMap(({ key, fetched: one }) => {
      const columns = compareRow(key, one, rows.get(objectKeyText(key)), tenantOfKey(key));
      return columns.length === 0 ? [] : [{ key, fetched: one, columns }];
    });
    if (found.length === 0) return [];
    const waiting = await waitingObjects(
      database,
      found.map(({ key }) => key),
    );
    return found.filter(({ key }) => !waiting.has(key.objectId));
  }

  /** What still differs when a webhook has had its time does differ. */
  private async settle(): Promise<void> {
    const { context, wish, suspects } = this;
    if (suspects.length === 0) return;
    const waited = context.clock.monotonic() - this.suspected;
    await sleep(Math.max(0, (context.settleMs ?? SETTLE_MS) - waited));
    for (let at = 0; at < suspects.length; at += REPAIRED_AT_ONCE) {
      const differing = await this.differing(suspects.slice(at, at + REPAIRED_AT_ONCE).map(({ fetched }) => fetched));
      if (wish.repair && differing.length > 0) {
        const from = await this.newsFrom();
        const fetched = differing.map((one) => asNews(one.fetched, from));
        await context.database.transaction((tx) => observe(tx, fetched, context.platformTenant));
        context.wake();
      }
      for (const { key, columns } of differing) await this.tell(key, columns, wish.repair);
    }
  }

  /** What was made earlier is nobody's news: the platform's installation, or the account's connection. */
  private async newsFrom(): Promise<UnixSeconds> {
    const { context, scope } = this;
    if (scope.account === "") return installedAt(context.database);
    const owners = await ownershipsOf(context.database, [scope]);
    return owners.get(accountKey(scope))?.toldSince ?? Infinity;
  }

  private async tell(key: ObjectKey, columns: ColumnDifference[], repaired: boolean): Promise<void> {
    this.count.differing += 1;
    if (repaired) this.count.repaired += 1;
    await this.options.onDifference?.({ key, kind: this.kind.name, tenantId: this.count.tenantId, columns, repaired });
  }
}

const REPAIRED_AT_ONCE = 100;

/**
 * What was made before Billhook was there is nobody's news, and no sale to give credits for: it is observed as an import's.
 * An account is always older than its connection, and how it stands is news.
 */
function asNews(fetched: FetchedObject, from: UnixSeconds): FetchedObject {
  const { object } = fetched;
  const created = createdOf(object);
  if (object.object === "account" || created === undefined || created >= from) return fetched;
  return { ...fetched, type: `${String(object.object)}${IMPORTED}` };
}

async function tenantOf({ database, platformTenant }: DriftContext, scope: ListScope): Promise<string | null> {
  if (scope.account === "") return platformTenant;
  return (await ownersOf(database, [scope])).values().next().value ?? null;
}

function createdOf(object: StripePage["objects"][number] | undefined): UnixSeconds | undefined {
  return typeof object?.created === "number" ? object.created : undefined;
}

const idsOf = ({ objects }: Pick<StripePage, "objects">): string[] =>
  objects.flatMap(({ id }) => (typeof id === "string" ? [id] : []));

/** Fisher and Yates. */
function shuffled<T>(items: readonly T[]): T[] {
  const drawn = [...items];
  for (let at = drawn.length - 1; at > 0; at--) {
    const other = Math.floor(randomFraction() * (at + 1));
    const [a, b] = [drawn[at], drawn[other]];
    if (a !== undefined && b !== undefined) [drawn[at], drawn[other]] = [b, a];
  }
  return drawn;
}
