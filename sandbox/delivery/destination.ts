// Where events are sent: one record beside each webhook endpoint and event destination, and which events it takes.
import type Stripe from "stripe";

import { mayActFor } from "../connect/connection.ts";
import { invalidRequest } from "../core/errors.ts";
import { type Destination, type Kinds, PLATFORM_ACCOUNT } from "../core/kinds.ts";
import type { Transaction } from "../core/transaction.ts";

export type DestinationRecord = Kinds["_destination"];

/** Stripe's limit for each account and mode. */
const MOST_DESTINATIONS = 16;

/** Thin events are named after the snapshot events of which they are the short form. */
export const THIN_PREFIX = "v1.";

/** Keeps where the events of the endpoint `id` go. Ends the call when the account has too many of them. */
export function keepDestination(tx: Transaction, id: string, given: Destination): DestinationRecord {
  const old = tx.find("_destination", id);
  if (old === undefined && tx.all("_destination").length >= MOST_DESTINATIONS) {
    const mode = tx.scope.livemode ? "live" : "test";
    throw invalidRequest(`You have reached the maximum of ${MOST_DESTINATIONS} ${mode} webhook endpoints.`);
  }
  checkUrl(given.url);
  const created = old?.created ?? tx.world.now();
  return tx.put("_destination", { ...given, id, object: "_destination", created });
}

export function changeDestination(tx: Transaction, id: string, given: Partial<Destination>): DestinationRecord {
  return keepDestination(tx, id, { ...tx.get("_destination", id), ...given });
}

export function newSecret(tx: Transaction): string {
  return `whsec_${tx.world.random.text(32)}`;
}

/** A new secret. The old ones go on signing for so long, a day at most at Stripe. */
export function rollSecret(tx: Transaction, id: string, secret: string, expiresInSeconds: number): DestinationRecord {
  const now = tx.world.now();
  const old = validSecrets(tx.get("_destination", id), now).map((each) => ({
    secret: each.secret,
    until: Math.min(each.until ?? Infinity, now + expiresInSeconds),
  }));
  return changeDestination(tx, id, { secrets: [{ secret, until: null }, ...old] });
}

export function validSecrets({ secrets }: Destination, now: number): Destination["secrets"][number][] {
  return secrets.filter(({ until }) => until === null || until > now);
}

function checkUrl(url: string): void {
  if (/^https?:\/\//.test(url) && URL.canParse(url)) return;
  const message = /^https?:\/\//.test(url)
    ? "Invalid URL: The URL is not valid."
    : "Invalid URL: An explicit scheme (such as https) must be provided.";
  throw invalidRequest(message, { param: "url", code: "url_invalid" });
}

/** A destination, and the transaction that looks at the account it belongs to. */
export interface FoundDestination {
  owner: Transaction;
  destination: DestinationRecord;
}

/** Every destination that takes this event, which was raised in `tx`'s scope. */
export function destinationsOf(tx: Transaction, event: Stripe.Event): FoundDestination[] {
  const { livemode, account } = tx.scope;
  const own = takersIn(tx, "self", event.type);
  if (account === PLATFORM_ACCOUNT || !mayActFor(tx, account)) return own;
  const platform = tx.in({ livemode, account: PLATFORM_ACCOUNT });
  return [...takersIn(platform, "accounts", event.type), ...own];
}

function takersIn(owner: Transaction, from: "self" | "accounts", type: string): FoundDestination[] {
  return owner
    .where("_destination", (each) => each.is_enabled && each.from.includes(from) && takes(each, type))
    .map((destination) => ({ owner, destination }));
}

function takes({ enabled_events, is_thin }: Destination, type: string): boolean {
  return enabled_events.includes("*") || enabled_events.includes(is_thin ? THIN_PREFIX + type : type);
}
