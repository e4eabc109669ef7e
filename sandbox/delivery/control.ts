// The control endpoints: what turns the sandbox's knobs and looks inside, from this machine alone.
import { ID_PREFIX, type Kind, PLATFORM_ACCOUNT, scopeOf } from "../core/kinds.ts";
import type { World } from "../core/world.ts";
import { advanceClock } from "../door/tick.ts";
import type { RouteTable } from "../door/route-table.ts";
import { readChaos } from "./chaos.ts";
import { deliveriesShown, endpointsShown, registerEndpoint, resendEvent, rollEndpoint } from "./control-endpoints.ts";
import { type Given, givenNumber, givenText } from "./given.ts";
import { liveOf } from "./live.ts";
import { receivedShown, receiveWebhook } from "./received.ts";
import { trigger, triggersShown } from "./trigger.ts";

export interface ControlCall {
  /** The query's and the body's fields: of a form, where all is text, or of JSON. */
  body: Record<string, unknown>;
  ids: string[];
  /** For those that act through the API. */
  api: RouteTable;
}

export interface ControlRoute {
  /** "GET /_sandbox/objects/*": one `*` for each id in the path. */
  pattern: string;
  answer: (world: World, call: ControlCall) => object | Promise<object>;
}

const LONGEST_IDLE_MS = 600_000;

export const controlRoutes: ControlRoute[] = [
  { pattern: "GET /_sandbox/status", answer: (world) => status(world) },
  { pattern: "GET /_sandbox/objects/*", answer: (world, { ids: [kind = ""] }) => objectsShown(world, kind) },
  { pattern: "GET /_sandbox/endpoints", answer: (world) => endpointsShown(world) },
  { pattern: "POST /_sandbox/endpoints", answer: (world, { body }) => registerEndpoint(world, body) },
  {
    pattern: "POST /_sandbox/endpoints/*/roll",
    answer: (world, { body, ids }) => rollEndpoint(world, ids[0] ?? "", body),
  },
  { pattern: "GET /_sandbox/deliveries", answer: (world, { body }) => deliveriesShown(world, body) },
  { pattern: "POST /_sandbox/deliveries/flush", answer: (world) => ({ due: liveOf(world).deliveries?.flush() ?? 0 }) },
  { pattern: "POST /_sandbox/idle", answer: (world, { body }) => waitUntilIdle(world, body) },
  {
    pattern: "POST /_sandbox/events/*/resend",
    answer: (world, { body, ids }) => resendEvent(world, ids[0] ?? "", givenText(body, "endpoint")),
  },
  { pattern: "GET /_sandbox/received", answer: (world) => receivedShown(world) },
  { pattern: "POST /_sandbox/received", answer: (world, { body }) => receiveWebhook(world, body) },
  { pattern: "GET /_sandbox/trigger", answer: () => triggersShown() },
  { pattern: "POST /_sandbox/trigger", answer: (world, { body, api }) => trigger(world, api, body) },
  {
    pattern: "POST /_sandbox/clock/advance",
    answer: (world, { body }) => ({
      now: advanceClock(world, givenNumber(body, "seconds", { from: 1, to: Number.MAX_SAFE_INTEGER })),
    }),
  },
  { pattern: "GET /_sandbox/chaos", answer: (world) => liveOf(world).chaos },
  { pattern: "POST /_sandbox/chaos", answer: (world, { body }) => setChaos(world, body) },
  { pattern: "GET /_sandbox/faults", answer: (world) => ({ data: liveOf(world).faults.list() }) },
  { pattern: "POST /_sandbox/faults", answer: (world, { body }) => addFault(world, body) },
  { pattern: "DELETE /_sandbox/faults", answer: (world) => clearFaults(world) },
];

function status(world: World): object {
  const scopes = world.scopes().map((key) => ({ scope: key, objects: countsIn(world, key) }));
  const { listeners, deliveries, chaos } = liveOf(world);
  return {
    url: world.origin,
    now: world.now(),
    platform: PLATFORM_ACCOUNT,
    scopes,
    endpoints: endpointsShown(world).data.length,
    deliveries: deliveries?.counts() ?? null,
    listen: listeners.counts(),
    chaos,
  };
}

/** Kinds that take their ids from elsewhere, besides those that ID_PREFIX names. */
const OTHER_KINDS: readonly Kind[] = ["capability", "coupon"];

function countsIn(world: World, scope: string): Record<string, number> {
  const kinds = [...(Object.keys(ID_PREFIX) as Kind[]), ...OTHER_KINDS].filter((kind) => !kind.startsWith("_"));
  const counts = kinds.map((kind) => [kind, world.state(scope).all(kind).length] as const);
  return Object.fromEntries(counts.filter(([, count]) => count > 0));
}

/** What Stripe shows of its objects, whosever they are; the sandbox's own records have ways of their own. */
function objectsShown(world: World, kind: string): object {
  if (kind.startsWith("_")) return { data: [] };
  const data = world.scopes().flatMap((scope) => {
    const objects = world.run((tx) => tx.all(kind as Kind), scopeOf(scope));
    return objects.map((object) => ({ scope, object }));
  });
  return { data };
}

async function waitUntilIdle(world: World, body: Given): Promise<object> {
  const timeoutMs = givenNumber(body, "timeout_ms", { from: 0, to: LONGEST_IDLE_MS });
  const { deliveries } = liveOf(world);
  const idle = deliveries === undefined || (await deliveries.idle(timeoutMs));
  return { idle, deliveries: deliveries?.counts() ?? null };
}

/** Holds for the deliveries that are queued from now on. */
function setChaos(world: World, body: Given): object {
  const live = liveOf(world);
  live.chaos = readChaos(body, live.chaos);
  return live.chaos;
}

function addFault(world: World, body: Given): object {
  const { faults } = liveOf(world);
  faults.add(body);
  return { data: faults.list() };
}

function clearFaults(world: World): object {
  const { faults } = liveOf(world);
  faults.clear();
  return { data: [] };
}
