// Events: /v1/events as kept when they were raised, the same as thin events in /v2/core/events, and resending.
import type Stripe from "stripe";

import { accountOf } from "../connect/connection.ts";
import { invalidRequest, noSuch } from "../core/errors.ts";
import { scopeOf } from "../core/kinds.ts";
import { listOf } from "../core/list.ts";
import { type Route, route } from "../core/route.ts";
import type { Transaction } from "../core/transaction.ts";
import { THIN_PREFIX } from "./destination.ts";
import { isoTime, snapshotIdOf, thinEventOf, withAccount } from "./event-body.ts";
import { resend, resendToListeners } from "./resend.ts";
import { v2Page, type V2PageParameters } from "./v2-page.ts";

const MOST_TYPES = 20;

interface RetryParams {
  webhook_endpoint?: string;
  account?: string;
  /** Said by the CLI when it names no endpoint: to those that run `stripe listen`. */
  for_stripecli?: string;
}

interface ThinListParams extends V2PageParameters {
  object_id?: string;
  types?: readonly string[];
  created?: Partial<Record<"gt" | "gte" | "lt" | "lte", string>>;
}

export const eventRoutes: Route[] = [
  route<Stripe.EventRetrieveParams>()("GET /v1/events/*", (tx, _given, id) => withAccount(tx, tx.get("event", id))),
  route<Stripe.EventListParams>()("GET /v1/events", (tx, given) => {
    const { data, ...list } = listOf(tx.where("event", filterOf(given)), "/v1/events", given);
    return { ...list, data: data.map((event) => withAccount(tx, event)) };
  }),
  route<RetryParams>()("POST /v1/events/*/retry", (tx, given, id) => {
    const own = given.account === undefined ? tx : tx.in({ ...tx.scope, account: accountOf(tx, given.account).id });
    const event = own.get("event", id);
    const isForListeners = given.for_stripecli === "true" && given.webhook_endpoint === undefined;
    return withAccount(
      own,
      isForListeners ? resendToListeners(own, event) : resend(own, event, given.webhook_endpoint),
    );
  }),
  route()("GET /v2/core/events/*", (tx, _given, id) => {
    const event = tx.find("event", snapshotIdOf(id));
    if (event === undefined) throw noSuch("v2.core.event", id);
    return thinEventOf(tx, event);
  }),
  route<ThinListParams>()("GET /v2/core/events", (tx, given) => {
    const events = tx.where("event", thinFilterOf(given)).reverse();
    const page = v2Page(events, "/v2/core/events", given);
    return { ...page, data: page.data.map((event) => thinEventOf(tx, event)) };
  }),
];

type Filter = (event: Stripe.Event) => boolean;

function filterOf({ type, types, delivery_success }: Stripe.EventListParams): Filter {
  if (type !== undefined && types !== undefined) {
    throw invalidRequest("You may only specify one of these parameters: type, types.");
  }
  if (types !== undefined && types.length > MOST_TYPES) {
    throw invalidRequest(`You may only specify up to ${MOST_TYPES} types.`, { param: "types" });
  }
  const patterns = (types ?? (type === undefined ? ["*"] : [type])).map(patternOf);
  return (event) =>
    patterns.some((pattern) => pattern.test(event.type)) &&
    (delivery_success === undefined || delivery_success === (event.pending_webhooks === 0));
}

/** `charge.*` is every event whose name begins so. */
function patternOf(type: string): RegExp {
  const words = type.split("*").map((word) => word.replaceAll(/[^\w]/g, "\\$&"));
  return new RegExp(`^${words.join(".*")}$`);
}

function thinFilterOf({ object_id, types, created = {} }: ThinListParams): Filter {
  const { gt = "", gte = "", lt = "~", lte = "~" } = created;
  return (event) => {
    const at = isoTime(event.created);
    const object = event.data.object as { id?: string };
    return (
      (object_id === undefined || object.id === object_id) &&
      (types === undefined || types.includes(THIN_PREFIX + event.type) || types.includes(event.type)) &&
      at > gt &&
      at >= gte &&
      at < lt &&
      at <= lte
    );
  };
}

/** The event with that id, and the transaction that looks at its account: for those who know the id alone. */
export function eventAnywhere(tx: Transaction, id: string): { own: Transaction; event: Stripe.Event } {
  for (const key of tx.world.scopes()) {
    const own = tx.in(scopeOf(key));
    const event = own.find("event", id);
    if (event !== undefined) return { own, event };
  }
  throw noSuch("event", id);
}
