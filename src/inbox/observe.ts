// Observing: an object that we fetched enters the same inbox as Stripe's events, and changes state only from there.
import { newId } from "../base/ids.ts";
import type { Queryable } from "../db/database.ts";
import { type ObjectKey, type StripeObject, type UnixSeconds } from "../projections/observation.ts";
import { customerOf, emailOf, keyTypeOf } from "../projections/registry.ts";
import { type IncomingEvent, insertEvents } from "./event-tables.ts";
import { queueFetches } from "./fetch-table.ts";
import { idOf } from "./receive.ts";

/** An object as Stripe's API answered it. */
export interface FetchedObject {
  livemode: boolean;
  /** "" for the platform's own account. */
  account: string;
  object: StripeObject;
  /** The answer as received, where it is at hand: what JSON.stringify makes of numbers beyond doubles is not what came. */
  text?: string;
  /** The second that the answer is known to include: see `retrieveObject`. */
  asOf: UnixSeconds;
  apiVersion: string | null;
  /** Stripe has given an old answer once more, in this second: see StripeAnswer. The object is fetched, as it is by then. */
  replayedAt?: UnixSeconds | undefined;
  /** What a thin event of the second `asOf` says happened to it: it yields the facts of a snapshot event of this name. Of an import: see IMPORTED of projections/registry.ts. */
  type?: string;
}

/**
 * Stores fetched objects and queues them, in `tx`: the caller's transaction, or the database itself. They are processed
 * like events. Throws a TypeError for what has no `object` and `id`: then nothing of the call is stored.
 *
 * @returns the keys of the objects, in the order given
 */
export async function observe(
  tx: Queryable,
  fetched: readonly FetchedObject[],
  platformTenant: string,
): Promise<ObjectKey[]> {
  const observations = fetched.map((one) => pulledEvent(one, platformTenant));
  if (observations.length > 0)
    await insertEvents(
      tx,
      observations.map(({ event }) => event),
    );
  await queueFetches(
    tx,
    observations.flatMap(({ key, replayedAt }) =>
      replayedAt === undefined ? [] : [{ ...key, since: replayedAt, reason: "replayed" }],
    ),
  );
  return observations.map(({ key }) => key);
}

interface Pulled {
  event: IncomingEvent;
  key: ObjectKey;
  replayedAt: UnixSeconds | undefined;
}

function pulledEvent(fetched: FetchedObject, platformTenant: string): Pulled {
  const { livemode, account, object, asOf, apiVersion, replayedAt, type } = fetched;
  const kind = object.object;
  const objectId = idOf(object);
  if (typeof kind !== "string" || objectId === null)
    throw new TypeError("A fetched object must have `object` and `id`.");
  const key = { livemode, account, objectType: keyTypeOf(kind), objectId };
  const event: IncomingEvent = {
    id: newId("obs"),
    source: "pull",
    type: type ?? `${kind}.retrieved`,
    created: asOf,
    livemode,
    account,
    apiVersion,
    objectType: key.objectType,
    objectId,
    customerId: customerOf(object),
    email: emailOf(object),
    tenantId: account === "" ? platformTenant : null,
    payload: Buffer.from(fetched.text ?? JSON.stringify(object), "utf8"),
  };
  return { event, key, replayedAt };
}
