// What happened: facts, each once, and the events that tell tenants of them, in the commit of their cause. Tables: facts, events
import { newId } from "../base/ids.ts";
import { type Json, storableJson } from "../base/text.ts";
import { bigintArray, booleanArray, textArray } from "../db/arrays.ts";
import type { Database, Queryable } from "../db/database.ts";
import { type EventKey, fanOut } from "./delivery-tables.ts";
import { EVENT_API_VERSION } from "./event-objects.ts";
import { eventType } from "./event-types.ts";
import { noteStored } from "./stored-events.ts";

export interface StoredFact {
  tenantId: string;
  livemode: boolean;
  type: string;
  naturalKey: string;
  stripeAccount: string;
  objectType: string;
  objectId: string | null;
  /** Unix seconds of the observation. */
  occurredAt: number;
  /** Unix seconds at which it happened, where its object says so: an observation may say it again much later. */
  happenedAt?: number;
  observationId: string;
  /** What its event says as `data.object`; null: it is only stored, and nobody is told. */
  object: Readonly<Record<string, unknown>> | null;
}

/**
 * Stores what is new among these facts, or earlier than what is known, and tells of each once: when it was not told before,
 * and comes with an object. Sorted by key, so that two nodes never wait for each other crosswise. Its statements are on their
 * way when it returns: behind each other, none waiting for the answer to the one before.
 */
export async function insertFacts(tx: Queryable, facts: readonly StoredFact[]): Promise<void> {
  if (facts.length === 0) return;
  const sorted = [...earliest(facts)].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, fact]) => fact);
  const ids = idsByTime(sorted);
  await Promise.all([
    tx.query({
      name: "insert_facts",
      text: INSERT_FACTS,
      values: [
        textArray(sorted.map((fact) => fact.tenantId)),
        booleanArray(sorted.map((fact) => fact.livemode)),
        textArray(sorted.map((fact) => fact.type)),
        textArray(sorted.map((fact) => fact.naturalKey)),
        textArray(sorted.map((fact) => fact.stripeAccount)),
        textArray(sorted.map((fact) => fact.objectType)),
        textArray(sorted.map((fact) => fact.objectId)),
        bigintArray(sorted.map((fact) => fact.occurredAt)),
        textArray(sorted.map((fact) => fact.observationId)),
        textArray(ids),
        textArray(objectTexts(sorted)),
        EVENT_API_VERSION,
        bigintArray(sorted.map(createdOf)),
      ],
    }),
    fanOut(
      tx,
      sorted.flatMap(({ tenantId, livemode }, index) => {
        const id = ids[index];
        return id === null || id === undefined ? [] : [{ tenantId, livemode, id }];
      }),
    ),
  ]);
}

/** In the order of the facts; null: not told. Ids are the order of events, wherever one is asked for: they grow as things happened. */
function idsByTime(facts: readonly StoredFact[]): (string | null)[] {
  const told = facts.filter(({ object }) => object !== null);
  const byTime = told.toSorted((a, b) => createdOf(a) - createdOf(b) || stageOf(a) - stageOf(b) || byType(a, b));
  const ids = new Map(byTime.map((fact) => [fact, newId("msg")]));
  return facts.map((fact) => ids.get(fact) ?? null);
}

/** What its event says as `created`: never later than the observation that brought it. */
const createdOf = ({ happenedAt, occurredAt }: StoredFact): number => Math.min(happenedAt ?? occurredAt, occurredAt);

/** Stripe's times are whole seconds: of what happened within one, this comes first. What is paid fails no more, but for a few. */
function stageOf({ type }: StoredFact): number {
  if (type.endsWith(".created")) return 0;
  if (type.endsWith(".updated") || FAILS_LAST.test(type)) return 3;
  return /([._]failed|_action_required|\.finalized)$/.test(type) ? 1 : 2;
}

const FAILS_LAST = /^(refund\.|payout\.|checkout\.session\.async_payment_)failed$/;

const byType = (a: StoredFact, b: StoredFact): number => (a.type < b.type ? -1 : a.type > b.type ? 1 : 0);

/** What is ours to tell, and happens once because it is in the commit of its cause. */
export interface NewEvent {
  tenantId: string;
  livemode: boolean;
  type: string;
  objectType: string;
  objectId: string | null;
  object: Readonly<Record<string, unknown>>;
  /** When it happened; without it, as the transaction's time says. */
  created?: Date;
}

