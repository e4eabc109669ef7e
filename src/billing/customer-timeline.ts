// One customer's story, newest first: what Stripe said, what tenants were told of it, credits, purchases and mails, merged from
// indexed reads of each, so that a page costs the same however long the story is. Only reads.
import { findByCustomer } from "../accounts/account-table.ts";
import { publicError } from "../base/errors.ts";
import { firstIdAt, isId, timeOfId } from "../base/ids.ts";
import type { Queryable } from "../db/database.ts";
import { customerEvents, type EventPlace, tellEvents, type ToldEvent } from "../inbox/customer-events.ts";
import { type Page, readCursor, type ScopeFilter, writeCursor } from "../inbox/list-query.ts";
import { readRow, type WireRow } from "../inbox/projection-reads.ts";
import { type Delivery, deliveriesFor } from "../outbox/delivery-reads.ts";
import { eventsFor, type StoredEvent } from "../outbox/event-table.ts";
import {
  accountEvents,
  blank,
  creditEntries,
  mails,
  purchases,
  type Subject,
  timeOf,
  type TimelineItem,
  type TimelineKind,
} from "./timeline-sources.ts";

/** In one millisecond, what stands higher here stands above: an effect above its cause. */
const SOURCES = ["stripe_event", "event", "purchase", "credit_entry", "mail"] as const;
type Source = (typeof SOURCES)[number];

/** Where a row of a source stands. */
interface Place {
  milliseconds: number;
  source: Source;
  id: string;
}

/** A row of a source, before its own effects are looked for. */
type Row = Place & { item: TimelineItem | EventPlace };

export interface TimelineFilter {
  kinds: readonly TimelineKind[];
  limit: number;
  cursor?: string | undefined;
}

/**
 * A page of the story. `kinds` leaves lines out, so that a page may be shorter than its limit and not the last.
 * Throws `invalid_request` for a cursor that is none.
 */
export async function customerTimeline(
  database: Queryable,
  subject: Subject,
  { kinds, limit, cursor }: TimelineFilter,
): Promise<Page<TimelineItem>> {
  const place = cursor === undefined ? undefined : placeOf(cursor);
  // The row at the place itself, whose lines may all have been shown, and one that tells of more.
  const asked = limit + 2;
  const rows = await mergedRows(database, subject, place, asked);
  const lines = await linesOf(database, subject, rows);
  const shown = place === undefined ? 0 : lines.findIndex(({ item }) => item.id === place.shown) + 1;
  const wanted = lines.slice(shown).filter(({ item }) => kinds.includes(item.kind));
  const page = wanted.slice(0, limit);
  const more = wanted.length > limit || rows.length === asked;
  // Behind what was shown, or, where every line was left out, behind what was looked at.
  const last = wanted.length > limit ? page.at(-1) : lines.at(-1);
  return {
    data: page.map(({ item }) => item),
    has_more: more,
    next_cursor: more && last !== undefined ? cursorAfter(last) : null,
  };
}

/** The account or customer that an id names. Throws `not_found`. */
export async function timelineSubject(database: Queryable, id: string, scope: ScopeFilter): Promise<Subject> {
  const subject = isId(id, "acc") ? await ofAccount(database, id) : await ofCustomer(database, id, scope);
  if (subject === undefined) {
    throw publicError("not_found", { message: "There is no customer and no account with this id: check it." });
  }
  return subject;
}

interface Line {
  row: Row;
  item: TimelineItem;
}

/** Each row's effects above it: what was told of it, and to whom that was delivered. */
async function linesOf(database: Queryable, subject: Subject, rows: readonly Row[]): Promise<Line[]> {
  const places = rows.flatMap(({ item }) => ("created" in item ? [item] : []));
  const told = await tellEvents(database, places);
  const keys = [...told.values()].flatMap(({ tenantId, livemode, eventIds }) =>
    tenantId === null ? [] : eventIds.map((id) => ({ tenantId, livemode, id })),
  );
  const ownKeys = rows.flatMap(({ item }) =>
    "created" in item || item.kind !== "event" || item.tenant_id === null
      ? []
      : [{ tenantId: item.tenant_id, livemode: item.livemode, id: item.id }],
  );
  const [found, delivered] = await Promise.all([
    eventsFor(database, keys),
    deliveriesFor(database, [...keys, ...ownKeys]),
  ]);
  const events = new Map(found.map((event) => [event.id, event]));
  const deliveries = byEvent(delivered);
  const above = (item: TimelineItem): TimelineItem[] => [
    ...(deliveries.get(item.id) ?? []).map((delivery) => deliveryLine(subject, delivery)),
    item,
  ];
  return rows.flatMap((row) => {
    const { item } = row;
    const items = "created" in item ? stripeLines(subject, told.get(item.id), events, above) : above(item);
    return items.map((one) => ({ row, item: one }));
  });
}

