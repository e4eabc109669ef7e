// What can be imported: every kind of object that has a table, and the list of Stripe's that brings it. Pure.
import type { ListQuery } from "./stripe-lists.ts";

export interface ImportKind {
  /** Names it in tables: a kind that needs two lists is there twice. */
  name: string;
  /** Stripe's `object` field: what a command names. */
  objectType: string;
  path: string;
  query?: ListQuery;
  /** Objects that are found under each object of the list alone, at this path behind its id. */
  under?: string;
  /** Of the platform's own account only. */
  platformOnly?: true;
}

/**
 * In the order in which they are read. Stripe lists active prices only, unless inactive ones are asked for [SDK 23.1.0,
 * Prices.d.ts]; payment methods by their customer; all others by the second in which they were made. Legacy sources and
 * cards, capabilities and persons are listed under other objects, and come with their events.
 */
export const IMPORT_KINDS: readonly ImportKind[] = [
  { name: "account", objectType: "account", path: "/v1/accounts", platformOnly: true },
  { name: "product", objectType: "product", path: "/v1/products" },
  { name: "price", objectType: "price", path: "/v1/prices", query: { active: "true" } },
  { name: "price.inactive", objectType: "price", path: "/v1/prices", query: { active: "false" } },
  { name: "plan", objectType: "plan", path: "/v1/plans" },
  { name: "customer", objectType: "customer", path: "/v1/customers" },
  { name: "payment_method", objectType: "payment_method", path: "/v1/customers", under: "payment_methods" },
  { name: "setup_intent", objectType: "setup_intent", path: "/v1/setup_intents" },
  { name: "checkout.session", objectType: "checkout.session", path: "/v1/checkout/sessions" },
  { name: "subscription", objectType: "subscription", path: "/v1/subscriptions", query: { status: "all" } },
  { name: "invoice", objectType: "invoice", path: "/v1/invoices" },
  { name: "invoice_payment", objectType: "invoice_payment", path: "/v1/invoice_payments" },
  { name: "payment_intent", objectType: "payment_intent", path: "/v1/payment_intents" },
  { name: "charge", objectType: "charge", path: "/v1/charges" },
  { name: "refund", objectType: "refund", path: "/v1/refunds" },
  { name: "dispute", objectType: "dispute", path: "/v1/disputes" },
  { name: "payout", objectType: "payout", path: "/v1/payouts" },
];

export const IMPORT_TYPES: readonly string[] = [...new Set(IMPORT_KINDS.map(({ objectType }) => objectType))];

const BY_NAME = new Map(IMPORT_KINDS.map((kind) => [kind.name, kind]));

/** @throws for a name that no kind has */
export function importKind(name: string): ImportKind {
  const kind = BY_NAME.get(name);
  if (kind === undefined) throw new Error(`no kind of object is imported as ${name}`);
  return kind;
}

/** The kinds of these types (all without) that this account may have. */
export function kindsOf(types: readonly string[] | undefined, account: string): ImportKind[] {
  return IMPORT_KINDS.filter(
    ({ objectType, platformOnly }) =>
      (types === undefined || types.includes(objectType)) && (platformOnly !== true || account === ""),
  );
}

/** From so many pages on what is left of a range is worth being cut into parts, which may end with a page that is not full. */
export const SPLIT_PAGES = 40;
const PARTS = 4;

/**
 * Where to cut what is left of a range, ascending; nothing where it is not worth it.
 *
 * @param since the range's first second, `floor` the first in which there can be anything
 * @param reached the second of the oldest object so far, `until` where its reading began, `pages` how many it took
 */
export function cuts(
  range: { since: number; floor: number; reached: number; until: number; pages: number },
  splitPages = SPLIT_PAGES,
): number[] {
  const from = Math.max(range.since, range.floor);
  const pagesLeft = pagesIn(range);
  if (pagesLeft < splitPages) return [];
  const left = range.reached - from;
  const found = Array.from({ length: PARTS - 1 }, (_, index) => from + Math.round((left * (index + 1)) / PARTS));
  return [...new Set(found)].filter((second) => second > range.since && second <= range.reached);
}

/** About how many pages are left, if the rest is as dense as what was read. */
export function pagesIn(range: {
  since: number;
  floor: number;
  reached: number;
  until: number;
  pages: number;
}): number {
  const { since, floor, reached, until, pages } = range;
  const read = Math.max(until - reached, 1);
  return Math.max(0, ((reached - Math.max(since, floor)) * pages) / read);
}
