// What tenants are told of Stripe's objects: our own flat ones, read by the same functions as our rows. Pure.
import { type EventObjectName, fieldsOf } from "../outbox/event-objects.ts";
import { eventType } from "../outbox/event-types.ts";
import { type FoldedRow, isStub, type Kept, rowOf, type StoredHead, TOLD, TRACKED } from "./fold.ts";
import type { Observation, UnixSeconds } from "./observation.ts";
import { type ColumnType, type ColumnValue, type Fact, fact, type Projection } from "./projection.ts";

/** By table. What has none is told by the event of another object. */
const PUBLISHED: Readonly<Record<string, EventObjectName>> = {
  ...{ customers: "customer", subscriptions: "subscription", invoices: "invoice", payment_intents: "payment" },
  ...{ charges: "charge", refunds: "refund", disputes: "dispute", checkout_sessions: "checkout_session" },
  ...{ payment_methods: "payment_method", sources: "payment_method", setup_intents: "setup_intent" },
  ...{ payouts: "payout", connected_accounts: "connected_account" },
};

/** When a fact happened, where the object says so. */
const HAPPENED: Readonly<Record<string, string>> = {
  ...{ "invoice.finalized": "finalized_at", "invoice.paid": "paid_at", "invoice.voided": "voided_at" },
  ...{ "invoice.marked_uncollectible": "marked_uncollectible_at", "payment.canceled": "canceled_at" },
  ...{ "subscription.canceled": "ended_at", "subscription.expired": "ended_at" },
};

type Columns = Readonly<Record<string, ColumnValue | undefined>>;
export type PublishedObject = Readonly<Record<string, unknown>>;

/** A fact, with what tenants are told of it; null: nothing. */
export interface ToldFact extends Fact {
  object: PublishedObject | null;
  /** Where its object says so. */
  happenedAt?: UnixSeconds;
}

/**
 * The facts of one observation. `since`: from when on its tenant is told, the second at which it connected the account; what
 * happened earlier is only stored. Of an object that was fetched its age decides, where nothing else says when, and so it does
 * of an event that says a change of something else: of what is new about an old one Stripe's own event tells. A stub that says
 * only "deleted" is told with what is `known` of its object.
 */
export function factsOf(
  observation: Observation,
  projection: Projection,
  since: UnixSeconds,
  known?: Columns,
): ToldFact[] {
  const found = projection.facts?.(observation.object, observation) ?? [];
  let object: PublishedObject | null | undefined;
  return found.flatMap((one) => {
    if (one === false || one === null || one === undefined) return [];
    if (!isTold(one, observation, projection, since)) return [{ ...one, object: null }];
    const columns = isStub(observation) && known !== undefined ? known : rowOf(projection, observation);
    object ??= publishedObject(projection, observation.objectId, columns);
    const at = happenedAt(one, observation, projection);
    return [{ ...one, object, ...(at === undefined ? {} : { happenedAt: at }) }];
  });
}

function isTold(one: Fact, observation: Observation, projection: Projection, since: UnixSeconds): boolean {
  if (one.untold === true || isImported(observation) || eventType(one.type) === undefined) return false;
  if (since <= 0) return true;
  const saysOnlyState = observation.type.endsWith(".retrieved") || isRestated(one, observation);
  const known = saysOnlyState ? rowOf(projection, observation).stripe_created : observation.created;
  const at = happenedAt(one, observation, projection) ?? known;
  return typeof at !== "number" || at >= since;
}

/** By its name and by `previous_attributes` the event is of another change: the fact was true before it. */
function isRestated({ type: told }: Fact, { type, previous }: Observation): boolean {
  if (previous === undefined || DECIDING.some((field) => field in previous)) return false;
  const name = told.split(".").at(-1) ?? told;
  return name === "updated" || !type.endsWith(name);
}

/** What facts follow from. */
const DECIDING = ["status", "latest_invoice", "payment_status", "trial_end"];

function happenedAt({ type }: Fact, observation: Observation, projection: Projection): UnixSeconds | undefined {
  const column = HAPPENED[type];
  const at = column === undefined ? undefined : rowOf(projection, observation)[column];
  return typeof at === "number" ? at : undefined;
}

/** An import brings what was there before: only what happens from now on is told, by its own event. */
export const isImported = ({ type }: Pick<Observation, "type">): boolean => type.endsWith(".imported");

export interface UpdateOf {
  before: StoredHead | undefined;
  fresh: readonly Observation[];
  /** Ids of those that were never anybody's. */
  unowned: ReadonlySet<string>;
  since: UnixSeconds;
}

/**
 * That an object has changed: once for each new head whose tracked columns differ from the stored head's, so that what came
 * in one batch is told once, in its last state. The first that is known of an object tells it only where Stripe says so; so
 * does what follows a head of which nobody was told, because its owner was not known.
 */
export function updateOf(row: FoldedRow, { before, fresh, unowned, since }: UpdateOf): ToldFact | null {
  const { projection, head, key, deleted } = row;
  if (projection.updated === undefined || deleted || isImported(head) || head.created < since) return null;
  const isFirst = before === undefined || unowned.has(before.eventId);
  const changed = isFirst
    ? fresh.some(({ type }) => type.endsWith(".updated"))
    : before.eventId !== head.id && saysOther(before.kept, row.kept);
  if (!changed) return null;
  const object = publishedObject(projection, key.objectId, row.columns);
  return { ...fact(projection.updated, key.objectId, head.id), object };
}

function saysOther(before: Kept, now: Kept): boolean {
  if (before[TRACKED]?.[0] !== now[TRACKED]?.[0]) return true;
  return before[TOLD] !== undefined && before[TOLD][0] !== now[TOLD]?.[0];
}

/** Null for a kind that is not told of. */
export function publishedObject(
  projection: Projection,
  objectId: string | null,
  columns: Columns,
): PublishedObject | null {
  const plan = planOf(projection);
  if (plan === null) return null;
  const object: Record<string, unknown> = { id: objectId, object: plan.name };
  for (const { field, column, type } of plan.fields) object[field] = valueOf(type, columns[column] ?? null);
  return object;
}

function valueOf(type: ColumnType, value: ColumnValue): unknown {
  return type === "time" && typeof value === "number" ? new Date(value * 1000).toISOString() : value;
}

interface Plan {
  name: EventObjectName;
  fields: { field: string; column: string; type: ColumnType }[];
}

const plans = new Map<string, Plan | null>();

function planOf(projection: Projection): Plan | null {
  let plan = plans.get(projection.table);
  if (plan === undefined) plans.set(projection.table, (plan = makePlan(projection)));
  return plan;
}

function makePlan({ table, columns }: Projection): Plan | null {
  const name = PUBLISHED[table];
  if (name === undefined) return null;
  const fields = fieldsOf(name)
    .filter((field) => field !== "id" && field !== "object")
    .map((field) => {
      const column = field === "created_at" ? "stripe_created" : field;
      const type = columns[column];
      if (type === undefined) throw new Error(`${table} has no column for ${name}.${field}`);
      return { field, column, type };
    });
  return { name, fields };
}
