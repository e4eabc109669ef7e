// What is known of other objects while one is rendered: as they are now, or as they were when an event was raised.
import type Stripe from "stripe";

import { idOf, type Kind, type Kinds } from "../core/kinds.ts";
import type { Transaction } from "../core/transaction.ts";

export type Reference = string | { id: string } | null | undefined;

export interface Known {
  /** For links that never change, such as that of an invoice to its payment intent. */
  tx: Transaction;
  find: <K extends Kind>(kind: K, reference: Reference) => Kinds[K] | undefined;
  /** Of the kind, the oldest first, where the test holds. */
  where: <K extends Kind>(kind: K, holds: (object: Kinds[K]) => boolean) => Kinds[K][];
  /** What is made in the newest shape, in that of the objects found here. */
  shaped: <T>(made: T) => T;
}

export function knownNow(tx: Transaction): Known {
  return {
    tx,
    find: (kind, reference) => tx.find(kind, idOf(reference) ?? ""),
    where: (kind, holds) => tx.where(kind, holds),
    shaped: (made) => made,
  };
}

/** As the events up to this one have told; what no event has told of stands as it is now. */
export function knownAt(tx: Transaction, event: Stripe.Event): Known {
  let read: Around | undefined;
  const asOf = <K extends Kind>(kind: K, id: string, now: Kinds[K] | undefined): Kinds[K] | undefined => {
    read ??= around(tx.all("event"), event);
    const told = read.earlier.findLast((each) => isOf(each, kind, id));
    if (told !== undefined) return told.data.object as unknown as Kinds[K];
    // Events may have been dropped: what is older than this one was there all the same.
    const wasThere = now !== undefined && "created" in now && now.created < event.created;
    return !wasThere && read.later.some((each) => isOf(each, kind, id)) ? undefined : now;
  };
  return {
    tx,
    find: (kind, reference) => {
      const id = idOf(reference);
      return id === null ? undefined : asOf(kind, id, tx.find(kind, id));
    },
    where: (kind, holds) => tx.where(kind, holds).flatMap((object) => asOf(kind, object.id, object) ?? []),
    shaped: (made) => made,
  };
}

/** The events before one, and those since, itself among them. */
interface Around {
  earlier: Stripe.Event[];
  later: Stripe.Event[];
}

function around(events: Stripe.Event[], { id }: Stripe.Event): Around {
  const at = events.findIndex((each) => each.id === id);
  // An event that is only just being raised is the last.
  const place = at === -1 ? events.length : at;
  return { earlier: events.slice(0, place), later: events.slice(place) };
}

function isOf({ data }: Stripe.Event, kind: Kind, id: string): boolean {
  const object = data.object as { id?: string; object?: string };
  return object.id === id && object.object === kind;
}
