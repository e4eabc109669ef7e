// What a customer's story is made of beside Stripe's events: credits, purchases, mails, and what a tenant was told of the account.
// Each is read newest first, by an index, from a place on. Only reads.
import { timeOfId } from "../base/ids.ts";
import type { Queryable } from "../db/database.ts";
import { listEvents } from "../outbox/event-table.ts";

/** Who the story is about. */
export interface Subject {
  livemode: boolean;
  /** "" for the platform's own. */
  stripeAccount: string;
  tenantId: string | null;
  /** cus_…; null: the account has none. */
  customerId: string | null;
  /** acc_…; null: the customer is no account's. */
  accountId: string | null;
  /** In whatever case they were typed. */
  emails: readonly string[];
}

export const TIMELINE_KINDS = ["stripe_event", "event", "delivery", "credit_entry", "purchase", "mail"] as const;
export type TimelineKind = (typeof TIMELINE_KINDS)[number];

export interface Link {
  kind: string;
  id: string;
}

/** One line of the story, as the API shows it. */
export interface TimelineItem {
  /** ISO 8601. */
  at: string;
  kind: TimelineKind;
  id: string;
  title: string;
  status: string | null;
  /** How the processing of a Stripe event stands. */
  outcome: string | null;
  /** Minor units of `currency`. */
  amount: number | null;
  currency: string | null;
  credits: number | null;
  balance_after: number | null;
  livemode: boolean;
  tenant_id: string | null;
  account_id: string | null;
  stripe_account: string | null;
  object_type: string | null;
  object_id: string | null;
  links: Link[];
}

/** From a place of ours on: ids that sort before this one. */
export type Before = string;

/** The fields that most lines leave empty. */
export function blank({ livemode, tenantId, accountId, stripeAccount }: Subject) {
  return {
    ...{ status: null, outcome: null, amount: null, currency: null, credits: null, balance_after: null },
    ...{ livemode, tenant_id: tenantId, account_id: accountId },
    stripe_account: stripeAccount === "" ? null : stripeAccount,
    ...{ object_type: null, object_id: null },
  };
}

/** Ids of ours begin with the time. */
export const timeOf = (id: string): string => new Date(timeOfId(id)).toISOString();

export async function creditEntries(
  tx: Queryable,
  subject: Subject,
  before: Before,
  limit: number,
): Promise<TimelineItem[]> {
  const { tenantId, livemode, accountId } = subject;
  if (tenantId === null || accountId === null) return [];
  const { rows } = await tx.query<EntryRow>({ text: ENTRIES, values: [tenantId, livemode, accountId, before, limit] });
  return rows.map((row) => ({
    ...blank(subject),
    ...{ at: timeOf(row.id), kind: "credit_entry", id: row.id, title: row.kind },
    ...{ credits: row.amount, balance_after: row.balance_after, object_type: "account", object_id: accountId },
    links: [
      ...(row.purchase_id === null ? [] : [{ kind: "credit_purchase", id: row.purchase_id }]),
      { kind: "account", id: accountId },
    ],
  }));
}

interface EntryRow {
  id: string;
  kind: string;
  amount: number;
  balance_after: number;
  purchase_id: string | null;
}

export async function purchases(
  tx: Queryable,
  subject: Subject,
  before: Before,
  limit: number,
): Promise<TimelineItem[]> {
  const { tenantId, livemode, accountId } = subject;
  if (tenantId === null || accountId === null) return [];
  const { rows } = await tx.query<PurchaseRow>({
    text: PURCHASES,
    values: [tenantId, livemode, accountId, before, limit],
  });
  return rows.map((row) => ({
    ...blank(subject),
    ...{ at: timeOf(row.id), kind: "purchase", id: row.id, title: row.pack ?? `${String(row.credits)} credits` },
    ...{ status: row.state, amount: row.amount, currency: row.currency, credits: row.credits },
    ...{ object_type: "checkout.session", object_id: row.session },
    links: [
      { kind: "credit_purchase", id: row.id },
      ...(row.intent === null ? [] : [{ kind: "payment", id: row.intent }]),
      ...(row.session === null ? [] : [{ kind: "stripe_object", id: row.session }]),
    ],
  }));
}

interface PurchaseRow {
  id: string;
  pack: string | null;
  credits: number;
  amount: number;
  currency: string;
  state: string;
  session: string | null;
  intent: string | null;
}

/** To an address of the customer's, of the tenant or of nobody's (such as a link that signs in). */
export async function mails(tx: Queryable, subject: Subject, before: Before, limit: number): Promise<TimelineItem[]> {
  const { emails, tenantId } = subject;
  const spelled = [...new Set(emails.flatMap((one) => [one, one.toLowerCase()]))];
  if (spelled.length === 0) return [];
  const { rows } = await tx.query<{ id: string; template: string; status: string }>({
    text: MAILS,
    values: [spelled, tenantId, before, limit],
  });
  return rows.map((row) => ({
    ...blank(subject),
    ...{ at: timeOf(row.id), kind: "mail", id: row.id, title: row.template, status: row.status },
    links: [{ kind: "mail", id: row.id }],
  }));
}

/** What the tenant was told of the account itself: its credits. */
export async function accountEvents(
  tx: Queryable,
  subject: Subject,
  before: Before,
  limit: number,
): Promise<TimelineItem[]> {
  const { tenantId, livemode, accountId } = subject;
  if (tenantId === null || accountId === null) return [];
  const wanted = { tenantId, livemode, objectId: accountId, until: before, limit: limit - 1 };
  const found = await listEvents(tx, wanted);
  return found.slice(0, limit).map((event) => ({
    ...blank(subject),
    ...{ at: timeOf(event.id), kind: "event", id: event.id, title: event.type },
    ...{ object_type: event.objectType, object_id: event.objectId, links: [{ kind: "event", id: event.id }] },
  }));
}

const ENTRIES = `
  select id, kind, amount, balance_after, purchase_id from credit_entries
  where tenant_id = $1 and livemode = $2 and account_id = $3 and id < $4 order by id desc limit $5`;

const PURCHASES = `
  select purchase.id, pack.name as pack, purchase.credits, purchase.amount, purchase.currency, purchase.state,
         purchase.stripe_session_id as session, purchase.payment_intent_id as intent
  from credit_purchases as purchase
  left join credit_packs as pack
    on pack.tenant_id = purchase.tenant_id and pack.livemode = purchase.livemode and pack.id = purchase.pack_id
  where purchase.tenant_id = $1 and purchase.livemode = $2 and purchase.account_id = $3 and purchase.id < $4
  order by purchase.id desc limit $5`;

// By recipient: one address has a month's mails at most.
const MAILS = `
  select mail.id, mail.template, mail.status from unnest($1::text[]) as spelled (address)
  cross join lateral (
    select id, template, status from mails as one
    where one.recipient = spelled.address and (one.tenant_id is null or one.tenant_id = $2) and one.id < $3
    order by one.id desc limit $4) as mail
  order by mail.id desc limit $4`;
