// Reading Stripe's lists page by page: answers as they are sent, in the background, at a rate that all nodes share.
import { setTimeout as sleep } from "node:timers/promises";

import { randomFraction } from "../base/random.ts";
import type { Database } from "../db/database.ts";
import type { StripeObject, UnixSeconds } from "../projections/observation.ts";
import type { StripeAccess } from "../stripe/access.ts";
import { takeTokens } from "../work/token-bucket.ts";

/** Whose objects: `account` is "" for the platform's own. */
export interface ListScope {
  livemode: boolean;
  account: string;
}

export interface ListContext {
  database: Database;
  stripe: StripeAccess;
  /** Pages a second for each account. Stripe's own limits are 100 calls in live mode and 25 in test mode, which others need too. */
  pagesPerSecond?: number | undefined;
}

export interface StripePage {
  objects: StripeObject[];
  /** Of the last object: where the next page begins. */
  cursor: string | undefined;
  hasMore: boolean;
  /** The second that the page is known to include. */
  asOf: UnixSeconds;
  apiVersion: string;
}

export type ListQuery = Readonly<Record<string, string | number | undefined>>;

/** Stripe's greatest page. */
export const PAGE_SIZE = 100;

const PAGES_PER_SECOND = { live: 20, test: 10 } as const;
const LOOK_AGAIN_MS = 100;

/** One page, newest first. Waits for its turn. Rejects with a StripeCallError. */
export async function listPage(
  context: ListContext,
  scope: ListScope,
  path: string,
  query: ListQuery,
): Promise<StripePage> {
  await takeTurn(context, scope);
  const address = `${path}?${queryText({ limit: PAGE_SIZE, ...query })}`;
  const { value, asOf, apiVersion } = await context.stripe.call(
    { ...scope, patience: "background" },
    // The SDK's own lists would turn decimals into objects of its own.
    async (client, options) => (await client.rawRequest("GET", address, undefined, options)) as unknown,
  );
  const { data, has_more: more } = value as { data?: unknown; has_more?: unknown };
  if (!Array.isArray(data)) throw new Error(`Stripe's answer for ${path} is no list`);
  const objects = data as StripeObject[];
  const last = objects.at(-1)?.id;
  return {
    objects,
    cursor: typeof last === "string" ? last : undefined,
    hasMore: more === true && typeof last === "string",
    asOf,
    apiVersion,
  };
}

/** Takes a token of the account's bucket, by the database's clock. */
async function takeTurn({ database, pagesPerSecond }: ListContext, { livemode, account }: ListScope): Promise<void> {
  const mode = livemode ? "live" : "test";
  const rate = pagesPerSecond ?? PAGES_PER_SECOND[mode];
  const key = `stripe lists|${mode}|${account}`;
  while ((await takeTokens(database, [{ key, rate, burst: rate, tokens: 1 }])).get(key) !== 1)
    await sleep(LOOK_AGAIN_MS * (1 + randomFraction()));
}

function queryText(query: ListQuery): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined);
  return new URLSearchParams(given.map(([name, value]): [string, string] => [name, String(value)])).toString();
}
