// Reads how objects stand that people wait for: one query for each kind among them, however many wait.
import { booleanArray, textArray } from "../db/arrays.ts";
import type { Queryable } from "../db/database.ts";
import { type CreditResult, readCreditResults } from "../credits/credit-results.ts";
import { STATUS_OBJECTS, type StatusGrant, type StatusObject, statusObjectOf } from "./status-grants.ts";
import { type StatusHeads, type StatusView, statusView } from "./status-view.ts";

export interface StatusState extends StatusView {
  id: string;
  object: StatusObject;
  creditsAdded: number | null;
  creditBalance: number | null;
  subscriptionStatus: string | null;
  invoiceStatus: string | null;
  /** webhook: an event told us · stripe: an answer to our own question. */
  source: "webhook" | "stripe";
  updatedAt: Date;
  /** Which observations made the heads that it is read from. */
  headIds: string;
  /** Other objects that this state depends on. */
  related: { objectType: StatusObject; objectId: string }[];
}

type WantedStatus = StatusGrant & { createdAt?: Date };

/** In the order of the grants. `tx` is the owner's: the grants' tenants are part of the question. */
export async function readStatuses(tx: Queryable, grants: readonly WantedStatus[], now: Date): Promise<StatusState[]> {
  const kinds = new Map<StatusObject, number[]>();
  for (const [place, { objectId }] of grants.entries()) {
    const kind = statusObjectOf(objectId);
    if (kind === undefined) throw new TypeError(`${objectId} has no status`);
    kinds.set(kind, [...(kinds.get(kind) ?? []), place]);
  }
  const heads = new Map<number, HeadRow>();
  for (const [kind, places] of kinds) {
    for (const row of await readHeads(tx, kind, grants, places)) heads.set(row.place, row);
  }
  // Behind the heads, so that what a head tells is never without its credits.
  const credits = await readCreditResults(
    tx,
    grants.map((grant, place) => ({
      ...grant,
      sessionId: grant.objectId.startsWith("cs_") ? grant.objectId : null,
      intentId: grant.objectId.startsWith("pi_") ? grant.objectId : (heads.get(place)?.paymentId ?? null),
    })),
  );
  return grants.map((grant, place) => stateOf(grant, heads.get(place), credits[place], now));
}

interface HeadRow {
  place: number;
  status: string | null;
  paymentStatus: string | null;
  deleted: boolean;
  eventId: string;
  updatedAt: Date;
  paymentEventId: string | null;
  setupEventId: string | null;
  paymentId: string | null;
  paymentSeen: boolean;
  paymentIntentStatus: string | null;
  paymentCode: string | null;
  paymentMessage: string | null;
  setupSeen: boolean;
  setupStatus: string | null;
  setupCode: string | null;
  setupMessage: string | null;
  setupId: string | null;
  subscriptionId: string | null;
  subscriptionStatus: string | null;
  invoiceId: string | null;
  invoiceStatus: string | null;
}

async function readHeads(
  tx: Queryable,
  kind: StatusObject,
  grants: readonly WantedStatus[],
  places: readonly number[],
): Promise<HeadRow[]> {
  const wanted = places.flatMap((place) => {
    const grant = grants[place];
    return grant === undefined ? [] : [grant];
  });
  const { rows } = await tx.query<HeadRow>({
    name: `status_heads_${kind}`,
    text: QUERIES[kind],
    values: [
      [...places],
      booleanArray(wanted.map(({ livemode }) => livemode)),
      textArray(wanted.map(({ stripeAccount }) => stripeAccount)),
      textArray(wanted.map(({ tenantId }) => tenantId)),
      textArray(wanted.map(({ objectId }) => objectId)),
    ],
  });
  return rows;
}

function stateOf(
  { objectId }: WantedStatus,
  row: HeadRow | undefined,
  credits: CreditResult | undefined,
  now: Date,
): StatusState {
  const object = statusObjectOf(objectId) ?? STATUS_OBJECTS.pi;
  return {
    ...statusView(headsOf(object, objectId, row)),
    id: objectId,
    object,
    creditsAdded: credits?.added ?? null,
    creditBalance: credits?.balance ?? null,
    subscriptionStatus: row?.subscriptionStatus ?? null,
    invoiceStatus: row?.invoiceStatus ?? null,
    // Its id came with Stripe's answer.
    source: row === undefined || row.eventId.startsWith("obs_") ? "stripe" : "webhook",
    updatedAt: row?.updatedAt ?? now,
    headIds: row === undefined ? "" : `${row.eventId} ${row.paymentEventId ?? ""} ${row.setupEventId ?? ""}`,
    related: relatedOf(object, row),
  };
}

