// A load on several nodes: signed events and spends of credits, sent as Stripe and apps send them, again until they are answered.
import { setTimeout as sleep } from "node:timers/promises";

import type { Wire } from "./api-door.ts";
import { PASSWORD } from "./people.ts";
import type { Arrival } from "./pipe.ts";
import { signed } from "./serve.ts";
import { BEGIN, event, NEW_API } from "./stripe-fixtures.ts";
import { newInvoice, PAID } from "./stripe-fixtures-billing.ts";

/** As long as Stripe waits for a webhook's answer. */
const PATIENCE_MS = 20_000;
/** The pause before the same is sent again. Stripe's is minutes. */
const AGAIN_MS = 50;
/** What says nothing of the request itself: it is sent again. 409: the try before it is still at work. */
const AGAIN = new Set([409, 429, 502, 503, 504]);
/** A share of what was answered is sent once more: Stripe does so, too. */
const TWICE = 0.1;

export interface Customer {
  accountId: string;
  /** The tenant's. */
  secretKey: string;
  granted: number;
}

export interface Load {
  /** Ids of events that were answered 200. */
  answered: Set<string>;
  invoices: number;
  /** Idempotency keys of spends that were answered 201, of one credit each. */
  spent: Set<string>;
  /** Answers that neither took a request nor asked for it again: there must be none. */
  unexpected: string[];
  /** Tries that were not taken, by the status that asked for another; "none": nothing was answered. */
  again: Record<string, number>;
  /** The longest time between two answers of 200, in milliseconds. */
  longestSilence: number;
  /** Resolves when so many events are answered. */
  reached(events: number): Promise<void>;
  /** Begins nothing new, and resolves when all that was begun is answered. */
  finish(): Promise<void>;
  /** Gives up what is not answered yet: for a test that has failed. */
  abandon(): Promise<void>;
}

/** A tenant with an account that has credits to spend. */
export async function openCustomer(door: string, granted: number): Promise<Customer> {
  const body = { company_name: "Nodes", email: "owner@nodes.example", password: PASSWORD, domain: "nodes.example" };
  const { api_keys } = await made(`${door}/api/v1/auth/tenants/register/`, {}, body);
  const secretKey = (api_keys as { test_secret: string }).test_secret;
  const as = { authorization: `Bearer ${secretKey}` };
  const { id } = await made(`${door}/api/v1/accounts/`, as, {});
  const grant = { amount: granted, reason: "test" };
  await made(`${door}/api/v1/accounts/${String(id)}/credits/grant/`, { ...as, "idempotency-key": "grant" }, grant);
  return { accountId: String(id), secretKey, granted };
}

async function made(url: string, headers: Record<string, string>, body: Wire): Promise<Wire> {
  const response = await fetch(url, {
    method: "POST",
    headers: { ...headers, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  const text = await response.text();
  if (response.status !== 201) throw new Error(`${url}: ${response.status} ${text}`);
  return JSON.parse(text) as Wire;
}

/** `purchases`: events that are mixed into an endless row of invoices, in any order. */
export function startLoad(
  doors: readonly string[],
  options: { customer: Customer; purchases: readonly Arrival[]; senders: number; spenders: number },
): Load {
  const load = {
    ...{ answered: new Set<string>(), invoices: 0, spent: new Set<string>(), unexpected: [] as string[] },
    ...{ again: {} as Record<string, number>, longestSilence: 0 },
  };
  const state = { stopping: false, abandoned: false, last: performance.now(), turn: 0, spends: 0 };
  const waiting = shuffled(options.purchases);

  /** To one node after the other, as a proxy would, until it is taken. */
  const insist = async (path: string, headers: () => Record<string, string>, body: string): Promise<void> => {
    while (!state.abandoned) {
      state.turn += 1;
      const status = await attempt(`${doors[state.turn % doors.length] ?? ""}${path}`, headers(), body);
      if (status === 200 || status === 201) return;
      if (status !== undefined && !AGAIN.has(status)) {
        load.unexpected.push(`${path}: ${status}`);
        return;
      }
      const asked = status ?? "none";
      load.again[asked] = (load.again[asked] ?? 0) + 1;
      await sleep(AGAIN_MS);
    }
  };
  const sendEvent = async (sent: Record<string, unknown>): Promise<void> => {
    const body = JSON.stringify(sent);
    const headers = (): Record<string, string> => ({ "stripe-signature": signed(body) });
    await insist("/stripe/webhook/", headers, body);
    const now = performance.now();
    load.longestSilence = Math.max(load.longestSilence, now - state.last);
    state.last = now;
    load.answered.add(String(sent.id));
    if (Math.random() < TWICE) await insist("/stripe/webhook/", headers, body);
  };
  const sender = async (): Promise<void> => {
    while (!state.stopping || waiting.length > 0) {
      const purchase = waiting.pop();
      if (purchase !== undefined) await sendEvent(purchase);
      if (!state.stopping) for (const invoice of invoiceEvents(load.invoices++)) await sendEvent(invoice);
    }
  };
  const spender = async (): Promise<void> => {
    const { accountId, secretKey } = options.customer;
    while (!state.stopping) {
      const key = `spend-${String((state.spends += 1))}`;
      const headers = { authorization: `Bearer ${secretKey}`, "idempotency-key": key };
      const body = JSON.stringify({ amount: 1, reason: "test" });
      await insist(`/api/v1/accounts/${accountId}/credits/spend/`, () => headers, body);
      load.spent.add(key);
    }
  };
  const running = Promise.all([
    ...Array.from({ length: options.senders }, sender),
    ...Array.from({ length: options.spenders }, spender),
  ]);
  return Object.assign(load, {
    reached: async (events: number) => {
      while (load.answered.size < events) {
        if (state.abandoned) throw new Error("the load was given up");
        await sleep(10);
      }
    },
    finish: async () => {
      state.stopping = true;
      await running;
    },
    abandon: async () => {
      state.stopping = state.abandoned = true;
      waiting.length = 0;
      await running;
    },
  });
}

export const invoiceId = (number: number): string => `in_n${number}`;

/** It was finalized and paid; told in the wrong order. */
function invoiceEvents(number: number): Record<string, unknown>[] {
  const options = { created: BEGIN + number, apiVersion: NEW_API };
  const paid = newInvoice({ id: invoiceId(number), ...PAID });
  return [
    { ...event("invoice.paid", paid, { id: `evt_n${number}_paid`, ...options }) },
    { ...event("invoice.finalized", newInvoice({ id: paid.id }), { id: `evt_n${number}_open`, ...options }) },
  ];
}

function shuffled(arrivals: readonly Arrival[]): Record<string, unknown>[] {
  return arrivals
    .flatMap((arrival) => ("event" in arrival ? [{ sent: arrival.event, place: Math.random() }] : []))
    .sort((a, b) => a.place - b.place)
    .map(({ sent }) => sent);
}

/** The answer's status; undefined: there was none. */
async function attempt(url: string, headers: Record<string, string>, body: string): Promise<number | undefined> {
  try {
    const response = await fetch(url, {
      method: "POST",
      headers: { ...headers, "content-type": "application/json" },
      body,
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    await response.arrayBuffer();
    return response.status;
  } catch {
    // Killed, refused or too late: nobody was told that it was taken.
    return undefined;
  }
}
