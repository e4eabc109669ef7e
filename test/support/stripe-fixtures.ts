// Stripe events for tests: the envelope, and what goes with it. The objects are in stripe-fixtures-*.ts, written by hand in old and new shapes.
import type { Observation, StripeObject } from "../../src/projections/observation.ts";
import { objectTypeOf } from "../../src/projections/registry.ts";

/** 2023-11-14T22:13:20Z: when the lives in these fixtures begin. */
export const BEGIN = 1_700_000_000;
export const DAY = 86_400;

export const OLD_API = "2020-08-27";
export const NEW_API = "2026-10-28.endive";

/** What a builder's caller may replace or add; `undefined` takes a field away. */
export type Overrides = Record<string, unknown>;

export function build(fields: StripeObject, overrides: Overrides): StripeObject {
  return Object.fromEntries(Object.entries({ ...fields, ...overrides }).filter(([, value]) => value !== undefined));
}

export function list(url: string, ...data: StripeObject[]): StripeObject {
  return { object: "list", data, has_more: false, url };
}

export interface EventOptions {
  id?: string;
  created?: number;
  /** What changed, old values. */
  previous?: StripeObject;
  apiVersion?: string | null;
  /** The connected account; none for the platform's own. */
  account?: string;
  livemode?: boolean;
}

export interface StripeEvent {
  id: string;
  object: "event";
  type: string;
  created: number;
  livemode: boolean;
  api_version: string | null;
  account?: string;
  data: { object: StripeObject; previous_attributes?: StripeObject };
  pending_webhooks: number;
  request: { id: string | null; idempotency_key: string | null } | null;
}

let made = 0;

/** An event as Stripe sends it. Without an id it gets the next number. */
export function event(type: string, object: StripeObject, options: EventOptions = {}): StripeEvent {
  made += 1;
  const { id = `evt_${String(made).padStart(8, "0")}`, created = BEGIN, previous, apiVersion = OLD_API } = options;
  return {
    id,
    object: "event",
    api_version: apiVersion,
    ...(options.account === undefined ? {} : { account: options.account }),
    created,
    data: { object, ...(previous === undefined ? {} : { previous_attributes: previous }) },
    livemode: options.livemode ?? false,
    pending_webhooks: 1,
    request: { id: null, idempotency_key: null },
    type,
  };
}

/** The event as the inbox hands it to a projection. */
export function observed(event: StripeEvent): Observation {
  const object = event.data.object;
  return {
    id: event.id,
    source: "webhook",
    type: event.type,
    created: event.created,
    apiVersion: event.api_version,
    livemode: event.livemode,
    account: event.account ?? "",
    objectType: objectTypeOf(event.type, object),
    objectId: typeof object.id === "string" ? object.id : null,
    object,
    ...(event.data.previous_attributes === undefined ? {} : { previous: event.data.previous_attributes }),
  };
}