function headsOf(object: StatusObject, objectId: string, row: HeadRow | undefined): StatusHeads {
  const intent = (
    seen = false,
    status: string | null = null,
    errorCode: string | null = null,
    text: string | null = null,
  ) => (seen ? { status, errorCode, errorMessage: text } : null);
  return {
    object,
    objectId,
    head: row ?? null,
    paymentId: row?.paymentId ?? null,
    payment: intent(row?.paymentSeen, row?.paymentIntentStatus, row?.paymentCode, row?.paymentMessage),
    setup: intent(row?.setupSeen, row?.setupStatus, row?.setupCode, row?.setupMessage),
  };
}

function relatedOf(object: StatusObject, row: HeadRow | undefined): StatusState["related"] {
  const ids: [StatusObject, string | null | undefined][] = [
    ["payment_intent", row?.paymentId],
    ["setup_intent", row?.setupId],
    ["subscription", row?.subscriptionId],
    ["invoice", row?.invoiceId],
  ];
  return ids.flatMap(([objectType, objectId]) =>
    objectType === object || objectId === null || objectId === undefined ? [] : [{ objectType, objectId }],
  );
}

/** Where the ids of the objects stand that each kind depends on. */
interface Sources {
  table: string;
  paymentStatus?: string;
  payment?: string;
  setup?: string;
  subscription?: string;
  invoice?: string;
}

const NONE = "null::text";

// `limit 1` makes each a look-up by key, whatever the planner thinks of the arrays.
function queryOf({ table, paymentStatus = NONE, payment = NONE, setup = NONE, ...sources }: Sources): string {
  const { subscription = NONE, invoice = NONE } = sources;
  const at = (name: string, from: string, id: string, more = ""): string => `
  left join lateral (
    select * from ${from} as found
    where found.livemode = wanted.livemode and found.stripe_account = wanted.account and found.id = ${id} ${more}
    limit 1) as ${name} on true`;
  return `
  with wanted as materialized (
    select * from unnest($1::int[], $2::boolean[], $3::text[], $4::text[], $5::text[])
      as wanted (place, livemode, account, tenant_id, id))
  select wanted.place, head.status, ${paymentStatus} as "paymentStatus", head.deleted, head.head_event_id as "eventId",
         greatest(head.updated_at, payment.updated_at, setup.updated_at, invoice.updated_at, subscription.updated_at) as "updatedAt",
         payment.head_event_id as "paymentEventId", setup.head_event_id as "setupEventId",
         coalesce(payment.id, ${payment}, paid_by.payment_intent_id) as "paymentId", payment.id is not null as "paymentSeen",
         payment.status as "paymentIntentStatus",
         payment.last_payment_error_code as "paymentCode", payment.last_payment_error_message as "paymentMessage",
         setup.id is not null as "setupSeen", setup.status as "setupStatus", ${setup} as "setupId",
         setup.last_setup_error_code as "setupCode", setup.last_setup_error_message as "setupMessage",
         ${subscription} as "subscriptionId", subscription.status as "subscriptionStatus",
         ${invoice} as "invoiceId", invoice.status as "invoiceStatus"
  from wanted
  cross join lateral (
    select * from ${table} as found
    where found.livemode = wanted.livemode and found.stripe_account = wanted.account and found.id = wanted.id
      and found.tenant_id = wanted.tenant_id
    limit 1) as head
  ${at("subscription", "subscriptions", subscription)}
  ${at("invoice", "invoices", invoice)}
  left join lateral (
    select found.payment_intent_id from invoice_payments as found
    where found.invoice_id = invoice.id and found.livemode = wanted.livemode and found.stripe_account = wanted.account
      and found.payment_intent_id is not null
    order by found.is_default desc nulls last, found.stripe_created desc nulls last, found.id desc limit 1) as paid_by on true
  ${at("payment", "payment_intents", `coalesce(${payment}, invoice.payment_intent_id, paid_by.payment_intent_id)`)}
  ${at("setup", "setup_intents", setup)}`;
}

const QUERIES: Record<StatusObject, string> = {
  "checkout.session": queryOf({
    table: "checkout_sessions",
    paymentStatus: "head.payment_status",
    payment: "head.payment_intent_id",
    setup: "head.setup_intent_id",
    subscription: "head.subscription_id",
    invoice: "coalesce(head.invoice_id, subscription.latest_invoice_id)",
  }),
  payment_intent: queryOf({ table: "payment_intents", payment: "head.id", invoice: "head.invoice_id" }),
  setup_intent: queryOf({ table: "setup_intents", setup: "head.id" }),
  subscription: queryOf({
    table: "subscriptions",
    setup: "head.pending_setup_intent_id",
    subscription: "head.id",
    invoice: "head.latest_invoice_id",
  }),
  invoice: queryOf({
    table: "invoices",
    payment: "head.payment_intent_id",
    subscription: "head.subscription_id",
    invoice: "head.id",
  }),
};
