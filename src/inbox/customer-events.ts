// A customer's Stripe events, newest first: those that name it, and those of its refunds, disputes and invoice payments, which do
// not. Only reads.
import { bigintArray, booleanArray, textArray } from "../db/arrays.ts";
import type { Queryable } from "../db/database.ts";
import { rowOf } from "../projections/fold.ts";
import type { Observation } from "../projections/observation.ts";
import type { ColumnValue } from "../projections/projection.ts";
import { fact, type Fact } from "../projections/projection.ts";
import { factsOf } from "../projections/published.ts";
import { projectionOf } from "../projections/registry.ts";
import { loadEvents } from "./load-events.ts";
import { readObservation } from "./stored-observation.ts";

export interface CustomerKey {
  livemode: boolean;
  /** "" for the platform's own. */
  account: string;
  customerId: string;
}

/** Where an event stands among a customer's: by second, then by id. */
export interface EventPlace {
  created: number;
  id: string;
}

/**
 * So many are followed of each kind, the newest: refunds that name the customer; refunds and disputes of so many of its charges,
 * the newest and the newest that say that they have some, and of as many of its payment intents; payments of as many of its
 * invoices.
 */
const RETURNED = 100;

/** An object of a customer's whose events do not name the customer. */
export interface FollowedObject {
  livemode: boolean;
  account: string;
  id: string;
}

/** A customer's refunds, disputes and invoice payments: bounded, see above. Without a mode or account: of all. */
export async function followedObjects(
  tx: Queryable,
  customerId: string,
  { livemode, account }: { livemode?: boolean | undefined; account?: string | undefined },
): Promise<FollowedObject[]> {
  const values = [customerId, livemode ?? null, account ?? null];
  return (await tx.query<FollowedObject>({ text: FOLLOWED_OBJECTS, values })).rows;
}

/** Places from `from` (inclusive) backwards; null: from the newest. A customer with many events costs no more than one with few. */
export async function customerEvents(
  tx: Queryable,
  { livemode, account, customerId }: CustomerKey,
  from: EventPlace | null,
  limit: number,
): Promise<EventPlace[]> {
  const scope = [customerId, livemode, account];
  const place = [from?.created ?? Number.MAX_SAFE_INTEGER, from?.id ?? "", limit];
  const [{ rows: named }, objects] = await Promise.all([
    tx.query<EventPlace>({ text: NAMED, values: [...scope, ...place] }),
    followedObjects(tx, customerId, { livemode, account }),
  ]);
  if (objects.length === 0) return named;
  const ids = textArray(objects.map(({ id }) => id));
  const { rows: followed } = await tx.query<EventPlace>({ text: FOLLOWED, values: [ids, livemode, account, ...place] });
  const known = new Set(named.map(({ id }) => id));
  return [...named, ...followed.filter(({ id }) => !known.has(id))]
    .sort((a, b) => b.created - a.created || (a.id < b.id ? 1 : -1))
    .slice(0, limit);
}

/** What a Stripe event says of its object. */
export interface ToldEvent extends EventPlace {
  type: string;
  livemode: boolean;
  account: string;
  tenantId: string | null;
  objectType: string;
  objectId: string | null;
  status: string | null;
  amount: number | null;
  currency: string | null;
  /** How its processing stands. */
  outcome: string;
  /** The events by which its tenant was told of it, msg_…, the newest first. */
  eventIds: string[];
}

/** These events, by id. */
export async function tellEvents(tx: Queryable, places: readonly EventPlace[]): Promise<Map<string, ToldEvent>> {
  if (places.length === 0) return new Map();
  const values = [bigintArray(places.map(({ created }) => created)), textArray(places.map(({ id }) => id))];
  const [stored, { rows: standings }] = await Promise.all([
    loadEvents(
      tx,
      places.map(({ created, id }) => ({ created, eventId: id })),
    ),
    tx.query<{ id: string; outcome: string; tenantId: string | null }>({ text: STANDINGS, values }),
  ]);
  const standing = new Map(standings.map((one) => [one.id, one]));
  const found = stored.map((event) => {
    const { observation, snapshot } = readObservation(event);
    const { outcome = "processed", tenantId = null } = standing.get(event.id) ?? {};
    return { observation, snapshot, outcome, tenantId };
  });
  const told = await eventsToldOf(tx, found);
  return new Map(
    found.map(({ observation, snapshot, outcome, tenantId }) => [
      observation.id,
      {
        ...scopeOf(observation),
        ...(snapshot ? sumsOf(observation) : { status: null, amount: null, currency: null }),
        ...{ outcome, tenantId, eventIds: told.get(observation.id) ?? [] },
      },
    ]),
  );
}

function scopeOf({ id, created, type, livemode, account, objectType, objectId }: Observation) {
  return { id, created, type, livemode, account, objectType, objectId };
}

const AMOUNTS = ["amount_due", "amount_total", "amount", "amount_paid"];

function sumsOf(observation: Observation): Pick<ToldEvent, "status" | "amount" | "currency"> {
  const row = rowOf(projectionOf(observation.objectType), observation);
  const amount = AMOUNTS.map((column) => row[column]).find((value) => typeof value === "number");
  const text = (value: ColumnValue | undefined): string | null => (typeof value === "string" ? value : null);
  return {
    status: text(row.status),
    amount: typeof amount === "number" ? amount : null,
    currency: amount === undefined ? null : text(row.currency),
  };
}

interface Known {
  observation: Observation;
  snapshot: boolean;
  tenantId: string | null;
}