function byEvent(deliveries: readonly Delivery[]): Map<string, Delivery[]> {
  const found = new Map<string, Delivery[]>();
  for (const delivery of deliveries.toSorted((a, b) => (a.id < b.id ? 1 : -1)))
    found.set(delivery.eventId, [...(found.get(delivery.eventId) ?? []), delivery]);
  return found;
}

function stripeLines(
  subject: Subject,
  told: ToldEvent | undefined,
  events: ReadonlyMap<string, StoredEvent>,
  above: (item: TimelineItem) => TimelineItem[],
): TimelineItem[] {
  if (told === undefined) return [];
  const { id, type, status, amount, currency, outcome, tenantId, objectId, objectType } = told;
  const effects = told.eventIds.flatMap((eventId) => {
    const event = events.get(eventId);
    return event === undefined ? [] : above(eventLine(subject, event));
  });
  const links = [
    { kind: "stripe_event", id },
    ...(objectId === null ? [] : [{ kind: LINKS[objectType] ?? "stripe_object", id: objectId }]),
  ];
  const item: TimelineItem = {
    ...{ ...blank(subject), at: new Date(told.created * 1000).toISOString(), kind: "stripe_event", id, title: type },
    ...{ status, amount, currency, outcome, tenant_id: tenantId, object_type: objectType, object_id: objectId, links },
  };
  return [...effects, item];
}

function eventLine(subject: Subject, { id, type, tenantId, objectType, objectId }: StoredEvent): TimelineItem {
  return {
    ...{ ...blank(subject), at: timeOf(id), kind: "event", id, title: type },
    ...{ tenant_id: tenantId, object_type: objectType, object_id: objectId, links: [{ kind: "event", id }] },
  };
}

const LINKS: Readonly<Record<string, string>> = {
  ...{ customer: "customer", subscription: "subscription", invoice: "invoice", payment_intent: "payment" },
  ...{ refund: "refund", dispute: "dispute" },
};

function deliveryLine(subject: Subject, { id, status, eventId, endpointId, createdAt }: Delivery): TimelineItem {
  return {
    ...{ ...blank(subject), at: createdAt.toISOString(), kind: "delivery", id, title: endpointId, status },
    ...{ object_type: "event", object_id: eventId },
    links: [
      { kind: "delivery", id },
      { kind: "webhook_endpoint", id: endpointId },
      { kind: "event", id: eventId },
    ],
  };
}

/** The newest of all sources from a place on, its own row included: some of its effects may not have been shown. */
async function mergedRows(
  database: Queryable,
  subject: Subject,
  place: Place | undefined,
  limit: number,
): Promise<Row[]> {
  const { customerId, livemode, stripeAccount: account } = subject;
  const own = (source: Source, prefix: "crd" | "pur" | "mail" | "msg"): string => beforeIn(source, prefix, place);
  const [stripe, entries, bought, sent, told] = await Promise.all([
    customerId === null ? [] : customerEvents(database, { customerId, livemode, account }, eventsFrom(place), limit),
    creditEntries(database, subject, own("credit_entry", "crd"), limit),
    purchases(database, subject, own("purchase", "pur"), limit),
    mails(database, subject, own("mail", "mail"), limit),
    accountEvents(database, subject, own("event", "msg"), limit),
  ]);
  const rows: Row[] = [
    ...stripe.map((item) => ({
      milliseconds: item.created * 1000,
      source: "stripe_event" as const,
      id: item.id,
      item,
    })),
    ...ownRows("credit_entry", entries),
    ...ownRows("purchase", bought),
    ...ownRows("mail", sent),
    ...ownRows("event", told),
  ];
  return rows.sort(newestFirst).slice(0, limit);
}

function ownRows(source: Source, items: readonly TimelineItem[]): Row[] {
  return items.map((item) => ({ milliseconds: timeOfId(item.id), source, id: item.id, item }));
}