/** Also in a tenant's own scope. Throws for a type that is not in the catalogue. */
export async function publishEvents(tx: Queryable, events: readonly NewEvent[]): Promise<void> {
  if (events.length === 0) return;
  const keyed = events.map((event) => ({ ...event, id: newId("msg") }));
  for (const { type } of keyed) mustBeKnown(type);
  noteStored(tx);
  await Promise.all([
    tx.query({
      text: INSERT_EVENTS,
      values: [
        textArray(keyed.map((event) => event.tenantId)),
        booleanArray(keyed.map((event) => event.livemode)),
        textArray(keyed.map((event) => event.id)),
        textArray(keyed.map((event) => event.type)),
        bigintArray(keyed.map((event) => event.created?.getTime())),
        textArray(keyed.map((event) => event.objectType)),
        textArray(keyed.map((event) => event.objectId)),
        textArray(keyed.map((event) => textOf(event.object))),
        EVENT_API_VERSION,
      ],
    }),
    fanOut(tx, keyed),
  ]);
}

function mustBeKnown(type: string): void {
  if (eventType(type) === undefined) throw new Error(`the catalogue of events has no ${type}`);
}

/** Several observations may yield a fact: the earliest says when it happened, whichever came first. */
function earliest(facts: readonly StoredFact[]): Map<string, StoredFact> {
  const found = new Map<string, StoredFact>();
  for (const fact of facts) {
    if (fact.object !== null) mustBeKnown(fact.type);
    const key = keyOf(fact);
    const known = found.get(key);
    if (known === undefined) found.set(key, fact);
    else {
      const [first, second] = isEarlier(fact, known) ? [fact, known] : [known, fact];
      // One that may be told tells it, whichever was the earliest.
      found.set(key, first.object === null ? { ...first, ...toldBy(second) } : first);
    }
  }
  return found;
}

const toldBy = ({ object, happenedAt }: StoredFact): Partial<StoredFact> => ({
  object,
  ...(happenedAt === undefined ? {} : { happenedAt }),
});

function isEarlier(a: StoredFact, b: StoredFact): boolean {
  return a.occurredAt < b.occurredAt || (a.occurredAt === b.occurredAt && a.observationId < b.observationId);
}

function keyOf(fact: StoredFact): string {
  return [fact.tenantId, fact.livemode, fact.type, fact.naturalKey].join("|");
}

/** The facts of one observation share their object, and its text is made once. */
function objectTexts(facts: readonly StoredFact[]): (string | null)[] {
  const texts = new Map<object, string>();
  return facts.map(({ object }) => {
    if (object === null) return null;
    let text = texts.get(object);
    if (text === undefined) texts.set(object, (text = textOf(object)));
    return text;
  });
}

/** Receivers keep what they get as jsonb, too, which refuses NUL and lone surrogates: JSON.stringify writes both as escapes. */
function textOf(object: Readonly<Record<string, unknown>>): string {
  const text = JSON.stringify(object);
  return UNSTORABLE.test(text) ? JSON.stringify(storableJson(object as Json)) : text;
}

const UNSTORABLE = /\\u(0000|d[89a-f])/;

/** An event as it was told. */
export interface StoredEvent extends EventKey {
  type: string;
  /** When it happened. */
  created: Date;
  /** When we knew. */
  createdAt: Date;
  apiVersion: string;
  /** "" where it did not happen on a connected account. */
  stripeAccount: string;
  objectType: string;
  objectId: string | null;
  /** JSON: the body's data.object. */
  object: string;
}

export interface EventFilter {
  tenantId: string;
  livemode: boolean;
  /** A type, or `invoice.*`; undefined or `*`: all. */
  type?: string | undefined;
  objectId?: string | undefined;
  /** Ids: the first that may be, and the first that may not. Ids sort by when we knew. */
  from?: string | undefined;
  until?: string | undefined;
  limit: number;
}

/** Newest first, and one more than `limit` where there are more. */
export async function listEvents(tx: Queryable, filter: EventFilter): Promise<StoredEvent[]> {
  const { tenantId, livemode, type, objectId, from, until, limit } = filter;
  const exact = type === undefined || type.endsWith("*") ? null : type;
  const family = type?.endsWith(".*") !== true ? null : `${type.slice(0, -1).replace(/[\\%_]/g, "\\$&")}%`;
  const values = [tenantId, livemode, exact, family, objectId ?? null, from ?? null, until ?? null, limit + 1];
  return (await tx.query<StoredEvent>({ text: LIST, values })).rows;
}

export async function readEvent(tx: Queryable, key: EventKey): Promise<StoredEvent | undefined> {
  return (await eventsFor(tx, [key]))[0];
}

/** Those that are kept, in no order. */
export async function eventsFor(tx: Queryable, keys: readonly EventKey[]): Promise<StoredEvent[]> {
  if (keys.length === 0) return [];
  const values = [
    textArray(keys.map(({ tenantId }) => tenantId)),
    booleanArray(keys.map(({ livemode }) => livemode)),
    textArray(keys.map(({ id }) => id)),
  ];
  return (await tx.query<StoredEvent>({ name: "events_for", text: BY_KEY, values })).rows;
}

