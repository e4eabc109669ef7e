// Control of endpoints and a look at deliveries: endpoints with a secret of one's own, rolled secrets, what became of what.
import { invalidRequest, noSuch, parameterMissing } from "../core/errors.ts";
import { type Kinds, PLATFORM_ACCOUNT, type Scope, scopeOf } from "../core/kinds.ts";
import type { Transaction } from "../core/transaction.ts";
import type { World } from "../core/world.ts";
import { changeDestination, type DestinationRecord, newSecret, rollSecret, validSecrets } from "./destination.ts";
import { createEventDestination } from "./event-destination-routes.ts";
import { withAccount } from "./event-body.ts";
import { eventAnywhere } from "./event-routes.ts";
import { type Given, givenFlag, givenNumber, givenText, givenTexts } from "./given.ts";
import { resend } from "./resend.ts";
import { createWebhookEndpoint, updateWebhookEndpoint } from "./webhook-endpoint-routes.ts";

/** A rolled secret goes on signing for a day at most. */
const LONGEST_ROLL_SECONDS = 24 * 3600;
const DEFAULT_LIMIT = 100;
const HIGHEST_LIMIT = 100_000;

interface Registration {
  url: string;
  secret: string | undefined;
  isConnect: boolean;
  isThin: boolean;
  apiVersion: string | undefined;
  enabledEvents: string[];
}

/** Makes an endpoint, or changes the one that has the url and the same kind already. Answers with its secret. */
export function registerEndpoint(world: World, body: Given): object {
  const url = givenText(body, "url");
  if (url === undefined) throw parameterMissing("url");
  const scope = {
    livemode: givenFlag(body, "livemode") ?? false,
    account: givenText(body, "account") ?? PLATFORM_ACCOUNT,
  };
  const registration: Registration = {
    url,
    secret: givenText(body, "secret"),
    isConnect: givenFlag(body, "connect") ?? false,
    isThin: givenFlag(body, "thin") ?? false,
    apiVersion: givenText(body, "api_version"),
    enabledEvents: givenTexts(body, "enabled_events") ?? ["*"],
  };
  return world.run((tx) => {
    const id = registered(tx, registration);
    return shown(tx.get("_destination", id), tx);
  }, scope);
}

const REGISTERED = "registered_endpoints";

/** These endpoints, and none of those that an earlier call registered. */
export function registerAnew(world: World, endpoints: readonly object[]): void {
  const ids = endpoints.map((endpoint) => (registerEndpoint(world, { ...endpoint }) as { id: string }).id);
  world.run((tx) => {
    const before = (tx.find("_extra", REGISTERED)?.ids ?? []) as string[];
    for (const id of before.filter((old) => !ids.includes(old))) forget(tx, id);
    tx.put("_extra", { id: REGISTERED, object: "_extra", created: tx.now, ids });
  });
}

/** In whichever mode it is. */
function forget(tx: Transaction, id: string): void {
  for (const livemode of [true, false]) {
    const own = tx.in({ ...tx.scope, livemode });
    own.remove("webhook_endpoint", id);
    own.remove("_destination", id);
  }
}

function registered(tx: Transaction, wanted: Registration): string {
  const { url, isThin, isConnect } = wanted;
  const from = isConnect ? "accounts" : "self";
  const [old] = tx.where(
    "_destination",
    (each) => each.url === url && each.is_thin === isThin && each.from.includes(from),
  );
  if (old === undefined) return isThin ? makeThin(tx, wanted) : makeEndpoint(tx, wanted);
  if (!isThin) {
    updateWebhookEndpoint(tx, old.id, {
      enabled_events: wanted.enabledEvents,
      disabled: false,
      ...(wanted.apiVersion === undefined ? {} : { api_version: wanted.apiVersion }),
    });
  }
  const secrets = wanted.secret === undefined ? old.secrets : [{ secret: wanted.secret, until: null }];
  changeDestination(tx, old.id, { secrets, enabled_events: wanted.enabledEvents });
  return old.id;
}

function makeEndpoint(tx: Transaction, wanted: Registration): string {
  const { url, isConnect, enabledEvents, apiVersion } = wanted;
  const given = {
    url,
    connect: isConnect,
    enabled_events: enabledEvents,
    ...(apiVersion === undefined ? {} : { api_version: apiVersion }),
  };
  return createWebhookEndpoint(tx, given, wanted.secret ?? newSecret(tx)).id;
}

function makeThin(tx: Transaction, { url, isConnect, enabledEvents, secret }: Registration): string {
  const given = {
    name: url,
    type: "webhook_endpoint" as const,
    event_payload: "thin" as const,
    enabled_events: enabledEvents,
    events_from: [isConnect ? "@accounts" : "@self"],
    webhook_endpoint: { url },
  };
  return createEventDestination(tx, given, secret ?? newSecret(tx)).id;
}

/** `secret`: the new one; drawn when it is left out. `expires_in`: seconds in which the old one goes on signing. */
export function rollEndpoint(world: World, id: string, body: Given): object {
  const expiresIn = givenNumber(body, "expires_in", { from: 0, to: LONGEST_ROLL_SECONDS }) ?? 0;
  for (const key of world.scopes()) {
    const rolled = world.run((tx) => {
      if (tx.find("_destination", id) === undefined) return undefined;
      return shown(rollSecret(tx, id, givenText(body, "secret") ?? newSecret(tx), expiresIn), tx);
    }, scopeOf(key));
    if (rolled !== undefined) return rolled;
  }
  throw noSuch("webhook_endpoint", id);
}

export function endpointsShown(world: World): { data: object[] } {
  const data = world
    .scopes()
    .flatMap((key) => world.run((tx) => tx.all("_destination").map((each) => shown(each, tx)), scopeOf(key)));
  return { data };
}

function shown(destination: DestinationRecord, { scope, now }: { scope: Scope; now: number }): object {
  const { id, url, enabled_events, from, is_thin, api_version, is_enabled } = destination;
  const secrets = validSecrets(destination, now).map(({ secret }) => secret);
  return {
    id,
    ...scope,
    url,
    enabled_events,
    connect: from.includes("accounts"),
    thin: is_thin,
    api_version,
    status: is_enabled ? "enabled" : "disabled",
    secret: secrets[0] ?? null,
    secrets,
  };
}

/** To one endpoint, or to all that the event is for. */
export function resendEvent(world: World, id: string, endpoint?: string): object {
  return world.run((tx) => {
    const { own, event } = eventAnywhere(tx, id);
    return withAccount(own, resend(own, event, endpoint));
  });
}

const STATES: readonly string[] = ["pending", "delivered", "failed", "dropped"];

/** The newest first. Filters: `state`, `event`, `endpoint`, `limit`. */
export function deliveriesShown(world: World, body: Given): object {
  const [state, event, endpoint] = [givenText(body, "state"), givenText(body, "event"), givenText(body, "endpoint")];
  if (state !== undefined && !STATES.includes(state)) {
    throw invalidRequest(`state must be one of ${STATES.join(", ")}.`, { param: "state" });
  }
  const limit = givenNumber(body, "limit", { from: 1, to: HIGHEST_LIMIT }) ?? DEFAULT_LIMIT;
  const fits = (each: Kinds["_delivery"]): boolean =>
    (state ?? each.state) === each.state &&
    (event ?? each.event) === each.event &&
    (endpoint ?? each.endpoint) === each.endpoint;
  const found = world.scopes().flatMap((key) => world.run((tx) => tx.where("_delivery", fits), scopeOf(key)));
  return { data: found.reverse().slice(0, limit), total: found.length };
}