const rankOf = (source: Source): number => SOURCES.indexOf(source);

function newestFirst(a: Place, b: Place): number {
  const byTime = b.milliseconds - a.milliseconds || rankOf(b.source) - rankOf(a.source);
  return byTime === 0 ? (a.id < b.id ? 1 : -1) : byTime;
}

/** Ids of this source that may still come sort before this one. */
function beforeIn(source: Source, prefix: "crd" | "pur" | "mail" | "msg", place: Place | undefined): string {
  if (place === undefined) return firstIdAt(prefix, LAST_MS);
  const { milliseconds } = place;
  if (source === place.source) return `${place.id}~`;
  return firstIdAt(prefix, rankOf(source) < rankOf(place.source) ? milliseconds + 1 : milliseconds);
}

const LAST_MS = 2 ** 48 - 1;

/** As `beforeIn`, of Stripe's events, which have seconds: all others stand above them. */
function eventsFrom(place: Place | undefined): EventPlace | null {
  if (place === undefined) return null;
  const created = Math.floor(place.milliseconds / 1000);
  return { created, id: place.source === "stripe_event" ? place.id : "~" };
}

/** `shown`: the last line, of the row at this place, that a page has shown. */
function placeOf(cursor: string): Place & { shown: string } {
  const [milliseconds, source, id, shown] = readCursor(cursor, ["string", "string", "string", "string"]).map(String);
  const found = SOURCES.find((one) => one === source);
  const isTime = /^\d{1,15}$/.test(milliseconds ?? "") && Number(milliseconds) <= LAST_MS;
  if (found === undefined || !isTime || id === undefined || shown === undefined) {
    const message = "Send the next_cursor of the page before, unchanged.";
    throw publicError("invalid_request", { message, param: "cursor" });
  }
  return { milliseconds: Number(milliseconds), source: found, id, shown };
}

function cursorAfter({ row: { milliseconds, source, id }, item }: Line): string {
  return writeCursor([String(milliseconds), source, id, item.id]);
}

async function ofCustomer(database: Queryable, id: string, scope: ScopeFilter): Promise<Subject | undefined> {
  const row = (await readRow(database, "customers", id, scope)) ?? (await ofNamed(database, id, scope));
  if (row === undefined) return undefined;
  const { tenant_id, account, livemode, email } = row;
  const stripeAccount = typeof account === "string" ? account : "";
  const tenantId = typeof tenant_id === "string" ? tenant_id : null;
  const mode = { tenantId: tenantId ?? "", livemode: livemode === true };
  const known = await findByCustomer(database, mode, { stripeAccount, customerId: id });
  return {
    ...{ livemode: mode.livemode, stripeAccount, tenantId, customerId: id, accountId: known?.id ?? null },
    emails: [email, known?.email].filter((one) => typeof one === "string"),
  };
}

/** Of a customer that has not come itself: as the newest event that names it. */
async function ofNamed(
  database: Queryable,
  id: string,
  { account, livemode }: ScopeFilter,
): Promise<WireRow | undefined> {
  const values = [id, account ?? null, livemode ?? null];
  return (await database.query<WireRow>({ text: NAMED, values })).rows[0];
}

async function ofAccount(database: Queryable, id: string): Promise<Subject | undefined> {
  const { rows } = await database.query<Omit<Subject, "emails"> & { email: string | null }>({
    text: ACCOUNT,
    values: [id],
  });
  const [account] = rows;
  if (account === undefined) return undefined;
  const { email, ...subject } = account;
  return { ...subject, emails: email === null ? [] : [email] };
}

const NAMED = `
  select tenant_id, stripe_account as account, livemode, null as email from stripe_events
  where customer_id = $1 and ($2::text is null or stripe_account = $2) and ($3::boolean is null or livemode = $3)
  order by created desc limit 1`;

// Keys begin with tenant and mode: each tenant's is looked up.
const ACCOUNT = `
  select found.* from tenants as tenant cross join (values (true), (false)) as mode (livemode)
  cross join lateral (
    select one.livemode, one.stripe_customer_account as "stripeAccount", one.tenant_id as "tenantId",
           one.stripe_customer_id as "customerId", one.id as "accountId", one.email
    from accounts as one where one.tenant_id = tenant.id and one.livemode = mode.livemode and one.id = $1 limit 1) as found
  limit 1`;