/** Looked up by the keys of the facts that each yields: an object may have more facts than one can read through. */
async function eventsToldOf(tx: Queryable, found: readonly Known[]): Promise<Map<string, string[]>> {
  const wanted = found.flatMap(({ observation, snapshot, tenantId }) =>
    tenantId === null || !snapshot
      ? []
      : factsThatTell(observation).map((one) => ({
          ...one,
          tenantId,
          livemode: observation.livemode,
          by: observation.id,
        })),
  );
  const { rows } = await tx.query<{ by: string; eventId: string }>({
    text: TOLD,
    values: [
      textArray(wanted.map(({ tenantId }) => tenantId)),
      booleanArray(wanted.map(({ livemode }) => livemode)),
      textArray(wanted.map(({ type }) => type)),
      textArray(wanted.map(({ naturalKey }) => naturalKey)),
      textArray(wanted.map(({ by }) => by)),
    ],
  });
  const told = new Map<string, string[]>();
  for (const { by, eventId } of rows) told.set(by, [...(told.get(by) ?? []), eventId]);
  return told;
}

function factsThatTell(observation: Observation): Fact[] {
  const projection = projectionOf(observation.objectType);
  const { updated } = projection;
  const update =
    updated === undefined || observation.objectId === null ? [] : [fact(updated, observation.objectId, observation.id)];
  return [...factsOf(observation, projection, 0), ...update];
}

const BEFORE = (alias: string): string => `${alias}.created <= $4 and (${alias}.created < $4 or ${alias}.id <= $5)`;

const NAMED = `
  select event.created, event.id from stripe_events as event
  where event.customer_id = $1 and event.livemode = $2 and event.stripe_account = $3 and ${BEFORE("event")}
  order by event.created desc, event.id desc limit $6`;

const OF_CUSTOMER = (alias: string): string =>
  `${alias}.customer_id = $1 and ($2::boolean is null or ${alias}.livemode = $2) and ($3::text is null or ${alias}.stripe_account = $3)`;
const SAME_OWNER = (one: string, other: string): string =>
  `${one}.livemode = ${other}.livemode and ${one}.stripe_account = ${other}.stripe_account`;
// By all ids at once: one look at each that the index finds, and a small table is read whole but once.
const OF_EACH = (parents: string, table: string, column: string): string => `
  (select one.livemode, one.stripe_account as account, one.id from ${table} as one
   where one.${column} = any (array(select id from ${parents}))
     and exists (select from ${parents} as parent where parent.id = one.${column} and ${SAME_OWNER("one", "parent")})
   order by one.stripe_created desc, one.id desc limit ${RETURNED})`;

const FOLLOWED_OBJECTS = `
  with returned as (
    (select charge.livemode, charge.stripe_account, charge.id from charges as charge
     where ${OF_CUSTOMER("charge")} and (charge.disputed or charge.amount_refunded > 0)
     order by charge.stripe_created desc limit ${RETURNED})
    union
    (select charge.livemode, charge.stripe_account, charge.id from charges as charge
     where ${OF_CUSTOMER("charge")}
     order by charge.stripe_created desc limit ${RETURNED})),
  intended as (
    select intent.livemode, intent.stripe_account, intent.id from payment_intents as intent
    where ${OF_CUSTOMER("intent")}
    order by intent.stripe_created desc limit ${RETURNED}),
  invoiced as (
    select invoice.livemode, invoice.stripe_account, invoice.id from invoices as invoice
    where ${OF_CUSTOMER("invoice")}
    order by invoice.stripe_created desc, invoice.id desc limit ${RETURNED})
  ${OF_EACH("returned", "refunds", "charge_id")}
  union
  ${OF_EACH("returned", "disputes", "charge_id")}
  union
  ${OF_EACH("intended", "refunds", "payment_intent_id")}
  union
  ${OF_EACH("intended", "disputes", "payment_intent_id")}
  union
  (select refund.livemode, refund.stripe_account as account, refund.id from refunds as refund
   where ${OF_CUSTOMER("refund")}
   order by refund.stripe_created desc limit ${RETURNED})
  union
  ${OF_EACH("invoiced", "invoice_payments", "invoice_id")}`;

const FOLLOWED = `
  select event.created, event.id from unnest($1::text[]) as wanted (id)
  cross join lateral (
    select one.created, one.id from stripe_events as one
    where one.object_id = wanted.id and one.livemode = $2 and one.stripe_account = $3 and ${BEFORE("one")}
    order by one.created desc, one.id desc limit $6) as event
  order by event.created desc, event.id desc limit $6`;

const STANDINGS = `
  select event.id, event.tenant_id as "tenantId",
         case when queue.event_id is not null then 'pending' else coalesce(outcome.status, 'processed') end as outcome
  from unnest($1::bigint[], $2::text[]) as wanted (created, id)
  join lateral (
    select * from stripe_events as one where one.created = wanted.created and one.id = wanted.id limit 1) as event on true
  left join stripe_event_queue as queue on queue.created = wanted.created and queue.event_id = wanted.id
  left join stripe_event_outcomes as outcome on outcome.created = wanted.created and outcome.event_id = wanted.id`;

const TOLD = `
  select wanted.observation_id as by, known.event_id as "eventId"
  from unnest($1::text[], $2::boolean[], $3::text[], $4::text[], $5::text[])
    as wanted (tenant_id, livemode, type, natural_key, observation_id)
  cross join lateral (
    select * from facts as one
    where one.tenant_id = wanted.tenant_id and one.livemode = wanted.livemode and one.type = wanted.type
      and one.natural_key = wanted.natural_key limit 1) as known
  where known.observation_id = wanted.observation_id and known.event_id is not null
  order by known.event_id desc`;