/**
 * Those that we have known for longer than so many days and that nobody waits for, at most `limit`. Facts stay: nothing is
 * told again. On a server only those outside of the months, which go whole: see outbox-partitions.ts. Returns how many.
 */
export async function deleteOldEvents(database: Database, days: number, limit: number): Promise<number> {
  return (await database.query({ text: DELETE_OLD[database.kind], values: [days, limit] })).rowCount;
}

// An event is made where the fact has just got its id: of a fact that was told before it is another one, or none.
const INSERT_FACTS = `
  with incoming as materialized (
    select * from unnest($1::text[], $2::boolean[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bigint[],
                         $9::text[], $10::text[], $11::text[], $13::bigint[])
      as fact (tenant_id, livemode, type, natural_key, stripe_account, object_type, object_id, occurred_at, observation_id,
               event_id, object, created)
  ), stored as (
    insert into facts as known (tenant_id, livemode, type, natural_key, stripe_account, object_type, object_id, occurred_at,
                                observation_id, event_id)
    select tenant_id, livemode, type, natural_key, stripe_account, object_type, object_id, to_timestamp(occurred_at),
           observation_id, event_id
    from incoming
    on conflict (tenant_id, livemode, type, natural_key) do update
    set (occurred_at, observation_id, stripe_account, object_type, object_id) = (
          select case when earlier then excluded.occurred_at else known.occurred_at end,
                 case when earlier then excluded.observation_id else known.observation_id end,
                 case when earlier then excluded.stripe_account else known.stripe_account end,
                 case when earlier then excluded.object_type else known.object_type end,
                 case when earlier then excluded.object_id else known.object_id end
          from (select (excluded.occurred_at, excluded.observation_id) < (known.occurred_at, known.observation_id)) as compared (earlier)),
        event_id = coalesce(known.event_id, excluded.event_id)
    where (excluded.occurred_at, excluded.observation_id) < (known.occurred_at, known.observation_id)
       or (known.event_id is null and excluded.event_id is not null)
    returning event_id
  )
  insert into events (tenant_id, livemode, id, type, created, api_version, stripe_account, object_type, object_id, object)
  select tenant_id, livemode, event_id, type, to_timestamp(created), $12, stripe_account, object_type, object_id, object
  from incoming join stored using (event_id)`;

const INSERT_EVENTS = `
  insert into events (tenant_id, livemode, id, type, created, api_version, object_type, object_id, object)
  select tenant_id, livemode, id, type, coalesce(to_timestamp(created / 1000.0), now()), $9, object_type, object_id, object
  from unnest($1::text[], $2::boolean[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::text[], $8::text[])
    as event (tenant_id, livemode, id, type, created, object_type, object_id, object)`;

const COLUMNS = `
  event.tenant_id as "tenantId", event.livemode, event.id, event.type, event.created, event.created_at as "createdAt",
  event.api_version as "apiVersion", event.stripe_account as "stripeAccount", event.object_type as "objectType",
  event.object_id as "objectId", event.object`;

const LIST = `
  select ${COLUMNS} from events as event
  where event.tenant_id = $1 and event.livemode = $2 and ($3::text is null or event.type = $3)
    and ($4::text is null or event.type like $4) and ($5::text is null or event.object_id = $5)
    and ($6::text is null or event.id >= $6) and ($7::text is null or event.id < $7)
  order by event.id desc limit $8`;

// `limit 1` makes it a look-up by primary key, whatever the plan's age.
const BY_KEY = `
  select ${COLUMNS}
  from unnest($1::text[], $2::boolean[], $3::text[]) as wanted (tenant_id, livemode, id)
  cross join lateral (
    select * from events as stored
    where stored.tenant_id = wanted.tenant_id and stored.livemode = wanted.livemode and stored.id = wanted.id limit 1) as event`;

const OLD = `
  created_at < now() - $1 * interval '1 day'
  and not exists (
    select from deliveries as delivery
    where delivery.tenant_id = told.tenant_id and delivery.livemode = told.livemode and delivery.event_id = told.id
      and delivery.status = 'pending')
  and not exists (
    select from recoveries as recovery
    where recovery.tenant_id = told.tenant_id and recovery.livemode = told.livemode and recovery.status = 'running'
      and coalesce(recovery.cursor, '') < told.id)
  order by created_at limit $2`;

const DELETE_OLD = {
  embedded: `delete from events where ctid = any (array(select ctid from events as told where ${OLD}))`,
  server: `delete from events_default where ctid = any (array(select ctid from events_default as told where ${OLD}))`,
};
