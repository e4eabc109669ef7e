// Renders an event in the shape of an API version: its object as it was then, and what that version saw change.
import type Stripe from "stripe";

import { previousAttributes } from "../core/difference.ts";
import type { Transaction } from "../core/transaction.ts";
import { knownAt } from "./known.ts";
import { isNewest, renderKnown } from "./render.ts";
import type { Fields } from "./version-change.ts";

/** `tx` looks at the event's account. */
export function renderEvent(tx: Transaction, event: Stripe.Event, version: string): Stripe.Event {
  if (event.api_version === version) return event;
  if (isNewest(version)) return { ...event, api_version: version };
  const known = knownAt(tx, event);
  const rendered = (object: object): object => renderKnown(known, object, version) as object;
  const { object, previous_attributes } = event.data;
  const after = rendered(object);
  const data =
    previous_attributes === undefined
      ? { object: after }
      : {
          object: after,
          previous_attributes: previousAttributes(
            rendered(before(object as unknown as Fields, previous_attributes)),
            after,
          ),
        };
  return { ...event, api_version: version, data } as unknown as Stripe.Event;
}

/** The object before the change: hashes are told field by field, all else as a whole. */
function before(object: Fields, previous: Fields): Fields {
  const fields: Record<string, unknown> = { ...object };
  for (const [name, old] of Object.entries(previous)) {
    const now = fields[name];
    fields[name] = isHash(old) && isHash(now) ? before(now, old) : old;
  }
  return fields;
}

function isHash(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
