// Event destinations: /v2/core/event_destinations, for endpoints that want thin events, or events by the newer API.
import type Stripe from "stripe";

import { invalidRequest, noSuch, parameterMissing } from "../core/errors.ts";
import { NEWEST_VERSION } from "../core/kinds.ts";
import { mergeMetadata } from "../core/metadata.ts";
import { type Route, route } from "../core/route.ts";
import type { Transaction } from "../core/transaction.ts";
import { changeDestination, type DestinationRecord, keepDestination, newSecret } from "./destination.ts";
import { isoTime, thinEventOf } from "./event-body.ts";
import { queueDelivery } from "./queue-deliveries.ts";
import { v2Page, type V2PageParameters } from "./v2-page.ts";

type V2Destination = Stripe.V2.Core.EventDestination;
type CreateParams = Stripe.V2.Core.EventDestinationCreateParams;
interface Including {
  include?: readonly string[];
}

const PATH = "/v2/core/event_destinations";

export const eventDestinationRoutes: Route[] = [
  route<CreateParams>()(`POST ${PATH}`, (tx, given) => {
    const secret = newSecret(tx);
    const made = shown(createEventDestination(tx, given, secret), given);
    if (given.include?.includes("webhook_endpoint.signing_secret") !== true) return made;
    return { ...made, webhook_endpoint: { ...made.webhook_endpoint, signing_secret: secret } };
  }),
  route<Including>()(`GET ${PATH}/*`, (tx, given, id) => shown(v2Of(found(tx, id)), given)),
  route<Stripe.V2.Core.EventDestinationUpdateParams>()(`POST ${PATH}/*`, (tx, given, id) =>
    shown(update(tx, id, given), given),
  ),
  route<V2PageParameters & Including>()(`GET ${PATH}`, (tx, given) => {
    const all = tx.where("_destination", ({ v2 }) => v2 !== null).map((each) => shown(v2Of(each), given));
    return v2Page(all.reverse(), PATH, given);
  }),
  route()(`DELETE ${PATH}/*`, (tx, _given, id) => {
    tx.remove("_destination", found(tx, id).id);
    return { id, object: "v2.core.event_destination" };
  }),
  route<Including>()(`POST ${PATH}/*/disable`, (tx, given, id) => shown(turn(tx, id, "disabled"), given)),
  route<Including>()(`POST ${PATH}/*/enable`, (tx, given, id) => shown(turn(tx, id, "enabled"), given)),
  route()(`POST ${PATH}/*/ping`, (tx, _given, id) => ping(tx, found(tx, id))),
];

export function createEventDestination(tx: Transaction, given: CreateParams, secret: string): V2Destination {
  const url = given.webhook_endpoint?.url;
  for (const name of ["enabled_events", "event_payload", "name", "type"]) {
    if (!(name in given)) throw parameterMissing(name);
  }
  if (given.type !== "webhook_endpoint") {
    throw invalidRequest("The sandbox sends to webhook endpoints alone: type must be webhook_endpoint.", {
      param: "type",
    });
  }
  if (url === undefined) throw parameterMissing("webhook_endpoint.url");
  const made = isoTime(tx.now);
  const isSnapshot = given.event_payload === "snapshot";
  const id = (tx.scope.livemode ? "ed_" : "ed_test_") + tx.world.random.text(30);
  const from = given.events_from ?? ["@self"];
  const v2: V2Destination = {
    id,
    object: "v2.core.event_destination",
    created: made,
    description: given.description ?? "",
    enabled_events: given.enabled_events,
    event_payload: given.event_payload,
    events_from: from,
    livemode: tx.scope.livemode,
    metadata: mergeMetadata({}, given.metadata),
    name: given.name,
    ...(isSnapshot ? { snapshot_api_version: given.snapshot_api_version ?? NEWEST_VERSION } : {}),
    status: "enabled",
    type: "webhook_endpoint",
    updated: made,
    webhook_endpoint: { url },
  };
  keepDestination(tx, id, {
    url,
    enabled_events: v2.enabled_events,
    from: from.map((each) => (each.includes("account") ? "accounts" : "self")),
    is_thin: !isSnapshot,
    api_version: v2.snapshot_api_version ?? null,
    is_enabled: true,
    secrets: [{ secret, until: null }],
    v2,
  });
  return v2;
}

function update(tx: Transaction, id: string, given: Stripe.V2.Core.EventDestinationUpdateParams): V2Destination {
  const old = v2Of(found(tx, id));
  return changed(tx, id, {
    ...old,
    description: given.description ?? old.description,
    enabled_events: given.enabled_events ?? old.enabled_events,
    metadata: mergeMetadata(old.metadata, given.metadata),
    name: given.name ?? old.name,
    webhook_endpoint: given.webhook_endpoint ?? old.webhook_endpoint ?? {},
  });
}

function turn(tx: Transaction, id: string, status: "enabled" | "disabled"): V2Destination {
  const { status_details: _gone, ...old } = v2Of(found(tx, id));
  const details = status === "disabled" ? { status_details: { disabled: { reason: "user" as const } } } : {};
  return changed(tx, id, { ...old, ...details, status });
}

function changed(tx: Transaction, id: string, given: V2Destination): V2Destination {
  const v2 = { ...given, updated: isoTime(tx.now) };
  const { enabled_events, status } = v2;
  const url = v2.webhook_endpoint?.url ?? tx.get("_destination", id).url;
  changeDestination(tx, id, { v2, url, enabled_events, is_enabled: status === "enabled" });
  return v2;
}

/** A ping is an event of its own, sent to this destination alone. */
function ping(tx: Transaction, destination: DestinationRecord): object {
  const event = {
    id: tx.newId("event"),
    object: "event",
    api_version: NEWEST_VERSION,
    created: tx.now,
    data: { object: { id: destination.id, object: "v2.core.event_destination" } },
    livemode: tx.scope.livemode,
    pending_webhooks: 1,
    request: { id: tx.origin.request, idempotency_key: tx.origin.idempotency_key },
    type: "v2.core.event_destination.ping",
  } as unknown as Stripe.Event;
  tx.put("event", event);
  queueDelivery(tx, tx, event, destination.id, { isResent: true });
  return thinEventOf(tx, event);
}

function found(tx: Transaction, id: string): DestinationRecord {
  const destination = tx.find("_destination", id);
  if (destination === undefined || destination.v2 === null) throw noSuch("v2.core.event_destination", id);
  return destination;
}

function v2Of({ v2 }: DestinationRecord): V2Destination {
  if (v2 === null) throw new Error("a webhook endpoint of /v1 is no event destination");
  return v2;
}

/** The address is told to those alone who ask for it. */
function shown(destination: V2Destination, { include = [] }: Including): V2Destination {
  return include.includes("webhook_endpoint.url") ? destination : { ...destination, webhook_endpoint: {} };
}
